package linearizable

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/fallacy-dev/fallacy"
)

// numbers gives the values of one key small numbers, in the order of their
// appearance. Number 0 is nil, the state at first.
type numbers struct {
	used   int32   // numbers given, apart from 0
	ints   []int32 // number of a small int, less low; 0: none
	low    int
	afloat bool // low is somewhat below the first int, and not 0
	others map[fallacy.Ident]int32
}

// dense is how many times more than there are values an int may be above low and
// still be looked up in a slice.
const (
	dense = 4
	slack = 256 // by how much values that come later may be less than the first
)

// len returns how many numbers there are, 0 among them.
func (t *numbers) len() int { return int(t.used) + 1 }

func (t *numbers) of(v fallacy.Value) int32 {
	n, isInt := v.Int()
	if at := n - t.low; isInt && at >= 0 && at < len(t.ints) && t.ints[at] > 0 {
		return t.ints[at]
	}
	if v.IsNil() {
		return 0
	}
	return t.slowly(v.Ident())
}

// slowly numbers a value that is new, or no small int.
func (t *numbers) slowly(id fallacy.Ident) int32 {
	if number, ok := t.others[id]; ok {
		return number
	}
	t.used++
	n, isInt := id.Int()
	if t.afloat && isInt && len(t.ints) == 0 {
		t.low = max(0, n-slack)
	}
	if at := n - t.low; isInt && at >= 0 && at < dense*t.len()+2*slack {
		if at >= len(t.ints) {
			t.ints = slices.Grow(t.ints, at+1-len(t.ints))
			t.ints = t.ints[:cap(t.ints)]
		}
		t.ints[at] = t.used
		return t.used
	}
	if t.others == nil {
		t.others = make(map[fallacy.Ident]int32)
	}
	t.others[id] = t.used
	return t.used
}

// add numbers what another has numbered, and returns its numbers by the other's.
func (t *numbers) add(other *numbers) []int32 {
	to := make([]int32, other.len())
	for at, number := range other.ints {
		if number > 0 {
			to[number] = t.of(fallacy.Int(other.low + at))
		}
	}
	// In the order of their numbers, as a map has none.
	rare := make([]fallacy.Ident, 0, len(other.others))
	for id := range other.others {
		rare = append(rare, id)
	}
	slices.SortFunc(rare, func(a, b fallacy.Ident) int { return cmp.Compare(other.others[a], other.others[b]) })
	for _, id := range rare {
		to[other.others[id]] = t.identified(id)
	}
	return to
}

// identified returns the number of a value that is not nil.
func (t *numbers) identified(id fallacy.Ident) int32 {
	if n, ok := id.Int(); ok {
		return t.of(fallacy.Int(n))
	}
	return t.slowly(id)
}

// text returns the JSON form of the value with the number. It takes its time.
func (t *numbers) text(number int32) string {
	if n := slices.Index(t.ints, number); n >= 0 && number > 0 {
		return strconv.Itoa(t.low + n)
	}
	for id, at := range t.others {
		if at == number {
			return id.String()
		}
	}
	return fallacy.Nil().String()
}

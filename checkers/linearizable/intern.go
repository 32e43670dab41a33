package linearizable

import (
	"slices"
	"strconv"

	"github.com/fallacy-dev/fallacy"
)

// numbers gives the values of one key small numbers, in the order of their
// appearance. Number 0 is nil, the state at first.
type numbers struct {
	used   int32   // numbers given, apart from 0
	ints   []int32 // number of a small int; 0: none
	others map[fallacy.Ident]int32
}

// dense is how many times more than there are values an int may be and still be
// looked up in a slice.
const dense = 4

// len returns how many numbers there are, 0 among them.
func (t *numbers) len() int { return int(t.used) + 1 }

func (t *numbers) of(v fallacy.Value) int32 {
	n, isInt := v.Int()
	if isInt && n >= 0 && n < len(t.ints) && t.ints[n] > 0 {
		return t.ints[n]
	}
	if v.IsNil() {
		return 0
	}
	return t.slowly(v, n, isInt)
}

// slowly numbers a value that is new, or no small int.
func (t *numbers) slowly(v fallacy.Value, n int, isInt bool) int32 {
	id := v.Ident()
	if at, ok := t.others[id]; ok {
		return at
	}
	t.used++
	if isInt && n >= 0 && n < dense*t.len()+64 {
		if n >= len(t.ints) {
			t.ints = slices.Grow(t.ints, n+1-len(t.ints))
			t.ints = t.ints[:cap(t.ints)]
		}
		t.ints[n] = t.used
		return t.used
	}
	if t.others == nil {
		t.others = make(map[fallacy.Ident]int32)
	}
	t.others[id] = t.used
	return t.used
}

// text returns the JSON form of the value with the number. It takes its time.
func (t *numbers) text(number int32) string {
	if n := slices.Index(t.ints, number); n >= 0 && number > 0 {
		return strconv.Itoa(n)
	}
	for id, at := range t.others {
		if at == number {
			return id.String()
		}
	}
	return fallacy.Nil().String()
}

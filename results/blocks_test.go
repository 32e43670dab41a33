package results

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fallacy-dev/fallacy"
)

// TestOpsAreReadInPlace reads a history of many blocks with a reckoning of its
// length that is right, too small, far too large, or none, with empty lines and
// with a line that is damaged: the ops must be the same.
func TestOpsAreReadInPlace(t *testing.T) {
	h := registerHistory(32_000)
	var plain, loose bytes.Buffer
	for i, op := range h {
		line := op.AppendJSON(nil)
		plain.Write(append(line, '\n'))
		loose.Write(line)
		loose.WriteString(strings.Repeat("\n", 1+i%3))
	}
	reckonings := map[string]func(read float64) float64{
		"right": func(share float64) float64 { return share }, "too small": func(share float64) float64 { return min(1, share*1.7) },
		"too large": func(share float64) float64 { return share / 3 }, "absurd": func(float64) float64 { return 1e-300 }, "none": func(float64) float64 { return 0 },
	}
	texts := map[string][]byte{"plain": plain.Bytes(), "loose": loose.Bytes(), "no end": bytes.TrimRight(plain.Bytes(), "\n")}
	for reckoned, reckon := range reckonings {
		for name, text := range texts {
			in := bytes.NewReader(text)
			s := &splitter{in: in, after: 2, share: func() float64 { return reckon(1 - float64(in.Len())/float64(len(text))) }}
			got, damage := s.read()
			if damage != nil || len(got) != len(h) || cap(got) != len(got) {
				t.Fatalf("%s, %s: %d ops of %d (room for %d), %v", reckoned, name, len(got), len(h), cap(got), damage)
			}
			for i := range h {
				if got[i].Index != h[i].Index || got[i].Time != h[i].Time || !got[i].Value.Equal(h[i].Value) {
					t.Fatalf("%s, %s: op %d is %v, want %v", reckoned, name, i, got[i], h[i])
				}
			}
			if placed := s.into != nil; placed != (reckoned != "none" && reckoned != "absurd") {
				t.Errorf("%s, %s: ops had a place: %v", reckoned, name, placed)
			}
		}
		cut := bytes.Clone(loose.Bytes())
		at := bytes.Index(cut, []byte(`{"index":25001,`))
		cut[at] = 'x'
		in := bytes.NewReader(cut)
		got, damage := (&splitter{in: in, after: 2, share: func() float64 { return reckon(1 - float64(in.Len())/float64(len(cut))) }}).read()
		if damage == nil || len(got) != 25001 || damage.Kept != len(got) || damage.Line != 1+bytes.Count(cut[:at], []byte{'\n'}) {
			t.Errorf("%s: a damaged line: %d ops, %+v", reckoned, len(got), damage)
		}
	}
}

// Ops without an index get their place, in whatever block they are.
func TestOpsGetTheirPlace(t *testing.T) {
	line := `{"process":0,"type":"invoke","f":"read","value":null}` + "\n"
	const n = 40_000
	text := strings.Repeat(line, n)
	in := strings.NewReader(text)
	got, damage := (&splitter{in: in, after: 2, share: func() float64 { return 1 - float64(in.Len())/float64(len(text)) }}).read()
	if damage != nil || len(got) != n {
		t.Fatal(len(got), damage)
	}
	var places, want []int
	for i, op := range []fallacy.Op(got) {
		places, want = append(places, op.Index), append(want, i)
	}
	if diff := cmp.Diff(want, places); diff != "" {
		t.Errorf("places:\n%.500s", diff)
	}
}

package fallacy_test

import (
	"testing"

	"pgregory.net/rapid"
)

func TestIdentsAreEqualExactlyIfValuesAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w := anyValue(2).Draw(t, "v"), anyValue(2).Draw(t, "w")
		if same := v.Ident() == w.Ident(); same != v.Equal(w) {
			t.Fatalf("%v and %v: idents equal is %v", v, w, same)
		}
		if v.Ident().String() != v.String() {
			t.Fatalf("%v reads %s", v, v.Ident())
		}
	})
}

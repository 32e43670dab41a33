package fallacy_test

import (
	"testing"

	"github.com/fallacy-dev/fallacy"
	"pgregory.net/rapid"
)

func TestValueJSON(t *testing.T) {
	mop := func(f, k string, v fallacy.Value) fallacy.MicroOp {
		return fallacy.MicroOp{F: f, Key: fallacy.String(k), Value: v}
	}
	for _, c := range []struct {
		value fallacy.Value
		want  string
		kind  fallacy.Kind
	}{
		{fallacy.Nil(), `null`, fallacy.KindNil},
		{fallacy.Bool(true), `true`, fallacy.KindBool},
		{fallacy.Int(-7), `-7`, fallacy.KindInt},
		{fallacy.String("a\"b\\\n\x01é</script>"), `"a\"b\\\n\u0001é</script>"`, fallacy.KindString},
		{fallacy.String("\xff"), `"�"`, fallacy.KindString},
		{fallacy.Ints(), `[]`, fallacy.KindList},
		{fallacy.Ints(1, 2), `[1,2]`, fallacy.KindList},
		{fallacy.Tuple(fallacy.String("k"), fallacy.Ints(4, 5)), `["k",[4,5]]`, fallacy.KindList},
		{fallacy.Txn(), `[]`, fallacy.KindList},
		{fallacy.Txn(mop("append", "x", fallacy.Int(1)), mop("r", "y", fallacy.Nil())), `[["append","x",1],["r","y",null]]`, fallacy.KindTxn},
		{fallacy.List(fallacy.List(fallacy.String("r"), fallacy.Int(3), fallacy.Nil())), `[["r",3,null]]`, fallacy.KindTxn},
		{fallacy.Txn(fallacy.MicroOp{F: "r", Key: fallacy.Nil()}), `[["r",null,null]]`, fallacy.KindList},
		{fallacy.Object(fallacy.Field{Name: "b", Value: fallacy.Int(1)}, fallacy.Field{Name: "a"}, fallacy.Field{Name: "b", Value: fallacy.Int(2)}), `{"a":null,"b":2}`, fallacy.KindObject},
	} {
		if got := c.value.String(); got != c.want {
			t.Errorf("JSON: got %s, want %s", got, c.want)
		}
		if got := c.value.Kind(); got != c.kind {
			t.Errorf("%s: got kind %d, want %d", c.want, got, c.kind)
		}
		back, err := fallacy.ParseValue([]byte(c.want))
		if err != nil || !back.Equal(c.value) {
			t.Errorf("%s read back: got %v, %v", c.want, back, err)
		}
	}
}

func TestParseValueRefuses(t *testing.T) {
	for in, want := range map[string]string{
		`1.5`:                   `column 1: 1.5 is not a whole number of 64 bits`,
		`[1,`:                   `column 4: the line ends where a value is expected`,
		`[1 2]`:                 `column 4: found '2' where ',' is expected`,
		`"ab`:                   `column 4: the line ends inside a string`,
		`12 x`:                  `column 4: found 'x' where the end is expected`,
		`123456789012345678901`: `column 1: 123456789012345678901 is not a whole number of 64 bits`,
		`007`:                   `column 1: 007 is not a whole number of 64 bits`,
		`{"a":1,}`:              `column 8: found '}' where a field's name is expected`,
		``:                      `column 1: the line ends where a value is expected`,
		"\"a\tb\"":              `column 3: control character 0x9 in a string`,
	} {
		if v, err := fallacy.ParseValue([]byte(in)); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, %v, want error %s", in, v, err, want)
		}
	}
}

// anyValue draws values of every kind, as an author's code may build them.
func anyValue(depth int) *rapid.Generator[fallacy.Value] {
	small := rapid.OneOf(
		rapid.Just(fallacy.Nil()),
		rapid.Map(rapid.Bool(), fallacy.Bool),
		rapid.Map(rapid.Int(), fallacy.Int),
		rapid.Map(rapid.StringN(0, 4, -1), fallacy.String),
		rapid.SampledFrom([]fallacy.Value{fallacy.String("r"), fallacy.String("append")}),
	)
	if depth == 0 {
		return small
	}
	inner := anyValue(depth - 1)
	return rapid.OneOf(small,
		rapid.Map(rapid.SliceOfN(inner, 0, 3), func(vs []fallacy.Value) fallacy.Value { return fallacy.List(vs...) }),
		rapid.Custom(func(t *rapid.T) fallacy.Value {
			ops := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fallacy.MicroOp {
				return fallacy.MicroOp{F: rapid.SampledFrom([]string{"r", "append", ""}).Draw(t, "f"), Key: inner.Draw(t, "key"), Value: inner.Draw(t, "value")}
			}), 0, 3).Draw(t, "ops")
			return fallacy.Txn(ops...)
		}),
		rapid.Custom(func(t *rapid.T) fallacy.Value {
			fields := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fallacy.Field {
				return fallacy.Field{Name: rapid.StringMatching(`[a-c]`).Draw(t, "name"), Value: inner.Draw(t, "value")}
			}), 0, 4).Draw(t, "fields")
			return fallacy.Object(fields...)
		}),
	)
}

func TestValueReadBackIsIndistinguishable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(3).Draw(t, "value")
		back, err := fallacy.ParseValue([]byte(v.String()))
		if err != nil || !back.Equal(v) || back.Kind() != v.Kind() || back.String() != v.String() {
			t.Fatalf("%v (kind %d) came back as %v (kind %d), %v", v, v.Kind(), back, back.Kind(), err)
		}
	})
}

func TestSmallValuesDoNotAllocate(t *testing.T) {
	s := "a key"
	var n int
	allocs := testing.AllocsPerRun(100, func() {
		for _, v := range [...]fallacy.Value{fallacy.Nil(), fallacy.Bool(true), fallacy.Int(n), fallacy.String(s)} {
			if v.Equal(fallacy.Int(-1)) {
				n++
			}
		}
	})
	if allocs != 0 {
		t.Errorf("making nil, a bool, an int and a string allocates %v times, want 0", allocs)
	}
}

func BenchmarkValueSmall(b *testing.B) {
	b.ReportAllocs()
	s := "a key"
	for i := 0; b.Loop(); i++ {
		v := fallacy.Int(i)
		w := fallacy.String(s)
		if v.Equal(w) {
			b.Fatal("an int equals a string")
		}
	}
}

package linearizable_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/internal/script"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
)

// toggles is a model as users of Porcupine write it: a switch that tells what it was.
func toggles(step func(on bool)) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return false },
		Step: func(state, input, _ any) (bool, any) {
			was, a := state.(bool), input.(linearizable.Action)
			step(was)
			out, _ := a.Out.Bool()
			return !a.Known() || out == was, !was
		},
		Equal: func(a, b any) bool { return a == b },
	}
}

func TestPorcupineModel(t *testing.T) {
	quiet := func(bool) {}
	for text, want := range map[string]fallacy.Verdict{
		"0 invoke flip null\n0 ok flip false\n1 invoke flip null\n1 ok flip true":                                        fallacy.Valid,
		"0 invoke flip null\n0 ok flip false\n1 invoke flip null\n1 ok flip false":                                       fallacy.Invalid,
		"0 invoke flip null\n0 info flip null\n1 invoke flip null\n1 ok flip true\n2 invoke flip null\n2 fail flip null": fallacy.Valid,
		"": fallacy.Unknown,
	} {
		h, err := script.History(text)
		if err != nil {
			t.Fatal(err)
		}
		if f := check(t, linearizable.Porcupine(linearizable.PorcupineModel{Model: toggles(quiet)}), h); f.Verdict != want {
			t.Errorf("got %v, want %v:\n%s", f.Verdict, want, text)
		}
	}
	h, _ := script.History("0 invoke flip null\n0 ok flip false")
	f := check(t, linearizable.Porcupine(linearizable.PorcupineModel{Model: toggles(func(bool) { panic("no") })}), h)
	if f.Verdict != fallacy.Unknown || !strings.Contains(f.Reason, "the model panics: no") {
		t.Errorf("got %v %q, want unknown", f.Verdict, f.Reason)
	}
}

func TestPorcupineModelKeepsItsBudget(t *testing.T) {
	m := linearizable.PorcupineModel{
		Model:  intModel,
		Budget: linearizable.Budget{Memory: 1 << 20},
		Operation: func(c fallacy.Call) (input, output any, ok bool) {
			_, in, _ := c.Invoke.Value.Tuple()
			n, _ := in.Int()
			return &intCall{f: c.Invoke.F[0], arg: n, known: true, out: -1}, nil, true
		},
	}
	if f := check(t, linearizable.Porcupine(m), tangled(40)); f.Verdict != fallacy.Unknown || !strings.Contains(f.Reason, "memory") {
		t.Errorf("got %v %q, want unknown for memory", f.Verdict, f.Reason)
	}
}

// TestPictureOfEachViolation draws what the register checker finds wrong.
func TestPictureOfEachViolation(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	drawn := 0
	for range 200 {
		h := randomHistory(rng, shape{calls: 40, processes: 5, refusals: "seen", info: 0.05, damage: 1})
		for _, a := range check(t, linearizable.Register(), h).Anomalies {
			page, err := linearizable.Picture(t.Context(), linearizable.CASRegister, h, a)
			if err != nil {
				t.Fatalf("%v\n%s", err, a.Why)
			}
			if !bytes.Contains(page, []byte("</html>")) {
				t.Fatalf("%d bytes are no page", len(page))
			}
			drawn++
		}
	}
	if drawn < 20 {
		t.Errorf("%d pictures drawn", drawn)
	}
	if _, err := linearizable.Picture(t.Context(), linearizable.CASRegister, nil, fallacy.Anomaly{Ops: []int{3}}); err == nil {
		t.Error("drew nothing without an error")
	}
}

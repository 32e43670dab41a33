package txn_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/txn"
)

// TestLattice holds what anomalies rule out, and what models prohibit, against
// known ones, and against all of Elle's if -cases has them.
func TestLattice(t *testing.T) {
	if not, also := txn.RuledOut("G-nonadjacent-item"); !slices.Equal(not, []string{"repeatable-read", "snapshot-isolation"}) || len(also) != 5 {
		t.Errorf("G-nonadjacent-item rules out %v and %v", not, also)
	}
	if not, _ := txn.RuledOut("garbage-read"); !slices.Equal(not, []string{"read-uncommitted"}) {
		t.Errorf("garbage-read rules out %v", not)
	}
	if not, also := txn.RuledOut(); len(not)+len(also) > 0 {
		t.Errorf("nothing rules out %v and %v", not, also)
	}
	data, err := os.ReadFile(filepath.Join(*moreCases, "consistency-models.json"))
	if err != nil {
		return
	}
	var elle struct {
		Models   []string
		Boundary map[string]struct {
			Not     []string
			AlsoNot []string `json:"also-not"`
		} `json:"anomaly_boundary"`
		Prohibits map[string][]string `json:"model_prohibits_all"`
	}
	if err := json.Unmarshal(data, &elle); err != nil {
		t.Fatal(err)
	}
	for anomaly, want := range elle.Boundary {
		if not, also := txn.RuledOut(anomaly); !slices.Equal(not, want.Not) || !slices.Equal(also, want.AlsoNot) {
			t.Errorf("%s rules out %v and %v, want %v and %v", anomaly, not, also, want.Not, want.AlsoNot)
		}
	}
	for _, name := range elle.Models {
		m, ok := txn.LookupModel(name)
		if !ok {
			t.Errorf("%s is not known", name)
			continue
		}
		got := slices.DeleteFunc(m.Prohibited(), func(a string) bool { return a == "garbage-read" })
		if want := elle.Prohibits[name]; !slices.Equal(got, want) {
			t.Errorf("%s prohibits %v, want %v", name, got, want)
		}
	}
}

func TestModelsAreFoundByEveryName(t *testing.T) {
	for _, m := range txn.Models() {
		for _, name := range append([]string{m.Name, m.Canonical}, m.Aliases...) {
			if got, ok := txn.LookupModel(name); !ok || got.Canonical != m.Canonical {
				t.Errorf("%s is %v, want %v", name, got, m)
			}
		}
		for _, weaker := range m.Implies {
			if _, ok := txn.LookupModel(weaker); !ok {
				t.Errorf("%s implies %s, which is not known", m.Name, weaker)
			}
		}
	}
}

func TestOptionsValidate(t *testing.T) {
	for want, o := range map[string]txn.Options{
		"":                               {Models: []string{"PL-2"}, Anomalies: []string{"G1"}, AdditionalGraphs: []string{"process"}},
		`consistency model "PL-9"`:       {Models: []string{"PL-9"}},
		`anomaly "G7" is not known`:      {Anomalies: []string{"G7"}},
		`graph "clock" is not known, wa`: {AdditionalGraphs: []string{"clock"}},
	} {
		err := o.Validate()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestCheckStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f, err := txn.Append().Check(ctx, ring(200, false))
	if err == nil || f.Verdict != fallacy.Unknown {
		t.Errorf("got %v and error %v, want unknown and that it was stopped", f.Verdict, err)
	}
}

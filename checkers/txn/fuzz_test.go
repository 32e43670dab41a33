package txn_test

import (
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/internal/script"
	"github.com/fallacy-dev/fallacy/checkers/txn"
)

// seeds are histories from which fuzzing starts.
var seeds = []string{
	"0 invoke txn [[\"append\",\"x\",1],[\"r\",\"y\",null]]\n0 ok txn [[\"append\",\"x\",1],[\"r\",\"y\",[1]]]",
	"0 invoke txn [[\"w\",\"x\",1],[\"r\",3,null]]\n1 invoke txn [[\"r\",\"x\",null]]\n0 info txn [[\"w\",\"x\",1],[\"r\",3,null]]\n1 ok txn [[\"r\",\"x\",1]]",
	"0 invoke txn [[\"r\",\"x\",null],[\"append\",\"x\",1]]\n1 invoke txn [[\"r\",\"x\",null],[\"append\",\"x\",2]]\n0 ok txn [[\"r\",\"x\",[]],[\"append\",\"x\",1]]\n1 ok txn [[\"r\",\"x\",[]],[\"append\",\"x\",2]]",
}

var fuzzed = []txn.Options{
	{},
	{Models: []string{"serializable"}, WFRKeys: true},
	{Models: []string{"strong-session-snapshot-isolation"}, SequentialKeys: true, AdditionalGraphs: []string{"realtime"}},
	{LinearizableKeys: true, WFRKeys: true, Anomalies: []string{"G1"}},
}

func fuzz(f *testing.F, with func(txn.Options) *fallacy.Checker) {
	for i, s := range seeds {
		f.Add(script.JSON(s), byte(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, option byte) {
		finding, err := with(fuzzed[int(option)%len(fuzzed)]).Check(t.Context(), script.Lines(data))
		if err == nil && finding.Verdict == fallacy.Valid && finding.Examined == 0 {
			t.Error("valid with nothing examined")
		}
		for _, a := range finding.Anomalies {
			if a.Why == "" {
				t.Errorf("%s does not say why", a.Name)
			}
			for i, s := range a.Cycle {
				if s.Why == "" || s.To != a.Cycle[(i+1)%len(a.Cycle)].From {
					t.Errorf("%s: step %d of %v leads nowhere", a.Name, i, a.Cycle)
				}
			}
		}
	})
}

func FuzzAppend(f *testing.F) { fuzz(f, txn.AppendWith) }

func FuzzRegister(f *testing.F) { fuzz(f, txn.RegisterWith) }

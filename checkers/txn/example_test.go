package txn_test

import (
	"context"
	"fmt"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/txn"
)

// Two transactions read what the other is about to write: write skew, which
// snapshot isolation permits and serializability does not.
func ExampleRegisterWith() {
	x, y, one := fallacy.String("x"), fallacy.String("y"), fallacy.Int(1)
	a := fallacy.Txn(fallacy.MicroOp{F: "r", Key: x}, fallacy.MicroOp{F: "w", Key: y, Value: one})
	b := fallacy.Txn(fallacy.MicroOp{F: "r", Key: y}, fallacy.MicroOp{F: "w", Key: x, Value: one})
	history := fallacy.History{
		{Index: 0, Process: 0, Type: fallacy.Invoke, F: "txn", Value: a},
		{Index: 1, Process: 1, Type: fallacy.Invoke, F: "txn", Value: b},
		{Index: 2, Process: 0, Type: fallacy.OK, F: "txn", Value: a},
		{Index: 3, Process: 1, Type: fallacy.OK, F: "txn", Value: b},
	}
	for _, model := range []string{"snapshot-isolation", "serializable"} {
		f, err := txn.RegisterWith(txn.Options{Models: []string{model}}).Check(context.Background(), history)
		if err != nil {
			panic(err)
		}
		fmt.Println(model, f.Verdict)
		for _, anomaly := range f.Anomalies {
			fmt.Println(anomaly.Name, anomaly.Ops)
			for _, s := range anomaly.Cycle {
				fmt.Println(s.From, s.Type, s.To)
			}
		}
	}
	// Output:
	// snapshot-isolation valid
	// serializable invalid
	// G2-item [0 1 2 3]
	// 2 rw 3
	// 3 rw 2
}

func ExampleLookupModel() {
	m, _ := txn.LookupModel("conflict-serializable")
	fmt.Println(m.Name, m.Canonical)
	// Output: serializable PL-3
}

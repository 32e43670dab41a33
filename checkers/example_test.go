package checkers_test

import (
	"context"
	"fmt"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/checkers/internal/script"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
)

func ExampleJudge() {
	// An add is acknowledged, and a read that comes after does not have it.
	history, _ := script.History(`
		0 invoke add 1
		0 ok     add 1
		1 invoke read null
		1 ok     read []`)
	all := []*fallacy.Checker{checkers.Set(), checkers.Coverage([]string{"partition"})}
	judgements := checkers.Judge(context.Background(), history, all, checkers.Options{})
	for _, j := range judgements {
		fmt.Printf("%s: %v %q\n", j.Checker, j.Finding.Verdict, j.Finding.Reason)
		for _, a := range j.Finding.Anomalies {
			fmt.Println(" ", a.Name, a.Ops)
			fmt.Println(" ", a.Why)
		}
	}
	fmt.Println(checkers.Overall(judgements))
	// Output:
	// set: invalid ""
	//   lost [0 1 2 3]
	//   1 is missing from process 1's read (op 3), which was invoked after 1 had been acknowledged to process 0 (op 1), and no later read has it
	// coverage: unknown "fault partition was never injected"
	// invalid
}

func ExampleLinearizable() {
	// The second acquire is granted before the first is given back.
	history, _ := script.History(`
		0 invoke acquire null
		0 ok     acquire null
		1 invoke acquire null
		1 ok     acquire null`)
	finding, err := checkers.Linearizable(linearizable.Mutex).Check(context.Background(), history)
	fmt.Println(finding.Verdict, err)
	fmt.Println(finding.Anomalies[0].Why)
	// Output:
	// invalid <nil>
	// no order of the calls up to op 3 explains all answers; without process 1's acquire, answered ok null (op 3), there is one
}

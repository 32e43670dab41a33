package linearizable_test

import (
	"context"
	"fmt"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/internal/script"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
)

func ExampleCheck() {
	toggle := linearizable.Model{
		Name: "toggle",
		Doc:  "a switch that tells what it was\n\nEach flip turns it and returns what it was before.",
		Init: fallacy.Bool(false),
		Step: func(state fallacy.Value, a linearizable.Action) (fallacy.Value, bool) {
			was, _ := state.Bool()
			return fallacy.Bool(!was), !a.Known() || a.Out.Equal(state)
		},
	}
	history, _ := script.History(`
		0 invoke flip null
		0 ok     flip false
		1 invoke flip null
		1 ok     flip false`)
	finding, err := linearizable.Check(toggle).Check(context.Background(), history)
	fmt.Println(finding.Verdict, err)
	fmt.Println(finding.Anomalies[0].Why)
	// Output:
	// invalid <nil>
	// no order of the calls up to op 3 explains all answers; without process 1's flip, answered ok false (op 3), there is one
}

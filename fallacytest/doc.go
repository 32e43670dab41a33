// Package fallacytest uses fallacy inside go test.
//
// [Run] runs a whole test on this machine, with nodes that are child processes
// of the test binary, and fails unless the verdict is as it should be:
//
//	func TestMain(m *testing.M) { fallacytest.Main(m) }
//
//	func TestSurvivesKills(t *testing.T) {
//		kill, err := nemesis.New("kill", nemesis.Schedule{Quiet: time.Second, Fault: time.Second})
//		if err != nil {
//			t.Fatal(err)
//		}
//		fallacytest.Run(t, fallacy.Test{Target: mine, Workload: workloads.Register(), Nemeses: []fallacy.Nemesis{kill}})
//	}
//
// [Checker], [Target] and [Fault] are what a checker, a target and a fault of
// one's own have to pass before they can be trusted. A checker needs no cluster,
// and neither does a history: checkers.Linearizable(model).Check(ctx, history).
package fallacytest

// Package results keeps the record of a run on disk, and shows it.
//
// A run is a directory, [Dir], under runs/<target>-<workload>/<UTC time>/:
//
//	run.json            what was asked for and what came out: a [Run]
//	plan.json           the faults with their times, to be run again
//	history.jsonl       every op, a line each, while the run goes on
//	history.jsonl.zst   the same, once it is over
//	nodes/<node>/       what the node's process wrote
//	report.html         the page for people, one file, no network
//	results.json        all that the page says, for programs: a [Results]
//
// Beside the runs, latest is a link to the newest one.
//
// The controller may be killed at any moment: every op that [Dir.Record] was
// given is in the file when Record returns, run.json is there from the start,
// and no file is ever replaced by half of another.
//
//	dir, err := results.Create("runs", "refstore/register", time.Now())
//	…
//	err = dir.SaveRun(run)          // unknown, for now
//	err = dir.Record(ops)           // as often as it takes
//	err = dir.Finish()
//	h, damage, err := dir.History() // damage: where a broken file ends
//	err = dir.SaveRun(run)          // with verdict and findings
//	err = dir.WriteReport(run, h)
//
// [Handler] serves a directory of runs to a browser; [Export] writes a run for other tools.
//
// Whatever comes from a run is data and hostile: values, errors and logs are
// written by the system under test, and are shown as text, never as markup.
package results

package results

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

const jepsenFaults = `
{:type :info, :f :start-partition, :value :majority, :process :nemesis, :time 1000000}
{:type :info, :f :start-partition, :value [:isolated {"n1" #{"n2"}}], :process :nemesis, :time 1500000}
{:type :invoke, :f :write, :value [0 3], :process 0, :time 2000000}
{:type :info, :f :kill, :value ["n1"], :process :nemesis, :time 3000000}
{:type :info, :f :kill, :value {"n1" :killed}, :process :nemesis, :time 3500000}
{:type :info, :f :stop-partition, :value nil, :process :nemesis, :time 4000000}
{:type :info, :f :stop-partition, :value :network-healed, :process :nemesis, :time 4500000}
{:type :info, :f :start, :value nil, :process :nemesis, :time 5000000}
{:type :info, :f :start, :value {"n1" :started}, :process :nemesis, :time 5500000}
{:type :info, :f :pause, :value ["n2"], :process :nemesis, :time 6000000}
{:type :info, :f :pause, :value nil, :process :nemesis, :time 6100000, :error "no such process"}
{:type :ok, :f :write, :value [0 3], :process 0, :time 9000000}
`

func TestForeignFaults(t *testing.T) {
	h, damage, err := ReadHistory(strings.NewReader(jepsenFaults))
	if err != nil || damage != nil {
		t.Fatal(err, damage)
	}
	got := ""
	for _, e := range foreignEpisodes(h, 9*time.Millisecond) {
		got += fmt.Sprintf("%s (%s) %v to %v, %s; verified %v: %s; healed %q\n", e.Nemesis, e.Kind, e.From, e.To, e.What, e.Verified(), e.Trouble, e.Healed)
	}
	want := `partition (partition) 1ms to 4.5ms, ["isolated",{"n1":["n2"]}]; verified false: the history does not tell whether anybody saw it take effect; healed "said at 0.004 s"
kill (kill) 3ms to 5.5ms, {"n1":"killed"}; verified false: the history does not tell whether anybody saw it take effect; healed "said at 0.005 s"
pause (pause) 6ms to 9ms, ["n2"]; verified false: no such process; healed ""
`
	if got = strings.ReplaceAll(got, `\u00a0`, " "); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if own := foreignEpisodes(storyHistory(), time.Second); len(own) != 0 {
		t.Errorf("faults of fallacy's own are told twice: %+v", own[0])
	}
	if said, want := notAtTheTime(foreignEpisodes(h, 9*time.Millisecond), 2*time.Millisecond, 3*time.Millisecond), "At the time partition was to be in force, which nobody saw"; !strings.HasPrefix(said, want) {
		t.Errorf("of a fault that nobody verified: %q", said)
	}
	var page bytes.Buffer
	must(t, Report(&page, Run{Name: "jepsen.edn", Workload: "register", Verdict: fallacy.Valid}, h, nil))
	for _, bad := range []string{"0001", "--plan", "The seed", "operation timeout"} {
		if strings.Contains(scriptElement.ReplaceAllString(page.String(), ""), bad) {
			t.Errorf("the page of a history that is no run's says %q", bad)
		}
	}
}

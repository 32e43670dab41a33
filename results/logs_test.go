package results

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fallacy-dev/fallacy"
)

func TestStampOf(t *testing.T) {
	want := time.Date(2026, 11, 22, 12, 53, 7, 58_000_000, time.UTC)
	for line, zoned := range map[string]bool{
		`{"level":"warn","ts":"2026-11-22T12:53:07.058Z","caller":"etcdserver/util.go:123","msg":"x"}`: true,
		`{"level":"info","ts":"2026-11-22T14:53:07.058000+0200","caller":"x"}`:                         true,
		`{"level":"info","ts":1795351987.058,"msg":"x"}`:                                               true,
		`2026-11-22T12:53:07.058Z [INFO] agent: started`:                                               true,
		`2026-11-22 12:53:07.058 UTC [1] LOG: x`:                                                       false,
		`2026-11-22 12:53:07,058 [myid:1] - INFO  [main:X@1] - LEADING`:                                false,
		`time=2026-11-22T12:53:07.058Z level=INFO msg=x`:                                               true,
		`2026/11/22 12:53:07.058000 server.go:12: x`:                                                   false,
		`1234:M 22 Nov 2026 12:53:07.058 * Ready to accept connections`:                                false,
		`12:53:07.058000 info 1 became leader at term 2`:                                               false,
		`I1122 12:53:07.058000 12 x.go:1] x`:                                                           false,
	} {
		s, ok := stampOf(line)
		if !ok || s.zoned != zoned {
			t.Errorf("%s: found %v, zoned %v", line, ok, s.zoned)
			continue
		}
		if got := s.at; s.dated && got.Sub(want).Abs() > time.Millisecond || !s.dated && got.Format("15:04:05.000") != "12:53:07.058" {
			t.Errorf("%s: got %v", line, got)
		}
	}
	for _, line := range []string{"", "listening on 127.0.0.1:2379", "version 2026.11", "  at main.go:12:53", `{"level":"info","msg":"12:53:07.058"}`} {
		if s, ok := stampOf(line); ok {
			t.Errorf("%q: got %v", line, s.at)
		}
	}
}

func TestWallClockFindsTheZone(t *testing.T) {
	epoch := time.Date(2026, 11, 22, 23, 59, 58, 0, time.UTC)
	for name, lines := range map[string][3]string{
		"two hours east":  {"2026-11-23 01:59:57.500", "2026-11-23 01:59:59.000", "2026-11-23 02:00:01.000"},
		"India":           {"2026/11/23 05:29:57.500000", "2026/11/23 05:29:59.000000", "2026/11/23 05:30:01.000000"},
		"only the hour":   {"23:59:57.500000 x", "23:59:59.000000 x", "00:00:01.000000 x"},
		"an hour west":    {"22:59:57.500000 x", "22:59:59.000000 x", "23:00:01.000000 x"},
		"with its zone":   {"2026-11-22T16:59:57.5-07:00", "2026-11-22T16:59:59-07:00", "2026-11-22T17:00:01-07:00"},
		"midnight passed": {"00:59:57.500000 x", "00:59:59.000000 x", "01:00:01.000000 x"},
	} {
		w := clockOf("n1", epoch, nil)
		for i, want := range []time.Duration{-500 * time.Millisecond, time.Second, 3 * time.Second} {
			s, ok := stampOf(lines[i])
			if got := w.place(s); !ok || got != want {
				t.Errorf("%s: %s: got %v, want %v", name, lines[i], got, want)
			}
		}
	}
}

func TestWallClockUndoesFaults(t *testing.T) {
	const s = time.Second
	clock := func(skew fallacy.Skew) *wallClock {
		return clockOf("n1", someTime, []*episode{{From: 10 * s, To: 20 * s, Damage: damage{"n1": {Clock: skew}}}})
	}
	for name, c := range map[string]struct {
		skew  fallacy.Skew
		shown []time.Duration
		want  []time.Duration
	}{
		"ahead":  {fallacy.Skew{Offset: 5 * s}, []time.Duration{9 * s, 16 * s, 24 * s, 21 * s}, []time.Duration{9 * s, 11 * s, 19 * s, 21 * s}},
		"behind": {fallacy.Skew{Offset: -5 * s}, []time.Duration{9 * s, 6 * s, 14 * s, 21 * s}, []time.Duration{9 * s, 11 * s, 19 * s, 21 * s}},
		"slow":   {fallacy.Skew{Drift: -500_000}, []time.Duration{9 * s, 11 * s, 14 * s, 21 * s}, []time.Duration{9 * s, 12 * s, 18 * s, 21 * s}},
		"frozen": {fallacy.Skew{Frozen: true}, []time.Duration{9 * s, 10 * s, 10 * s, 21 * s}, []time.Duration{9 * s, 10 * s, 10 * s, 21 * s}},
	} {
		w := clock(c.skew)
		for i, shown := range c.shown {
			if got := w.place(stamp{at: someTime.Add(shown), zoned: true, dated: true}); got != c.want[i] {
				t.Errorf("%s: %v is taken for %v, want %v", name, shown, got, c.want[i])
			}
		}
	}
}

// logOf returns what a node wrote, from n1's log of a run that began at someTime.
func logOf(t *testing.T, text string, episodes ...*episode) *logFile {
	t.Helper()
	l := &logs{epoch: someTime, episodes: episodes, end: 10 * time.Second}
	files := l.read(fstest.MapFS{"n1/output.log": {Data: []byte(text)}})
	if len(files) != 1 || files[0].Trouble != "" {
		t.Fatalf("got %+v", files)
	}
	return files[0]
}

func stampAt(at time.Duration) string { return someTime.Add(at).Format("15:04:05.000000") }

func TestLeadersFromLogs(t *testing.T) {
	const s = time.Second
	text := fmt.Sprintf("%s info 1 became follower at term 1\n%s info 1 became leader at term 2\nno time\n%s info 1 became follower at term 3\n%s info 1 became leader at term 4\n",
		stampAt(-s), stampAt(s), stampAt(3*s), stampAt(5*s))
	f := logOf(t, text, &episode{From: 6 * s, To: 7 * s, Damage: damage{"n1": {Process: fallacy.Killed}}})
	if len(f.leads) != 2 || f.leads[0].from != s || f.leads[0].to != 3*s || f.leads[0].term != "2" || f.leads[1].to != 6*s {
		t.Errorf("got %+v", f.leads)
	}
	if f.lines[2].at != s || f.lines[2].text != "no time" {
		t.Errorf("a line without a time is at %v", f.lines[2].at)
	}
	both := rivalsOf([]leads{{node: "n2", from: 2 * s, to: 9 * s, term: "3"}, f.leads[0]})
	if len(both) != 1 || both[0].String() != "n1 and n2 both believed that they led, for 1\u00a0s from 2.000\u00a0s: n2 became leader in term 3 while n1 still was in term 2, say their logs." {
		t.Errorf("got %v", both)
	}
}

func TestLogsKeepWhatTells(t *testing.T) {
	var text strings.Builder
	for i := range 40_000 {
		word := "all is well and goes on as it did"
		if i == 20_000 {
			word = "panic: it is not"
		}
		fmt.Fprintf(&text, "%s info %s\n", stampAt(time.Duration(i)*time.Millisecond/4), word)
	}
	f := logOf(t, text.String())
	size, left := 0, 0
	var levels []int
	for _, n := range f.lines {
		size, left = size+len(n.text), left+n.left
		if n.level > levelPlain {
			levels = append(levels, n.level)
		}
	}
	if size > logEachMax || left+len(f.lines) != 40_000 || f.Lines != 40_000 {
		t.Errorf("%d bytes, %d lines of %d, %d left out", size, len(f.lines), f.Lines, left)
	}
	if len(levels) != 1 || levels[0] != levelDeath {
		t.Errorf("levels %v: the line that tells most is not there", levels)
	}
}

func TestLogsWithoutTimes(t *testing.T) {
	all := (&logs{epoch: someTime}).read(someLogs)
	if len(all) != 3 || all[0].Node != "n1" || all[1].Node != "n2" || all[2].Node != "n10" {
		t.Fatalf("got %d files, in another order than n1, n2, n10", len(all))
	}
	if cut := all[1]; !cut.Cut || cut.Stamped() || !strings.HasPrefix(cut.Text, "a line") || cut.Size != 29*20_000 || cut.Lines != 20_000 {
		t.Errorf("a long log: cut %v, %d bytes of %d, begins %.20q", cut.Cut, len(cut.Text), cut.Size, cut.Text)
	}
	if strings.ContainsAny(all[0].Text, "\x1b\u202e") {
		t.Errorf("control characters are left in %q", all[0].Text)
	}
	if f := logOf(t, strings.Repeat("x", 3*logLineMax)); len(f.Text) > logLineMax+10 {
		t.Errorf("a long line is kept: %d bytes", len(f.Text))
	}
}

func TestStoriesQuoteLogs(t *testing.T) {
	run := storyRun()
	run.Verdict, run.Findings, run.Epoch = fallacy.Invalid, []Finding{storyFinding()}, someTime
	var out strings.Builder
	must(t, Report(&out, run, storyHistory(), fstest.MapFS{
		"n1/output.log": {Data: []byte(stampAt(2*time.Millisecond) + " info 1 became leader at term 2\n" + stampAt(95*time.Millisecond) + " info 1 became follower at term 3\n")},
		"n2/output.log": {Data: []byte(stampAt(15*time.Millisecond) + " info 2 became leader at term 3\n" + stampAt(16*time.Millisecond) + " info nothing\n")},
	}))
	for _, want := range []string{"n1 and n2 both believed that they led", "<b>n2</b> 0.015\u00a0s", "Logs around it"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(out.String(), "info nothing") {
		t.Error("a story quotes a line that tells nothing")
	}
	head, _ := unpackData(t, out.String())
	if len(head.Leads) != 2 || len(head.Logs.Text) != 4 || head.Logs.At[0] != 2000 {
		t.Errorf("the data has %+v, %+v", head.Leads, head.Logs)
	}
}

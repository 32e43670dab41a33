package results

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/fallacy-dev/fallacy"
)

// plantedBugs are runs of four seconds with each planted bug, recorded, and what
// a reader must be able to take from the top of the page: what broke, where and when.
var plantedBugs = map[string]struct{ broke, where, meanwhile string }{
	"dirty-read":     {"two changes both replaced the same value", "on n", "n2 cut off from n1, n3, n4 and n5"},
	"double-apply":   {"a counter showed a value that no order of the additions explains", "on n4", "n1 and n2 cut off from n3, n4 and n5"},
	"forgotten-vote": {"a read missed something that was acknowledged before it began", "on n", "killed"},
	"lease-clock":    {"operations were answered as if two orders of events were true at once", "n3 answered “read r1 → 83” at", "clock of n3 stands still"},
	"lost-message":   {"something that was acknowledged is gone", "on n", "killed"},
	"lost-write":     {"a read found nothing although a value had been written before", "still answered “read r0 → nothing”", "No fault had been in force"},
	"no-fsync":       {"something that was acknowledged is gone", "on n", "n1, n2, n3, n4 and n5 killed"},
	"stale-read":     {"a read returned a value that had already been replaced", "still answered “read r0 → 1”", "No fault had been in force"},
	"torn-txn":       {"the writes of transactions are interwoven", "on n", "No fault had been in force"},
	"unfenced-lock":  {"a holder that had lost its lock could still act", "on n3 and n5", "n5 cannot send to"},
	"write-skew":     {"transactions that each missed the other’s writes were both accepted", "on n", "No fault had been in force"},
}

func plantedRun(t *testing.T, bug string) (*Dir, Run, fallacy.History) {
	t.Helper()
	d, err := Open(filepath.Join("testdata", "bugs", bug))
	must(t, err)
	run, err := d.LoadRun()
	must(t, err)
	h, damage, err := d.History()
	must(t, err)
	if damage != nil {
		t.Fatal(damage)
	}
	return d, run, h
}

func plantedPage(t *testing.T, bug string) []byte {
	t.Helper()
	d, run, h := plantedRun(t, bug)
	var page bytes.Buffer
	must(t, Report(&page, run, h, d.Logs()))
	return page.Bytes()
}

var (
	top      = regexp.MustCompile(`(?s)<h1>.*?</h1>.*?<p class="act`)
	anyTag   = regexp.MustCompile(`<[^>]*>`)
	tellsNow = regexp.MustCompile(`\d+\.\d{3}\x{00a0}s`)
)

func TestPlantedBugsAreTold(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join("testdata", "bugs"))
	must(t, err)
	if len(entries) != len(plantedBugs) {
		t.Errorf("%d runs for %d bugs", len(entries), len(plantedBugs))
	}
	for bug, want := range plantedBugs {
		t.Run(bug, func(t *testing.T) {
			page := plantedPage(t, bug)
			told := anyTag.ReplaceAllString(string(top.Find(page)), "")
			for _, w := range []string{"Invalid: " + want.broke, want.where, want.meanwhile} {
				if !strings.Contains(told, w) {
					t.Errorf("the top lacks %q:\n%s", w, told)
				}
			}
			if !tellsNow.MatchString(told) {
				t.Errorf("the top does not say when:\n%s", told)
			}
			if len(page) > 300<<10 {
				t.Errorf("the page has %d bytes, want at most 300 KB", len(page))
			}
		})
	}
}

// testPlanted opens the page of each bug and goes to its proof.
func testPlanted(t *testing.T, ctx context.Context) {
	for bug := range plantedBugs {
		t.Run(bug, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), bug+".html")
			must(t, os.WriteFile(path, plantedPage(t, bug), 0o644))
			b := open(t, ctx, "file://"+path, ready)
			defer b.close()
			b.shot("bug-" + bug)
			b.run(chromedp.Click(`#verdict [data-show]`))
			b.until(`pinned >= 0 && R.flag[pinned] === 1 && view.b - view.a <= R.dur && ` + still)
			b.until(`$('loglines').children.length > 0`)
			b.run(chromedp.Click(`[data-logs]`))
			b.until(`$('loglines').querySelector('.mark') !== null && ` + still)
			b.shot("bug-" + bug + "-proof")
		})
	}
}

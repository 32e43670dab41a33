package results

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// someSamples are of a node that ran for so many seconds: its process was killed
// at a third of them, and another took its place at two thirds.
func someSamples(seconds int) []Sample {
	var all []Sample
	for i := range seconds + 1 {
		s := Sample{At: time.Duration(i)*time.Second - 300*time.Millisecond}
		switch {
		case i < seconds/3:
			s = Sample{s.At, 100, time.Duration(i) * 250 * time.Millisecond, 40 << 20, 20 + i, 8, 0, int64(i) << 20}
		case i >= 2*seconds/3:
			again := i - 2*seconds/3
			s = Sample{s.At, 200, time.Duration(again) * 500 * time.Millisecond, 30 << 20, 12, 7, 0, int64(again) << 20}
		}
		all = append(all, s)
	}
	return all
}

func TestSamplesOfARun(t *testing.T) {
	d, err := Create(t.TempDir(), "a/b", someTime)
	must(t, err)
	log, err := d.CreateLog("n/1", "resources.jsonl") // the target's own file of that name
	must(t, err)
	_, err = log.Write([]byte("listening\n"))
	must(t, err)
	must(t, log.Close())
	want := someSamples(12)
	must(t, d.SaveSamples("n/1", want))
	got, err := readSamples(d.Logs(), "n_1/"+samplesFile)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	seen := 0
	must(t, fs.WalkDir(d.Logs(), ".", func(_ string, e fs.DirEntry, err error) error {
		if !e.IsDir() {
			seen++
		}
		return err
	}))
	if seen != 1 {
		t.Errorf("who looks at logs sees %d files, want the target's own alone", seen)
	}
	files := (&logs{end: time.Second}).read(d.nodes())
	if len(files) != 1 || files[0].Name != "resources-2.jsonl" || files[0].Text != "listening\n" {
		t.Errorf("logs: got %+v, want the target's own file alone", files)
	}
	run := Run{Nodes: []string{"n/1", "n2"}, Members: []Member{{Node: "n2", NoSamples: "there is no /proc"}}}
	used := usageOf(run, d.Logs())
	if len(used) != 2 || used[0].trouble != "" || used[1].trouble != "there is no /proc" {
		t.Fatalf("got %+v", used)
	}
	peak := used[0].peak()
	if diff := cmp.Diff(fmt.Sprintf("%+v", peak), "{CPU:0.5 Memory:41943040 Files:23 Threads:8 Read:0 Written:7340032 Starts:2}"); diff != "" {
		t.Error(diff)
	}
}

// A file that somebody cut short says so, and shows what is before.
func TestSamplesCutShort(t *testing.T) {
	var line bytes.Buffer
	fmt.Fprintln(&line, `{"at_ns":1,"pid":2,"cpu_ns":3,"memory_bytes":4,"open_files":-1,"threads":6,"read_bytes":-1,"written_bytes":-1}`)
	from := fstest.MapFS{"n1/" + samplesFile: {Data: append(line.Bytes(), `{"at_ns":10`...)}}
	used := usageOf(Run{Nodes: []string{"n1"}}, from)
	if len(used[0].samples) != 1 || !strings.Contains(used[0].trouble, "line 2 of n1/resources.jsonl") {
		t.Errorf("got %+v", used[0])
	}
	if p := used[0].peak(); p.Written != -1 || p.Files != -1 || size(p.Written) != "not known" || atMost(p.Files) != "not known" {
		t.Errorf("what the system did not tell became %+v", p)
	}
}

func TestThinned(t *testing.T) {
	for _, c := range []struct{ n, most, want int }{{5, 10, 5}, {10, 10, 10}, {11, 10, 6}, {1000, 10, 10}, {0, 10, 0}} {
		if got := len(thinned(make([]Sample, c.n), c.most)); got != c.want {
			t.Errorf("%d thinned to %d: got %d, want %d", c.n, c.most, got, c.want)
		}
	}
}

func TestVersionsOf(t *testing.T) {
	run := Run{Members: []Member{{Node: "n1", Versions: []string{"3.5.0"}}, {Node: "n2", Versions: []string{"3.5.0"}}}}
	if got := versionsOf(run); got != "3.5.0" {
		t.Errorf("all alike: got %q", got)
	}
	run.Members = append(run.Members, Member{Node: "n3", Versions: []string{"3.5.0", "3.6.0"}}, Member{Node: "n4"})
	if got := versionsOf(run); got != "3.5.0 on n1 and n2; 3.5.0, then 3.6.0 on n3" {
		t.Errorf("mixed: got %q", got)
	}
}

// usedRun is busyRun with what is known of its nodes, of which one is known nothing.
func usedRun() (Run, fs.FS) {
	run := busyRun()
	run.Members = nil
	files := fstest.MapFS{}
	for i, n := range run.Nodes {
		run.Members = append(run.Members, Member{Node: n, Versions: []string{"1.2.3"}, Argv: []string{"/bin/store", "--id", n}, Program: "/bin/store", Env: []string{"A=" + hostileText}, Files: map[string]string{"store.conf": hostileText}})
		if i == 4 {
			run.Members[i].NoSamples = "what a process uses is looked up in /proc, which darwin does not have"
			continue
		}
		var text bytes.Buffer
		for _, s := range someSamples(20) {
			fmt.Fprintf(&text, `{"at_ns":%d,"pid":%d,"cpu_ns":%d,"memory_bytes":%d,"open_files":%d,"threads":%d,"read_bytes":-1,"written_bytes":%d}`+"\n", s.At, s.PID, s.CPU, s.Memory, s.Files, s.Threads, s.Written)
		}
		files[n+"/"+samplesFile] = &fstest.MapFile{Data: text.Bytes()}
	}
	return run, files
}

// testNodes looks at the section Nodes: its table, its charts, keys and pointer.
func testNodes(b *tab) {
	b.run(script(`$('usage').scrollIntoView({block: 'center'})`))
	if got := eval[string](b, `document.querySelector('#nodes tbody tr').innerText`); !strings.Contains(got, "1.2.3") || !strings.Contains(got, "0.50") || !strings.Contains(got, "40.0") {
		b.Errorf("the first node reads %q", got)
	}
	if got := eval[string](b, `document.querySelector('#nodes tbody tr:last-child').innerText`); !strings.Contains(got, "darwin does not have") {
		b.Errorf("the node of which nothing is known reads %q", got)
	}
	if got := eval[string](b, `$('usage').innerText`); !strings.Contains(got, "not known") || eval[bool](b, `$('c-urd') !== null`) {
		b.Errorf("what nobody knows is drawn, or not said: %q", got)
	}
	inked := `(s => { const { c, g } = cv.umem, x = Math.round(X(s) * DPR), p = g.getImageData(x, 5 * DPR, 1, (STRIP() - 4) * DPR).data; let n = 0; for (let i = 0; i < p.length; i += 4) if (p[i + 3] > 200) n++; return n; })`
	if at, gap := eval[int](b, inked+`(2.5)`), eval[int](b, inked+`(9.1)`); at == 0 || gap != 0 {
		b.Errorf("ink where the process ran: %d pixels, where none did: %d", at, gap)
	}
	p := eval[[]float64](b, `(() => { const r = $('c-ucpu').getBoundingClientRect(); return [r.left + X(2.5), r.top + 4 + STRIP() / 2]; })()`)
	b.run(chromedp.MouseEvent(chromedp.MouseMoved, p[0], p[1]))
	b.until(`$('tip').style.display === 'block'`)
	if got := eval[string](b, `$('tip').textContent + ' / ' + $('v-umem').textContent`); !strings.Contains(got, "n1: processors 0.25") || !strings.Contains(got, "n1 40.0\u00a0MiB") {
		b.Errorf("the pointer at the chart tells %q", got)
	}
	span := eval[float64](b, `view.b - view.a`)
	b.run(script(`$('usage').focus()`))
	b.run(script(`$('usage').dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowUp', bubbles: true}))`))
	b.until(fmt.Sprintf(`view.b - view.a < %v * .9 && %s`, span, still))
	b.run(chromedp.KeyEvent("0"))
	b.until(fmt.Sprintf(`Math.abs(view.b - view.a - %v) < 1e-6 && %s`, span, still))
	b.shot("nodes")
	b.run(chromedp.KeyEvent("t"))
	b.until(`document.documentElement.dataset.theme === 'dark' && ` + still)
	b.shot("nodes-dark")
}

func saveUsed(t *testing.T) string {
	t.Helper()
	run, files := usedRun()
	h := busyHistory(2700, 20*time.Second)
	var out bytes.Buffer
	run.Ops = Count(h)
	must(t, Report(&out, run, h, files))
	path := filepath.Join(t.TempDir(), "used.html")
	must(t, os.WriteFile(path, out.Bytes(), 0o644))
	return "file://" + path
}

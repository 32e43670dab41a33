package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fallacy-dev/fallacy"
)

var someTime = time.Date(2026, 11, 22, 8, 47, 0, 123_000_000, time.UTC)

func create(t *testing.T, root string) *Dir {
	t.Helper()
	d, err := Create(root, "refstore/register", someTime)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func text(h fallacy.History) []byte {
	var b []byte
	for _, op := range h {
		b = append(op.AppendJSON(b), '\n')
	}
	return b
}

func sameHistory(t *testing.T, got, want fallacy.History) {
	t.Helper()
	a, b := text(want), text(got)
	if bytes.Equal(a, b) {
		return
	}
	if diff := cmp.Diff(string(a), string(b)); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

func TestRecordAndReadBack(t *testing.T) {
	d := create(t, t.TempDir())
	h := storyHistory()
	for len(h) > 0 {
		n := min(7, len(h))
		if err := d.Record(h[:n]); err != nil {
			t.Fatal(err)
		}
		h = h[n:]
	}
	for _, step := range []string{"running", "finished", "finished twice", "opened"} {
		if strings.HasPrefix(step, "finished") {
			if err := d.Finish(); err != nil {
				t.Fatal(step, err)
			}
		}
		if step == "opened" {
			var err error
			if d, err = Open(d.Path()); err != nil {
				t.Fatal(err)
			}
		}
		got, damage, err := d.History()
		if err != nil || damage != nil {
			t.Fatal(step, damage, err)
		}
		sameHistory(t, got, storyHistory())
	}
	if err := d.Record(storyHistory()[:1]); err == nil {
		t.Error("a finished run took another op")
	}
	entries, _ := os.ReadDir(d.Path())
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got, want := fmt.Sprint(names), "[history.jsonl.zst nodes]"; got != want {
		t.Errorf("files: got %s, want %s", got, want)
	}
}

func TestOneWritePerRecord(t *testing.T) {
	d := create(t, t.TempDir())
	f, err := os.Open(filepath.Join(d.Path(), historyFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, op := range storyHistory() {
		if err := d.Record([]fallacy.Op{op}); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(f)
		if want := string(op.AppendJSON(nil)) + "\n"; err != nil || string(got) != want {
			t.Fatalf("after Record returned the file got %q, want %q (%v)", got, want, err)
		}
	}
}

func TestRecordRefusesAfterAnError(t *testing.T) {
	d := create(t, t.TempDir())
	d.journal.Close()
	h := storyHistory()
	first := d.Record(h[:1])
	if first == nil || !errors.Is(d.Record(h[1:2]), first) {
		t.Errorf("got %v and then %v", first, d.Record(h[1:2]))
	}
}

// TestKilledWhileRecording is also the process that is killed.
func TestKilledWhileRecording(t *testing.T) {
	if root := os.Getenv("RESULTS_TEST_ROOT"); root != "" {
		d := create(t, root)
		if err := d.SaveRun(storyRun()); err != nil {
			t.Fatal(err)
		}
		h := registerHistory(2000)
		for i := 0; ; i++ { // until it is killed
			op := h[i%len(h)]
			op.Index = i
			if err := d.Record([]fallacy.Op{op}); err != nil {
				t.Fatal(err)
			}
			if i == 1000 {
				fmt.Println("recorded 1000")
			}
		}
	}
	root := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWhileRecording$")
	cmd.Env = append(os.Environ(), "RESULTS_TEST_ROOT="+root)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	d, err := Open(filepath.Join(root, "latest"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // as it was left, and after it was put in order
		h, damage, err := d.History()
		if err != nil || damage != nil || len(h) < 1000 {
			t.Fatalf("%d ops, damage %v, error %v", len(h), damage, err)
		}
		sameHistory(t, h[:1000], registerHistory(1000))
		if err := d.Finish(); err != nil {
			t.Fatal(err)
		}
	}
	if run, err := d.LoadRun(); err != nil || run.Verdict != fallacy.Unknown || run.Reason != "the run did not finish" {
		t.Errorf("run %v: %q, error %v", run.Verdict, run.Reason, err)
	}
}

func TestCreateConcurrently(t *testing.T) {
	root := t.TempDir()
	var wg sync.WaitGroup
	paths := make([]string, 20)
	for i := range paths {
		wg.Go(func() {
			d, err := Create(root, "refstore/register", someTime)
			if err != nil {
				t.Error(err)
				return
			}
			paths[i] = d.Path()
		})
	}
	wg.Wait()
	seen := make(map[string]bool)
	for _, p := range paths {
		if seen[p] {
			t.Errorf("%s was given away twice", p)
		}
		seen[p] = true
	}
	if want := filepath.Join(root, "refstore-register", "20261122T084700.123Z"); !seen[want] {
		t.Errorf("none of %v is %s", paths, want)
	}
	for _, l := range []string{"latest", "refstore-register/latest"} {
		target, err := os.Readlink(filepath.Join(root, l))
		if err != nil || filepath.IsAbs(target) {
			t.Errorf("%s: points to %q, %v; want a relative path", l, target, err)
		}
		if _, err := Open(filepath.Join(root, l)); err != nil {
			t.Error(err)
		}
	}
	left, _ := filepath.Glob(filepath.Join(root, "*.tmp"))
	if more, _ := filepath.Glob(filepath.Join(root, "*", "*.tmp")); len(left)+len(more) > 0 {
		t.Errorf("left behind: %v %v", left, more)
	}
}

func TestLatestMovesOn(t *testing.T) {
	root := t.TempDir()
	create(t, root)
	d, err := Create(root, "redis/set", someTime.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	latest, err := Open(filepath.Join(root, "latest"))
	if err != nil || filepath.Base(latest.Path()) != filepath.Base(d.Path()) {
		t.Errorf("latest: %v, %v; want %s", latest, err, d.Path())
	}
}

func TestOpenSaysWhyNot(t *testing.T) {
	root := t.TempDir()
	create(t, root)
	file := filepath.Join(root, "file")
	empty := filepath.Join(root, "empty")
	_ = os.WriteFile(file, nil, 0o644)
	_ = os.Mkdir(empty, 0o755)
	for path, want := range map[string]string{
		filepath.Join(root, "nowhere"):           "no such directory",
		file:                                     "it is a file",
		empty:                                    "neither run.json nor a history",
		root:                                     "it holds runs",
		filepath.Join(root, "refstore-register"): "it holds runs",
	} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "latest") {
			t.Errorf("%s: got %v, want %q and the remedy", path, err, want)
		}
	}
}

func TestRunReadsBack(t *testing.T) {
	d := create(t, t.TempDir())
	want := storyRun()
	want.Reason = "the run did not finish"
	if err := d.SaveRun(want); err != nil {
		t.Fatal(err)
	}
	got, err := d.LoadRun()
	if err != nil {
		t.Fatal(err)
	}
	// Details are any JSON, and come back as such.
	for i := range want.Findings {
		want.Findings[i].Details, got.Findings[i].Details = nil, nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("run (-want +got):\n%s", diff)
	}
	_ = os.WriteFile(filepath.Join(d.Path(), runFile), []byte(`{"name":`), 0o644)
	if _, err := d.LoadRun(); err == nil || !strings.Contains(err.Error(), "run.json") {
		t.Errorf("half a run.json: got %v", err)
	}
}

func TestLogNamesStayInside(t *testing.T) {
	d := create(t, t.TempDir())
	for _, c := range [][2]string{
		{"n1", "stdout.log"}, {"n1", "stdout.log"}, {"n1", "../../../etc/passwd"}, {"..", ".."}, {"a/b", `c:\d\e f.log`}, {"", ""}, {"n2", "logs/"},
	} {
		w, err := d.CreateLog(c[0], c[1])
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(w, "%q", c)
		w.Close()
	}
	var names []string
	_ = fs.WalkDir(d.Logs(), ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, path)
		}
		return err
	})
	want := []string{"_/_", "_../_..", "a_b/e_f.log", "n1/passwd", "n1/stdout-2.log", "n1/stdout.log", "n2/_"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
}

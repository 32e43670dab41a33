package results

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// shelfOfRuns makes a directory with two runs, a broken one, and things that
// must not be found. It returns it and what lies beside it.
func shelfOfRuns(t *testing.T) (root, secret string) {
	t.Helper()
	outside := t.TempDir()
	root = filepath.Join(outside, "runs")
	secret = filepath.Join(outside, "secret.txt")
	must(t, os.WriteFile(secret, []byte("secret"), 0o644))
	story := storyRun()
	story.Verdict, story.Findings = fallacy.Invalid, []Finding{storyFinding()}
	for i, run := range []Run{hostileRun(), story} {
		d, err := Create(root, run.Name, someTime.Add(time.Duration(i)*time.Hour))
		must(t, err)
		run.Started = someTime.Add(time.Duration(i) * time.Hour)
		run.Ops = Counts{Invoked: 2817, OK: 2561, Fail: 199, Info: 57}
		must(t, d.Record(storyHistory()))
		must(t, d.SaveRun(run))
		w, err := d.CreateLog("n1", "report.html")
		must(t, err)
		_, err = w.Write([]byte("<script>alert(1)</script>"))
		must(t, err)
		must(t, w.Close())
		must(t, d.Finish())
		must(t, d.WriteReport(run, storyHistory()))
		must(t, os.Symlink(secret, filepath.Join(d.Path(), "absolute.txt")))
		must(t, os.Symlink("../../../secret.txt", filepath.Join(d.Path(), "relative.txt")))
		must(t, os.Symlink("../../..", filepath.Join(d.Path(), "up")))
	}
	broken := filepath.Join(root, "redis-set", "20260101T000000.000Z")
	must(t, os.MkdirAll(broken, 0o755))
	must(t, os.WriteFile(filepath.Join(broken, runFile), []byte("{"), 0o644))
	must(t, os.WriteFile(filepath.Join(root, "redis-set", "20260101T000000.000Z", "page.html"), []byte("<script>alert(1)</script>"), 0o644))
	return root, secret
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL.Path = path // as it is, not cleaned
	h.ServeHTTP(w, r)
	return w
}

const (
	storyPath   = "/refstore-register/20261122T094700.123Z/"
	hostilePath = "/refstore-register/20261122T084700.123Z/"
	plainType   = "text/plain; charset=utf-8"
	htmlType    = "text/html; charset=utf-8"
)

func TestHandlerContentTypes(t *testing.T) {
	root, _ := shelfOfRuns(t)
	h := Handler(root, nil)
	for path, want := range map[string]string{
		"/":                                         htmlType,
		"/api/runs":                                 "application/json",
		storyPath:                                   htmlType,
		storyPath + "report.html":                   htmlType,
		"/latest/report.html":                       htmlType,
		storyPath + "run.json":                      "application/json",
		storyPath + "history.jsonl.zst":             "application/zstd",
		storyPath + "nodes/n1/report.html":          plainType,
		"/latest/nodes/n1/report.html":              plainType,
		storyPath + "nodes/n1/_report.html":         "",
		"/redis-set/20260101T000000.000Z/page.html": plainType,
	} {
		w := get(t, h, path)
		if want == "" {
			if w.Code != http.StatusNotFound {
				t.Errorf("%s: got %d, want 404", path, w.Code)
			}
			continue
		}
		if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != want {
			t.Errorf("%s: got %d %s, want %s", path, w.Code, got, want)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: no nosniff", path)
		}
	}
}

func TestHandlerStaysInside(t *testing.T) {
	root, _ := shelfOfRuns(t)
	h := Handler(root, nil)
	for _, path := range []string{
		"/../secret.txt", "/..", "/../../etc/passwd", "/refstore-register/../../secret.txt", "/%2e%2e/secret.txt", `/..\secret.txt`,
		storyPath + "absolute.txt", storyPath + "relative.txt", storyPath + "up/secret.txt", storyPath + "up", "/nothing", "/refstore-register/nothing/", "/\x00",
	} {
		w := get(t, h, path)
		if strings.Contains(w.Body.String(), "secret\n") || w.Body.String() == "secret" || w.Code == http.StatusOK && path != "/.." {
			t.Errorf("%q: got %d %.80q", path, w.Code, w.Body.String())
		}
		if w.Code == http.StatusNotFound && !strings.Contains(w.Body.String(), "All runs") {
			t.Errorf("%q: the 404 page does not lead back", path)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: got %d, want 405", w.Code)
	}
	if w := get(t, h, strings.TrimSuffix(storyPath, "/")); w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != storyPath {
		t.Errorf("a run without its slash: got %d to %s", w.Code, w.Header().Get("Location"))
	}
}

func TestHandlerLists(t *testing.T) {
	root, _ := shelfOfRuns(t)
	h := Handler(root, nil)
	var runs []Summary
	for range 2 { // read, and remembered
		w := get(t, h, "/api/runs")
		runs = nil
		must(t, json.Unmarshal(w.Body.Bytes(), &runs))
	}
	if len(runs) != 3 {
		t.Fatalf("got %d runs, want 3: %+v", len(runs), runs)
	}
	newest, hostile, broken := runs[0], runs[1], runs[2]
	if newest.Path != strings.Trim(storyPath, "/") || newest.Name != "refstore/register" || newest.Verdict != fallacy.Invalid || newest.Seed != 4242 || !newest.Report || newest.Ops.OK != 2561 {
		t.Errorf("the newest run: %+v", newest)
	}
	if len(hostile.Anomalies) == 0 || broken.Verdict != fallacy.Unknown || !strings.Contains(broken.Reason, "run.json") || broken.Report {
		t.Errorf("hostile %+v, broken %+v", hostile, broken)
	}
	page := get(t, h, "/").Body.String()
	for _, want := range []string{"2\u202f817", "refstore/register", "4242", `href="` + storyPath + `report.html"`, "1 × nonlinearizable", "partition and clock"} {
		if !strings.Contains(page, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
	if strings.Contains(page, "<img") || strings.Contains(page, "alert(1)</script>") {
		t.Error("the list holds markup of a run")
	}
}

func TestHandlerWithoutRuns(t *testing.T) {
	root := filepath.Join(t.TempDir(), "runs")
	h := Handler(root, nil)
	if w := get(t, h, "/"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "no directory of runs yet") {
		t.Errorf("no directory: got %d", w.Code)
	}
	must(t, os.Mkdir(root, 0o755))
	if w := get(t, h, "/"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "There is no run yet") {
		t.Errorf("an empty directory: got %d", w.Code)
	}
	if w := get(t, h, "/api/runs"); strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("an empty directory: got %s", w.Body)
	}
}

package results

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// ask asks h for a path with a query.
func ask(t *testing.T, h http.Handler, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

func TestAPIIsDescribed(t *testing.T) {
	root, _ := shelfOfRuns(t)
	h := Handler(root, nil)
	page := ask(t, h, "/api").Body.String()
	fill := strings.NewReplacer("a=PATH&b=PATH", "a="+storyPath+"&b="+hostilePath, "refstore-register/20261122T084700.123Z", strings.Trim(storyPath, "/"))
	for _, e := range endpoints() {
		if !strings.Contains(page, e.Path) || len(e.Answers) < 20 {
			t.Errorf("%s is not described", e.Path)
		}
		w := ask(t, h, fill.Replace(e.Example()))
		if w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("%s: got %d %.100s", e.Example(), w.Code, w.Body)
		}
		if e.Query == "" || e.Path == "/api/trend" {
			continue
		}
		for _, bad := range []string{"path=..", "path=../secret.txt", "path=refstore-register/../../x", "path=" + storyPath + "up/runs", "path=latest", "", "a=../..&b=/"} {
			w := ask(t, h, e.Path+"?"+bad)
			var said struct{ Error string }
			if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || w.Code != http.StatusNotFound || said.Error == "" {
				t.Errorf("%s?%s: got %d %.100s", e.Path, bad, w.Code, w.Body)
			}
		}
	}
	if w := ask(t, h, "/api/nothing"); w.Code != http.StatusNotFound {
		t.Errorf("/api/nothing: got %d", w.Code)
	}
}

func TestPagesOfServeHoldNoMarkup(t *testing.T) {
	root, _ := shelfOfRuns(t)
	h := Handler(root, nil)
	paths := url.Values{"a": {strings.Trim(storyPath, "/")}, "b": {strings.Trim(hostilePath, "/")}, "path": {strings.Trim(hostilePath, "/")}, "name": {"refstore/register"}}
	for _, page := range []string{"/", "/compare", "/trend", "/live", "/api", "/compare?a=" + url.QueryEscape(hostileText), "/trend?name=" + url.QueryEscape(hostileText)} {
		target := page
		if !strings.Contains(page, "?") {
			target += "?" + paths.Encode()
		}
		w := ask(t, h, target)
		for _, evil := range []string{"<img", "<script>window", "\x1b", "\u202e"} {
			if strings.Contains(w.Body.String(), evil) {
				t.Errorf("%s holds %q", page, evil)
			}
		}
		if w.Code != http.StatusOK && !strings.Contains(page, "?") {
			t.Errorf("%s: got %d", page, w.Code)
		}
		if !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s has no policy", page)
		}
	}
}

func TestCompare(t *testing.T) {
	a, b := storyRun(), storyRun()
	a.Findings, b.Findings = append(generalFindings(t), storyFinding()), generalFindings(t)
	b.Seed, b.Findings[0].Details = 7, map[string]any{"latency": map[string]any{"read": map[string]any{"p50_ns": 4000000}}}
	c := Compare(a, b)
	var differ []string
	for _, p := range c.Parameters {
		if p.Differs() {
			differ = append(differ, p.Name+" "+p.A+" "+p.B)
		}
	}
	if len(differ) != 1 || differ[0] != "seed 4242 7" {
		t.Errorf("parameters that differ: %v", differ)
	}
	if len(c.Anomalies) != 1 || c.Anomalies[0] != (ComparedCount{"nonlinearizable", 1, 0}) {
		t.Errorf("anomalies: %v", c.Anomalies)
	}
	if l := c.Latencies[0]; l.A != 2*time.Millisecond || l.B != 4*time.Millisecond || l.Change() != 2 || c.Latencies[2].Change() != 0 {
		t.Errorf("latencies: %v", c.Latencies)
	}
	last := c.Checkers[len(c.Checkers)-1]
	if last.Name != "linearizable" || last.A != "invalid" || last.B != "" {
		t.Errorf("checkers: %v", c.Checkers)
	}
}

func TestZipHoldsTheRunAndNoMore(t *testing.T) {
	root, _ := shelfOfRuns(t)
	w := ask(t, Handler(root, nil), "/api/zip?path="+storyPath)
	archive, err := zip.NewReader(bytes.NewReader(w.Body.Bytes()), int64(w.Body.Len()))
	must(t, err)
	var names []string
	for _, f := range archive.File {
		names = append(names, strings.TrimPrefix(f.Name, strings.Trim(storyPath, "/")+"/"))
	}
	if got := strings.Join(names, " "); got != "history.jsonl.zst nodes/n1/report.html report.html results.json run.json" {
		t.Errorf("got %s", got)
	}
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="refstore-register-20261122T094700.123Z.zip"` {
		t.Errorf("got %s", got)
	}
}

func TestGuards(t *testing.T) {
	inner := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	token := NewToken()
	if len(token) < 20 || token == NewToken() {
		t.Errorf("the token %q can be guessed", token)
	}
	h := Guarded(inner, token)
	with := func(change func(*http.Request)) *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/api/runs?x=1", nil)
		change(r)
		h.ServeHTTP(w, r)
		return w
	}
	for name, c := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"nothing":       {func(*http.Request) {}, http.StatusUnauthorized},
		"wrong bearer":  {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token[1:]) }, http.StatusUnauthorized},
		"empty bearer":  {func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, http.StatusUnauthorized},
		"bearer":        {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }, http.StatusTeapot},
		"wrong query":   {func(r *http.Request) { r.URL.RawQuery = "token=x" }, http.StatusUnauthorized},
		"query":         {func(r *http.Request) { r.URL.RawQuery = "x=1&token=" + token }, http.StatusSeeOther},
		"wrong cookie":  {func(r *http.Request) { r.AddCookie(&http.Cookie{Name: tokenCookie, Value: "x"}) }, http.StatusUnauthorized},
		"right cookie":  {func(r *http.Request) { r.AddCookie(&http.Cookie{Name: tokenCookie, Value: token}) }, http.StatusTeapot},
		"empty cookie":  {func(r *http.Request) { r.AddCookie(&http.Cookie{Name: tokenCookie}) }, http.StatusUnauthorized},
		"other's slash": {func(r *http.Request) { r.URL.Path = "//evil.example/"; r.URL.RawQuery = "token=" + token }, http.StatusSeeOther},
	} {
		w := with(c.change)
		if w.Code != c.want {
			t.Errorf("%s: got %d, want %d", name, w.Code, c.want)
		}
		if to := w.Header().Get("Location"); strings.Contains(to, token) || strings.HasPrefix(to, "//") {
			t.Errorf("%s: sent on to %s", name, to)
		}
	}
	for host, want := range map[string]int{"127.0.0.1:8080": 418, "localhost": 418, "[::1]:80": 418, "evil.example:8080": 421, "127.0.0.1.evil.example": 421, "": 421} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		Local(inner).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("host %q: got %d, want %d", host, w.Code, want)
		}
	}
}

// liveRun makes a run in progress.
func liveRun(t *testing.T) (root, at string, d *Dir) {
	t.Helper()
	root = t.TempDir()
	d, err := Create(root, "refstore/register", someTime)
	must(t, err)
	must(t, d.SaveRun(storyRun()))
	return root, "refstore-register/" + filepath.Base(d.Path()), d
}

func findAlways(_ *testing.T) Judge {
	return func(_ context.Context, _ Run, h fallacy.History) []Finding {
		if len(h) < 10 {
			return nil
		}
		return []Finding{storyFinding()}
	}
}

func TestLive(t *testing.T) {
	root, at, d := liveRun(t)
	server := httptest.NewServer(Handler(root, findAlways(t)))
	defer server.Close()
	h := storyHistory()
	must(t, d.Record(h[:4]))
	f, err := os.OpenFile(filepath.Join(d.Path(), historyFile), os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	line := append(h[4].AppendJSON(nil), '\n')
	_, err = f.Write(line[:10]) // half a line is not read yet
	must(t, err)
	resp, err := http.Get(server.URL + "/api/live?path=" + at)
	must(t, err)
	defer resp.Body.Close()
	events := bufio.NewScanner(resp.Body)
	next := func(name string, v any) {
		t.Helper()
		for events.Scan() {
			if events.Text() == "event: "+name {
				events.Scan()
				must(t, json.Unmarshal([]byte(strings.TrimPrefix(events.Text(), "data: ")), v))
				return
			}
		}
		t.Fatalf("no %s came: %v", name, events.Err())
	}
	var p Progress
	next("progress", &p)
	if p.Ops.Invoked != 1 || p.Ops.OK != 1 || len(p.Faults) != 1 || p.Faults[0].What != "n1 cut off from n2 and n3" || p.Faults[0].Since != 10*time.Millisecond {
		t.Errorf("after four ops: %+v", p)
	}
	_, err = f.Write(line[10:])
	must(t, err)
	must(t, f.Close())
	must(t, d.Record(h[5:]))
	var found []LiveAnomaly
	for len(found) == 0 {
		next("found", &found)
	}
	if found[0].Name != "nonlinearizable" || found[0].Meaning == "" {
		t.Errorf("found %+v", found)
	}
	run := storyRun()
	run.Verdict = fallacy.Invalid
	must(t, d.SaveRun(run))
	must(t, d.Finish())
	var over Summary
	next("done", &over)
	if over.Verdict != fallacy.Invalid {
		t.Errorf("over: %+v", over)
	}
}

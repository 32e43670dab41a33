package external

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy"
)

const least = "node:\n  argv: [sys]\nclient:\n  argv: [cat]\n"

func TestVersion(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/version" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintln(w, "sys\n4.5.6")
	}))
	defer server.Close()
	n := fallacy.Node{Name: "n1", Public: map[string]string{"client": strings.TrimPrefix(server.URL, "http://")}}
	for more, want := range map[string]string{
		`version: {http: "http://{{.Public.client}}/version"}`:                        "4.5.6",
		`version: {command: [sh, -c, "echo built yesterday; echo {{.Node}} is 7.8"]}`: "n1 is 7.8",
		`version: {http: "http://{{.Public.client}}/elsewhere"}`:                      "error: 404",
		`version: {command: ["true"]}`:                                                "error: the answer is empty",
		``:                                                                            "error: does not say how to ask a node: set version",
	} {
		f, err := described(t, least+more)
		if err != nil {
			t.Fatal(err)
		}
		made, err := f.Kind().New(fallacy.TargetOptions{Nodes: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := made.Process(n, []fallacy.Node{n}); err != nil {
			t.Fatal(err)
		}
		got, err := made.(fallacy.Versions).Version(t.Context(), n)
		if complaint, ok := strings.CutPrefix(want, "error: "); ok {
			if err == nil || !strings.Contains(err.Error(), complaint) {
				t.Errorf("%s: got %q, %v, want %s", more, got, err, complaint)
			}
		} else if got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", more, got, err, want)
		}
	}
	for more, want := range map[string]string{
		"version: {tcp: client}":                    "mine.yaml:5:16: a connection says nothing of a version",
		`version: {command: [a], http: "http://x"}`: "keep one of",
		`version: {http: "http://{{.Nowhere}}"}`:    "mine.yaml:5:",
	} {
		if _, err := described(t, least+more); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", more, err, want)
		}
	}
}

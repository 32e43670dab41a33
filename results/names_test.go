package results

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var anomalyNames = regexp.MustCompile(`found\.add\("([^"]+)"|inKey\("([^"]+)"|report\("([^"]+)"|^\t\{"(G[^"]+)"`)

// TestEveryAnomalyHasAMeaning reads the checkers' code for what they may find.
func TestEveryAnomalyHasAMeaning(t *testing.T) {
	found := 0
	for _, pattern := range []string{"../checkers/*.go", "../checkers/txn/*.go", "../checkers/linearizable/*.go"} {
		files, err := filepath.Glob(pattern)
		must(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			must(t, err)
			for line := range strings.Lines(string(text)) {
				for _, m := range anomalyNames.FindAllStringSubmatch(line, -1) {
					name := m[1] + m[2] + m[3] + m[4]
					found++
					if _, known := termOf(name); !known {
						t.Errorf("%s: the page has no plain words for %q: add it to terms", file, name)
					}
				}
			}
		}
	}
	if found < 60 {
		t.Errorf("found %d names only: the test looks in the wrong place", found)
	}
}

func TestTermOfSuffixes(t *testing.T) {
	for name, want := range map[string]string{
		"G2-item":                "each transaction read what the next",
		"G-single-item-realtime": "strict, or strong",
		"G1c-process":            "session models",
		"lost update":            "both wrote it",
	} {
		if got, known := termOf(name); !known || !strings.Contains(got.definition, want) {
			t.Errorf("%s: %v, %q lacks %q", name, known, got.definition, want)
		}
	}
	if _, known := termOf("G9"); known {
		t.Error("G9 is known")
	}
}

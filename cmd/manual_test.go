package cmd

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy/results"
)

var update = flag.Bool("update", false, "write docs/catalogue.md anew")

const cataloguePath = "../docs/catalogue.md"

// TestCatalogueIsFresh holds docs/catalogue.md to the manual pages that it is made of.
func TestCatalogueIsFresh(t *testing.T) {
	want := manual(Builtin())
	if *update {
		if err := os.WriteFile(cataloguePath, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(cataloguePath)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale: make it anew with\n\n\tgo test ./cmd -run Catalogue -update", cataloguePath)
	}
}

// manual is the catalogue as a page.
func manual(c Catalogue) string {
	var b strings.Builder
	b.WriteString("# Catalogue\n\nMade from the manual pages by `go test ./cmd -run Catalogue -update`; `fallacy list` shows the same.\n")
	for _, s := range c.sections() {
		fmt.Fprintf(&b, "\n## %s%s\n", strings.ToUpper(s.name[:1]), s.name[1:])
		for _, e := range s.entries {
			title, page, _ := strings.Cut(e.doc, "\n")
			fmt.Fprintf(&b, "\n### %s\n\n%s.\n", e.name, title)
			if page = strings.TrimSpace(page); page != "" {
				fmt.Fprintf(&b, "\n%s\n", asMarkdown(page))
			}
		}
	}
	b.WriteString("\n## Anomalies\n\nA name may be followed by `-process` or `-realtime`: the cycle then also uses the order of a process, or of real time.\n\n")
	b.WriteString("| name | in plain words | what exactly | source |\n|---|---|---|---|\n")
	for _, term := range results.Terms() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", term.Name, term.Meaning, term.Definition, term.Source)
	}
	return b.String()
}

// asMarkdown keeps indented lines, which are tables and commands, as they are.
func asMarkdown(page string) string {
	var b strings.Builder
	code := false
	for _, line := range strings.Split(page, "\n") {
		if indented := strings.HasPrefix(line, "  "); indented != code && line != "" {
			b.WriteString("```\n")
			if code = indented; !code {
				b.WriteString("\n")
			}
		}
		b.WriteString(line + "\n")
	}
	if code {
		b.WriteString("```\n")
	}
	return strings.TrimSpace(b.String())
}

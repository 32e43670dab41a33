package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy/internal/require"
)

// TestDocsAreTrue runs every command of the pages that promise it, in order, each
// page in an empty directory with fallacy in PATH and nothing else of this
// repository; "# exits 1" behind a command says what it comes to.
func TestDocsAreTrue(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two minutes: leave out -short to run every command of the tutorial")
	}
	t.Parallel()
	for page, least := range map[string]int{"tutorial.md": 7, "your-system.md": 5, "your-image.md": 7} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			if page != "tutorial.md" {
				require.Program(t, "python3", "python3")
			}
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			bin, dir := t.TempDir(), t.TempDir()
			if page == "your-image.md" {
				require.Docker(t)
				build := exec.Command("go", "build", "-o", filepath.Join(bin, "fallacy"), "../cmd/fallacy")
				build.Env = append(os.Environ(), "CGO_ENABLED=0")
				if out, err := build.CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			} else if err := os.Symlink(self(t), filepath.Join(bin, "fallacy")); err != nil {
				t.Fatal(err)
			}
			all := steps(string(text))
			if len(all) < least {
				t.Fatalf("%d commands were found: the page has no ```sh any more?", len(all))
			}
			for _, s := range all {
				sh := exec.Command("sh", "-c", s.command)
				sh.Dir, sh.Env = dir, append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
				out, _ := sh.CombinedOutput()
				if got := sh.ProcessState.ExitCode(); got != s.exits {
					t.Fatalf("%s: exit code %d, want %d\n%s", s.command, got, s.exits, out)
				}
			}
		})
	}
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// step is a command of a page, a document that it is given included.
type step struct {
	command string
	exits   int
}

// steps are the commands of all blocks marked sh.
func steps(markdown string) (all []step) {
	inside, until := false, ""
	for line := range strings.Lines(markdown) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case until != "":
			all[len(all)-1].command += "\n" + line
			if line == until {
				until = ""
			}
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh"
		case inside && line != "":
			command, note, _ := strings.Cut(line, "# exits ")
			exits, _ := strconv.Atoi(note)
			all = append(all, step{strings.TrimSpace(command), exits})
			if _, mark, ok := strings.Cut(line, "<<'"); ok {
				until = strings.TrimSuffix(mark, "'")
			}
		}
	}
	return all
}

// TestPagesShowTheExamples holds what your-system.md shows to what examples/kv has.
func TestPagesShowTheExamples(t *testing.T) {
	page, err := os.ReadFile("your-system.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"kv.py", "client.py", "kv.yaml"} {
		text, err := os.ReadFile(filepath.Join("../examples/kv", name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "cat > "+name+" <<'EOF'\n"+string(text)+"EOF\n") {
			t.Errorf("docs/your-system.md shows another %s than examples/kv has: copy the file into the page", name)
		}
	}
}

// TestLinksOfThePages looks whether what the pages refer to is there.
func TestLinksOfThePages(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil || len(pages) < 8 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(text), "](")[1:] {
			link, _, _ := strings.Cut(part, ")")
			file, _, _ := strings.Cut(link, "#")
			if file == "" || strings.Contains(file, "://") || strings.ContainsAny(file, " \n`") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), file)); err != nil {
				t.Errorf("%s refers to %s: %v", page, link, err)
			}
		}
	}
}

// TestSuiteOfThePage lists the suite that docs/ci.md shows.
func TestSuiteOfThePage(t *testing.T) {
	page, err := os.ReadFile("ci.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "suite.yaml"), []byte(text), 0o644); err != nil || !found {
		t.Fatal(found, err)
	}
	if err := os.CopyFS(dir, os.DirFS("../examples/kv")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self(t), filepath.Join(dir, "fallacy")); err != nil {
		t.Fatal(err)
	}
	list := exec.Command(filepath.Join(dir, "fallacy"), "suite", "suite.yaml", "--list")
	list.Dir = dir
	out, err := list.CombinedOutput()
	if err != nil || strings.Count(string(out), "kv") < 2 || !strings.Contains(string(out), "stale-read") {
		t.Errorf("%v\n%s", err, out)
	}
}

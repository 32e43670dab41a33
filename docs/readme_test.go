package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestReadmeIsTrue runs every command of the README, in order, in one
// directory; "# exits 1" behind a command says what it comes to.
func TestReadmeIsTrue(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two minutes: leave out -short to run every command of the README")
	}
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(os.Args[0], filepath.Join(dir, "fallacy")); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, line := range commands(string(readme)) {
		line, note, _ := strings.Cut(line, "# ")
		want := 0
		if code, ok := strings.CutPrefix(note, "exits "); ok {
			if want, err = strconv.Atoi(code); err != nil {
				t.Fatal(line, err)
			}
		}
		switch {
		case strings.HasPrefix(line, "go run ./cmd/fallacy "):
			line = strings.Replace(line, "go run ./cmd/fallacy", "./fallacy", 1)
		case strings.HasPrefix(line, "go "):
			continue // the tests themselves, and the build of what runs here
		}
		ran++
		sh := exec.Command("sh", "-c", line)
		sh.Dir = dir
		out, _ := sh.CombinedOutput()
		if got := sh.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: exit code %d, want %d\n%s", line, got, want, out)
		}
	}
	if ran < 10 {
		t.Errorf("%d commands were found: the README has no ```sh any more?", ran)
	}
}

// commands are the lines of all blocks marked sh.
func commands(markdown string) (lines []string) {
	inside := false
	for line := range strings.Lines(markdown) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh"
		case inside && line != "":
			lines = append(lines, line)
		}
	}
	return lines
}

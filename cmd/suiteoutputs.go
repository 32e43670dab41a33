package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/fallacy-dev/fallacy/suite"
	"github.com/spf13/pflag"
)

// suiteOutputs are files to write besides those in the suite's directory.
type suiteOutputs struct {
	junit, markdown, gitlab string
	github                  bool
}

func (o *suiteOutputs) flags(f *pflag.FlagSet) {
	f.StringVar(&o.junit, "junit", "", "file to write the outcomes to as JUnit XML")
	f.StringVar(&o.markdown, "markdown", "", "file to write a summary to in Markdown")
	f.StringVar(&o.gitlab, "gitlab", "", "file to write a GitLab code quality report to")
	f.BoolVar(&o.github, "github", os.Getenv("GITHUB_ACTIONS") == "true", "print annotations for GitHub Actions, and add to its step summary")
}

// write writes all of them, and tells people.
func (o *suiteOutputs) write(s suite.Summary, file string, dir *suite.Dir, stdout io.Writer) error {
	errs := []error{dir.Finish(s)}
	to := func(path string, write func(io.Writer) error) {
		var text bytes.Buffer
		if path != "" {
			errs = append(errs, write(&text), os.WriteFile(path, text.Bytes(), 0o644))
		}
	}
	to(o.junit, s.WriteJUnit)
	to(o.markdown, s.WriteMarkdown)
	to(o.gitlab, func(w io.Writer) error { return s.WriteGitLab(w, file) })
	if o.github {
		errs = append(errs, s.WriteGitHub(stdout, file), appendTo(os.Getenv("GITHUB_STEP_SUMMARY"), s.WriteMarkdown))
	}
	for _, outcome := range s.Outcomes {
		if outcome.Status() != suite.AsExpected {
			outcome.Dir = filepath.Join(dir.Path(), outcome.Dir)
			fmt.Fprintln(stdout, outcome.Line())
		}
	}
	for _, c := range s.Changes {
		fmt.Fprintln(stdout, c)
	}
	fmt.Fprintf(stdout, "%s: %s\n%s\n", s.Name, s.Sentence(), filepath.Join(dir.Path(), "index.html"))
	return errors.Join(errs...)
}

// appendTo adds to a file that others write to as well; no path, no file.
func appendTo(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

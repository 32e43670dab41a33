package suite

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/jstemmer/go-junit-report/v2/junit"
)

// WriteJUnit writes the outcomes as JUnit's XML: what is not as expected is a
// failure, what is unknown, could not be run or was left undone an error.
func (s Summary) WriteJUnit(w io.Writer) error {
	suite := junit.Testsuite{Name: printable(s.Name), Time: fmt.Sprintf("%.3f", s.Took.Seconds())}
	for _, o := range s.Outcomes {
		test := junit.Testcase{Name: printable(o.ID()), Classname: printable(o.Name), Time: fmt.Sprintf("%.3f", o.Took.Seconds())}
		result := &junit.Result{Message: printable(o.Why()), Type: string(o.Status()), Data: printable(again(o))}
		switch o.Status() {
		case Unexpected:
			test.Failure = result
		case NotKnown, NotRun:
			test.Error = result
		}
		suite.AddTestcase(test)
	}
	if n := s.Planned - len(s.Outcomes); n > 0 {
		why := fmt.Sprintf("%d of %d tests were left undone: %s", n, s.Planned, s.Ended)
		suite.AddTestcase(junit.Testcase{Name: "left undone", Classname: printable(s.Name), Error: &junit.Result{Message: printable(why), Type: "unknown"}})
	}
	all := junit.Testsuites{Name: suite.Name, Time: suite.Time}
	all.AddSuite(suite)
	if _, err := io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"); err != nil {
		return err
	}
	return all.WriteXML(w)
}

// again is how to run a test by itself, and where its report is.
func again(o Outcome) string {
	text := "fallacy run " + strings.Join(o.Args(), " ") + "\n"
	if o.Dir != "" {
		text += o.Dir + "/report.html\n"
	}
	return text
}

// printable is text without what XML and terminals cannot bear.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\n' {
			return r
		}
		return unicode.ReplacementChar
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

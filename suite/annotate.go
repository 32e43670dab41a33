package suite

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// gitHubEscapes are what a workflow command's message needs; a property needs
// two more.
var (
	gitHubEscapes  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	gitHubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// WriteGitHub writes a workflow command of GitHub Actions for each test that is
// not as expected, which then stands beside the suite's file in a pull request.
func (s Summary) WriteGitHub(w io.Writer, file string) error {
	for _, o := range s.Outcomes {
		if o.Status() == AsExpected {
			continue
		}
		_, err := fmt.Fprintf(w, "::error file=%s,title=%s::%s\n", gitHubProperty.Replace(file),
			gitHubProperty.Replace(printable("fallacy: "+o.ID())), gitHubEscapes.Replace(printable(fmt.Sprintf("%s: %s", o.Status(), short(o.Why())))))
		if err != nil {
			return err
		}
	}
	return nil
}

// WriteGitLab writes what is not as expected as a code quality report, which
// GitLab shows in a merge request.
func (s Summary) WriteGitLab(w io.Writer, file string) error {
	type lines struct {
		Begin int `json:"begin"`
	}
	type location struct {
		Path  string `json:"path"`
		Lines lines  `json:"lines"`
	}
	type issue struct {
		Description string   `json:"description"`
		Check       string   `json:"check_name"`
		Fingerprint string   `json:"fingerprint"`
		Severity    string   `json:"severity"`
		Location    location `json:"location"`
	}
	severity := map[Status]string{NotKnown: "minor", NotRun: "minor", Unexpected: "major"}
	issues := []issue{}
	for _, o := range s.Outcomes {
		if o.Status() == AsExpected {
			continue
		}
		digest := sha256.Sum256([]byte(string(o.Status()) + o.ID()))
		issues = append(issues, issue{
			Description: printable(o.ID() + ": " + short(o.Why())), Check: "fallacy", Fingerprint: hex.EncodeToString(digest[:16]),
			Severity: severity[o.Status()], Location: location{file, lines{1}},
		})
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(issues)
}

package suite

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes a summary for a pull request: what is not as expected
// first. What comes from runs stays text there.
func (s Summary) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s %s: %s\n\n", marks[s.Worst()], inMarkdown(s.Name), inMarkdown(s.Sentence()))
	if s.Count(AsExpected) < len(s.Outcomes) {
		b.WriteString("| test | expected | came to | |\n|---|---|---|---|\n")
		for _, o := range s.Outcomes {
			if o.Status() != AsExpected {
				fmt.Fprintf(&b, "| %s | %s | %s %s | %s |\n", inMarkdown(o.ID()), o.Expect, marks[o.Status()], came(o), inMarkdown(short(o.Why())))
			}
		}
		b.WriteString("\n")
	}
	for _, c := range s.Changes {
		fmt.Fprintf(&b, "- %s\n", inMarkdown(c.String()))
	}
	if len(s.Changes) > 0 {
		b.WriteString("\n")
	}
	b.WriteString("<details><summary>All tests</summary>\n\n| test | expected | invalid | unknown | not run |\n|---|---|---|---:|---:|\n")
	for _, g := range s.Groups {
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %d |\n", inMarkdown(g.Group), g.Expect, g.Invalid, g.Unknown, g.NotRun)
	}
	b.WriteString("\n</details>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// marks are what statuses look like.
var marks = map[Status]string{AsExpected: "✔", NotKnown: "?", NotRun: "!", Unexpected: "✘"}

// came is what an outcome came to, in a word or two.
func came(o Outcome) string {
	if o.Trouble != "" {
		return string(NotRun)
	}
	return o.Verdict.String()
}

// shortMax is how much of a reason is told where there is little room.
const shortMax = 300

func short(text string) string {
	if runes := []rune(text); len(runes) > shortMax {
		return string(runes[:shortMax]) + "…"
	}
	return text
}

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "|", `\|`, "#", `\#`,
	"~", `\~`, "$", `\$`, "://", `\://`, "www.", `www\.`, "@", "@\u200b", "\n", " ")

func inMarkdown(text string) string { return markdownEscapes.Replace(printable(text)) }

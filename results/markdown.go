package results

import (
	"bufio"
	"fmt"
	"html"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

// writeMarkdown writes the findings as a comment on a pull request. What comes
// from the run stays text there: it neither formats, nor links, nor calls anybody.
func writeMarkdown(w *bufio.Writer, run Run, _ fallacy.History) error {
	word, _, mark := verdictWords(run.Verdict)
	fmt.Fprintf(w, "### %s %s: %s\n\n", mark, word, inMarkdown(run.Name))
	if run.Promise != "" {
		fmt.Fprintf(w, "%s. ", strings.TrimSuffix(inMarkdown(sentence(run.Promise)), "."))
	}
	fmt.Fprintf(w, "%d operations: %d ok, %d fail, %d info. Seed %d.\n\n", run.Ops.Invoked, run.Ops.OK, run.Ops.Fail, run.Ops.Info, run.Seed)
	if run.Reason != "" && run.Verdict != fallacy.Valid {
		fmt.Fprintf(w, "%s\n\n", inMarkdown(sentence(shorten(run.Reason, 2000))))
	}
	writeTable(w, run.Findings)
	for _, f := range run.Findings {
		writeAnomalies(w, f)
	}
	if len(run.Command) > 0 {
		fmt.Fprintf(w, "\nRun it again: %s\n", codeSpan(quoted(run.Command)))
	}
	return nil // w keeps its first error for Flush
}

func writeTable(w *bufio.Writer, findings []Finding) {
	if len(findings) > 0 {
		fmt.Fprint(w, "| checker | verdict | examined | found |\n|---|---|---:|---|\n")
	}
	for _, f := range findings {
		found := strings.Join(names(f.Anomalies), ", ")
		if found == "" {
			found = shorten(f.Reason, 300)
		}
		_, _, mark := verdictWords(f.Verdict)
		fmt.Fprintf(w, "| %s | %s %s | %d | %s |\n", inMarkdown(f.Checker), mark, f.Verdict, f.Examined, inMarkdown(found))
	}
}

// writeAnomalies writes what a checker found behind its name, to be unfolded.
func writeAnomalies(w *bufio.Writer, f Finding) {
	if len(f.Anomalies) == 0 {
		return
	}
	fmt.Fprintf(w, "\n<details><summary>%s</summary>\n\n", inHTML(f.Checker))
	for i, a := range varied(f.Anomalies) {
		if i == exportedMax {
			fmt.Fprintf(w, "\nAnd %d more.\n", len(f.Anomalies)-i)
			break
		}
		fmt.Fprintf(w, "- **%s**: %s (ops %s)\n", inMarkdown(a.Name), inMarkdown(shorten(a.Why, 1000)), opsOf(a))
	}
	fmt.Fprint(w, "\n</details>\n")
}

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "|", `\|`, "#", `\#`,
	"~", `\~`, "!", `\!`, "$", `\$`, "://", `\://`, "www.", `www\.`, "@", "@\u200b", "\n", " ", "\r", " ")

// inMarkdown escapes text for a line of Markdown.
func inMarkdown(text string) string {
	return markdownEscapes.Replace(strings.Map(printableRune, text))
}

// inHTML escapes text for the one place that is no Markdown.
func inHTML(text string) string {
	return strings.ReplaceAll(html.EscapeString(strings.Map(printableRune, strings.ReplaceAll(text, "\n", " "))), "@", "@\u200b")
}

// codeSpan puts text between more backticks than it has in a row.
func codeSpan(text string) string {
	text = strings.Map(printableRune, strings.ReplaceAll(text, "\n", " "))
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		text = " " + text + " "
	}
	return fence + text + fence
}

package results

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/fallacy-dev/fallacy"
)

// Format is a form that a run, or a history alone, can be exported in.
type Format struct {
	Name     string // "edn"
	Title    string // what it is
	Findings bool   // it is of a run's findings; else of its history
	write    func(w *bufio.Writer, run Run, h fallacy.History) error
}

// Formats returns all formats.
func Formats() []Format {
	return []Format{
		{"jsonl", "the history, a JSON object a line", false, writeLines},
		{"edn", "the history as Jepsen has it", false, writeEDN},
		{"csv", "the history as a table; values are JSON", false, writeCSV},
		{"parquet", "the history as a table for DuckDB, pandas and the like", false, writeParquet},
		{"junit", "the findings as JUnit XML, a test a checker", true, writeJUnit},
		{"sarif", "the findings as SARIF 2.1.0, for code hosts", true, writeSARIF},
		{"markdown", "the findings for a pull request", true, writeMarkdown},
	}
}

// Export writes a run in the format of that name. Of a history that belongs to
// no run, the run is the zero Run, and there are no findings to be exported.
func Export(w io.Writer, format string, run Run, h fallacy.History) error {
	for _, f := range Formats() {
		if f.Name != format {
			continue
		}
		if f.Findings && run.Name == "" {
			return fmt.Errorf("export as %s: %w", format, errors.New("a history alone has no findings: name the directory of a run"))
		}
		out := bufio.NewWriterSize(w, 1<<16)
		err := f.write(out, run, h)
		if err == nil {
			err = out.Flush()
		}
		if err != nil {
			return fmt.Errorf("export as %s: %w", format, err)
		}
		return nil
	}
	return fmt.Errorf("export as %q: there is no such format", format)
}

func writeLines(w *bufio.Writer, _ Run, h fallacy.History) error {
	var line []byte
	for _, op := range h {
		line = append(op.AppendJSON(line[:0]), '\n')
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

func writeCSV(w *bufio.Writer, _ Run, h fallacy.History) error {
	table := csv.NewWriter(w)
	_ = table.Write([]string{"index", "time_ns", "process", "type", "f", "value", "error", "node"}) // Error tells
	for _, op := range h {
		process := strconv.Itoa(op.Process)
		if !op.IsClient() {
			process = "nemesis"
			if op.Nemesis != "" {
				process += "/" + op.Nemesis
			}
		}
		_ = table.Write([]string{strconv.Itoa(op.Index), strconv.FormatInt(int64(op.Time), 10), process, op.Type.String(), op.F, op.Value.String(), op.Error, op.Node})
	}
	table.Flush()
	return table.Error()
}

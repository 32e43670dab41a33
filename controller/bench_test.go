package controller

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// BenchmarkThroughput is the controller with a client that does nothing, 100
// workers, and a journal that writes JSON lines to a file before ops go out.
func BenchmarkThroughput(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "history.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	var line []byte
	record := func(ops []fallacy.Op) error {
		for _, op := range ops {
			line = append(op.AppendJSON(line[:0]), '\n')
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		return w.Flush()
	}
	test := testOf(100, reads{limit: b.N})
	test.Time, test.OpTimeout, test.Rate, test.Recovery = time.Hour, 5*time.Second, 0, 0
	b.ResetTimer()
	if err := Run(b.Context(), test, clusterOf(&world{}, 5), Options{Record: record}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

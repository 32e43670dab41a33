package results

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// registerHistory returns n ops of a register workload, as a run records them.
func registerHistory(n int) fallacy.History {
	h := make(fallacy.History, 0, n)
	for i := 0; len(h)+2 <= n; i++ {
		process := i % 10
		f, arg, seen := "read", fallacy.Nil(), fallacy.Int(i/3)
		if i%2 == 0 {
			f, arg, seen = "write", fallacy.Int(i), fallacy.Int(i)
		}
		key := fallacy.String(fmt.Sprint("k", i%8))
		at := time.Duration(i) * 137_911
		node := fmt.Sprint("n", 1+process%5)
		h = append(h,
			fallacy.Op{Index: len(h), Time: at, Process: process, Type: fallacy.Invoke, F: f, Value: fallacy.Tuple(key, arg), Node: node},
			fallacy.Op{Index: len(h) + 1, Time: at + 98_765 + time.Duration(i*7919%50000), Process: process, Type: fallacy.OK, F: f, Value: fallacy.Tuple(key, seen), Node: node})
	}
	return h
}

func perOp(b *testing.B, ops int) {
	b.ReportMetric(float64(ops)*float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

func BenchmarkRecord(b *testing.B) {
	const batch = 64
	h := registerHistory(batch * 100)
	d, err := Create(b.TempDir(), "refstore/register", time.Now())
	if err != nil {
		b.Fatal(err)
	}
	at := 0
	for b.Loop() {
		if err := d.Record(h[at : at+batch]); err != nil {
			b.Fatal(err)
		}
		at = (at + batch) % len(h)
	}
	perOp(b, batch)
}

func BenchmarkFinish(b *testing.B) {
	const n = 200_000
	h := registerHistory(n)
	root := b.TempDir()
	for b.Loop() {
		b.StopTimer()
		d, err := Create(root, "refstore/register", time.Now())
		if err == nil {
			err = d.Record(h)
		}
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := d.Finish(); err != nil {
			b.Fatal(err)
		}
	}
	perOp(b, n)
}

func BenchmarkReadHistory(b *testing.B) {
	const n = 200_000
	var plain, packed bytes.Buffer
	for _, op := range registerHistory(n) {
		plain.Write(append(op.AppendJSON(nil), '\n'))
	}
	if err := pack(&packed, bytes.NewReader(plain.Bytes())); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		text []byte
	}{{"plain", plain.Bytes()}, {"zstd", packed.Bytes()}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				h, damage, err := ReadHistory(bytes.NewReader(c.text))
				if err != nil || damage != nil || len(h) != n {
					b.Fatal(len(h), damage, err)
				}
			}
			perOp(b, n)
			b.ReportMetric(float64(len(c.text))/n, "bytes/op")
		})
	}
}

func BenchmarkLogs(b *testing.B) {
	const n = 100_000
	var text bytes.Buffer
	for i := range n {
		fmt.Fprintf(&text, "%s info 1 [logterm: 2, index: %d, vote: 0] goes on as it did before\n", stampAt(time.Duration(i)*time.Millisecond/8), i)
	}
	files := fstest.MapFS{"n1/output.log": {Data: text.Bytes()}}
	for b.Loop() {
		l := &logs{epoch: someTime, end: 20 * time.Second}
		l.read(files)
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// cpuTime is the time of processors that this process has taken so far: other
// than the time that passes, it is the same on a busy machine.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkLoadTenMillion is to take less than 12 s.
func BenchmarkLoadTenMillion(b *testing.B) {
	if testing.Short() {
		b.Skip("takes a minute and some gigabytes: leave out -short to see how long ten million ops take to load")
	}
	const n, part = 10_000_000, 200_000
	d, err := Create(b.TempDir(), "refstore/register", time.Now())
	if err != nil {
		b.Fatal(err)
	}
	h := registerHistory(part)
	for i := 0; i < n; i += part {
		for k := range h {
			h[k].Index, h[k].Time = i+k, h[k].Time+part*137_911/2
		}
		if err := d.Record(h); err != nil {
			b.Fatal(err)
		}
	}
	if err := d.Finish(); err != nil {
		b.Fatal(err)
	}
	before := cpuTime(b)
	for b.Loop() {
		h, damage, err := d.History()
		if err != nil || damage != nil || len(h) != n {
			b.Fatal(len(h), damage, err)
		}
	}
	b.ReportMetric((cpuTime(b)-before).Seconds()/float64(b.N), "cpu-s/op")
	perOp(b, n)
}

// BenchmarkReportMillion is the page of a run of a million operations. It is to
// take less than 3 s and 15 MB.
func BenchmarkReportMillion(b *testing.B) {
	h := busyHistory(1_150_000, 1000*time.Second)
	run := judged(busyRun(), h)
	var size int
	b.ReportAllocs()
	for b.Loop() {
		var out bytes.Buffer
		if err := Report(&out, run, h, nil); err != nil {
			b.Fatal(err)
		}
		size = out.Len()
	}
	perOp(b, len(h))
	b.ReportMetric(float64(size)/1e6, "MB")
}

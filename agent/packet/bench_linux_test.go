package packet

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"golang.org/x/net/ipv4"
)

// BenchmarkDelay measures how many packets a second pass a link with a delay of 10 ms.
func BenchmarkDelay(b *testing.B) {
	for _, c := range []struct {
		name string
		link fallacy.Link
	}{
		{"10ms", fallacy.Link{Delay: 10 * time.Millisecond}},
		{"10ms and 1 % loss", fallacy.Link{Delay: 10 * time.Millisecond, Loss: 0.01}},
		{"none", fallacy.Link{}},
	} {
		b.Run("packets, "+c.name, func(b *testing.B) { packets(b, c.link) })
		b.Run("stream, "+c.name, func(b *testing.B) { stream(b, c.link) })
	}
}

// packets sends datagrams of 100 bytes, no more at once than fit into what is on
// its way, and counts those that arrive.
func packets(b *testing.B, link fallacy.Link) {
	const bulk, window = 64, 16_384
	w := newWire(b)
	from, to := w.a.socket(b, w.a.four, 0), w.b.socket(b, w.b.four, probePort)
	f := w.b.filter(b, config(w.b.four, w.a.four))
	w.b.set(b, f, State{In: map[string]fallacy.Link{"a": link}})
	messages := func() []ipv4.Message {
		all := make([]ipv4.Message, bulk)
		for i := range all {
			all[i].Buffers = [][]byte{make([]byte, 100)}
			all[i].Addr = to.LocalAddr()
		}
		return all
	}
	var got atomic.Int64
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for in, all := ipv4.NewPacketConn(to), messages(); ; {
			n, err := in.ReadBatch(all, 0)
			if err != nil {
				return
			}
			got.Add(int64(n))
		}
	}()
	out, all := ipv4.NewPacketConn(from), messages()
	sent, lost := int64(0), int64(0)
	b.ResetTimer()
	for sent < int64(b.N) {
		for waited := time.Now(); sent-got.Load()-lost > window; <-time.After(100 * time.Microsecond) {
			if time.Since(waited) > 100*time.Millisecond {
				lost = sent - got.Load()
			}
		}
		n, err := out.WriteBatch(all[:min(bulk, int64(b.N)-sent)], 0)
		if err != nil {
			b.Fatal(err)
		}
		sent += int64(n)
	}
	for last := int64(-1); got.Load() < sent && got.Load() != last; <-time.After(50 * time.Millisecond) {
		last = got.Load()
	}
	b.StopTimer()
	to.Close()
	<-ended
	b.ReportMetric(float64(got.Load())/b.Elapsed().Seconds(), "packets/s")
	b.ReportMetric(float64(sent-got.Load())/float64(sent), "lost")
}

// stream sends bytes over one connection.
func stream(b *testing.B, link fallacy.Link) {
	const piece = 128 << 10
	w := newWire(b)
	var l net.Listener
	w.b.within(b, func() (err error) {
		l, err = net.Listen("tcp", net.JoinHostPort(w.b.four.String(), "7001"))
		return err
	})
	defer l.Close()
	f := w.b.filter(b, config(w.b.four, w.a.four))
	w.b.set(b, f, State{In: map[string]fallacy.Link{"a": link}})
	arrived := make(chan int64)
	go func() {
		var sum int64
		if c, err := l.Accept(); err == nil {
			for buf := make([]byte, piece); ; {
				n, err := c.Read(buf)
				if sum += int64(n); err != nil {
					break
				}
			}
		}
		arrived <- sum
	}()
	var c net.Conn
	w.a.within(b, func() (err error) {
		c, err = net.Dial("tcp", l.Addr().String())
		return err
	})
	b.SetBytes(piece)
	b.ResetTimer()
	buf := make([]byte, piece)
	for range b.N {
		if _, err := c.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
	c.Close()
	if got := <-arrived; got != int64(b.N)*piece {
		b.Errorf("%d bytes arrive, want %d", got, b.N*piece)
	}
}

package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/redis/go-redis/v9"
)

// said is an error in a server's words.
type said string

func (s said) Error() string { return string(s) }
func (said) RedisError()     {}

// What an error proves, written down apart from the table that decides it.
func TestClassify(t *testing.T) {
	happenedNot := []error{
		said("READONLY You can't write against a read only replica."),
		said("LOADING Redis is loading the dataset in memory"),
		said("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
		said("NOREPLICAS Not enough good replicas to write."),
		said("OOM command not allowed when used memory > 'maxmemory'."),
		said("MISCONF Errors writing to the AOF file: No space left on device"),
		said("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."),
		said("NOAUTH Authentication required."),
		said("NOPERM this user has no permissions to run the 'set' command"),
		said("MOVED 3999 127.0.0.1:6381"),
		said("ASK 3999 127.0.0.1:6381"),
		said("TRYAGAIN Multiple keys request during rehashing of slot"),
		said("CROSSSLOT Keys in request don't hash to the same slot"),
		said("CLUSTERDOWN The cluster is down"),
		said("EXECABORT Transaction discarded because of previous errors."),
		said("NOSCRIPT No matching script."),
	}
	if len(happenedNot) != len(proofs) {
		t.Errorf("the table has %d errors, and this test knows %d: say here what the new one proves", len(proofs), len(happenedNot))
	}
	for _, err := range append(happenedNot, redis.TxFailedErr) {
		if got := classify(err); !errors.Is(got, fallacy.ErrFailed) || !errors.Is(got, err) {
			t.Errorf("%v: got %v, want proof that nothing happened", err, got)
		}
	}
	for _, err := range []error{
		said("ERR Error running script"), said("WRONGTYPE Operation against a key holding the wrong kind of value"),
		said("UNBLOCKED force unblock from blocking operation"), said("READONLYISH"), said("ERR READONLY"),
		errors.New("EOF"), fmt.Errorf("READONLY: %w", net.ErrClosed), context.DeadlineExceeded,
	} {
		if got := classify(err); errors.Is(got, fallacy.ErrFailed) || !errors.Is(got, err) {
			t.Errorf("%v: got %v, want no proof", err, got)
		}
	}
}

// A server that accepts and never greets has not been sent anything; one that
// greeted and says nothing more has.
func TestSentOrNot(t *testing.T) {
	for greets, proof := range map[bool]bool{false: true, true: false} {
		n := fallacy.Node{Name: "n1", Public: map[string]string{"client": mute(t, greets)}}
		conn := newConn(&target{topology: topologies()[0]}, n)
		if err := conn.Write(t.Context(), "x", 1); errors.Is(err, fallacy.ErrFailed) != proof || err == nil {
			t.Errorf("greets %v: got %v, want proof: %v", greets, err, proof)
		}
		if _, _, err := conn.Read(t.Context(), "x"); !errors.Is(err, fallacy.ErrFailed) {
			t.Errorf("greets %v: a read: got %v, want fail, as it changes nothing", greets, err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

// mute listens, answers HELLO or not, and hangs up at the next request.
func mute(t *testing.T, greets bool) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-over
	})
	go func() {
		defer close(over)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			request := make([]byte, 1000)
			if _, err := c.Read(request); err == nil && greets {
				_, _ = c.Write([]byte("-ERR unknown command 'HELLO'\r\n"))
				_, _ = c.Read(request)
			}
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

func TestSlotOf(t *testing.T) { // by CLUSTER KEYSLOT
	for key, want := range map[string]int{"foo": 12182, "{foo}bar": 12182, "": 0, "123456789": 12739} {
		if got := slotOf(key); got != want {
			t.Errorf("slotOf(%q): got %d, want %d", key, got, want)
		}
	}
}

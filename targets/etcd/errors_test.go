package etcd

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What an error proves, written down apart from the table that decides it.
func TestClassify(t *testing.T) {
	happenedNot := []error{
		rpctypes.ErrGRPCNotCapable, rpctypes.ErrGRPCNotSupportedForLearner, rpctypes.ErrGRPCInvalidClientAPIVersion,
		rpctypes.ErrGRPCEmptyKey, rpctypes.ErrGRPCValueProvided, rpctypes.ErrGRPCLeaseProvided,
		rpctypes.ErrGRPCTooManyOps, rpctypes.ErrGRPCDuplicateKey, rpctypes.ErrTooManyRequests, rpctypes.ErrGRPCRequestTooLarge,
		rpctypes.ErrGRPCInvalidAuthToken, rpctypes.ErrGRPCUserEmpty, rpctypes.ErrGRPCPermissionDenied, rpctypes.ErrGRPCAuthOldRevision,
		rpctypes.ErrGRPCLeaseNotFound, rpctypes.ErrGRPCLeaseExist, rpctypes.ErrGRPCLeaseTTLTooLarge, rpctypes.ErrGRPCKeyNotFound,
		rpctypes.ErrGRPCCompacted, rpctypes.ErrGRPCFutureRev,
	}
	nobodyKnows := []error{
		rpctypes.ErrGRPCNoSpace, rpctypes.ErrGRPCTimeout, rpctypes.ErrGRPCTimeoutDueToLeaderFail,
		rpctypes.ErrGRPCTimeoutDueToConnectionLost, rpctypes.ErrGRPCTimeoutWaitAppliedIndex, rpctypes.ErrGRPCStopped,
		rpctypes.ErrGRPCCanceled, rpctypes.ErrGRPCDeadlineExceeded, rpctypes.ErrGRPCCorrupt, rpctypes.ErrGRPCLeaderChanged,
		rpctypes.ErrGRPCNoLeader, rpctypes.ErrGRPCNotLeader, rpctypes.ErrGRPCUnhealthy,
	}
	notEtcds := []error{ // and near misses
		status.Error(codes.Unavailable, "error reading from server: EOF"),
		status.Error(codes.Unavailable, "transport is closing"),
		status.Error(codes.Unavailable, "connection error: desc = \"transport: Error while dialing\""),
		status.Error(codes.ResourceExhausted, "grpc: received message larger than max"),
		status.Error(codes.Unavailable, "etcdserver: too many requests"),
		context.DeadlineExceeded, context.Canceled, errors.New("etcdserver: too many"),
	}
	for _, err := range happenedNot {
		if got := classify(err); !errors.Is(got, fallacy.ErrFailed) || !errors.Is(got, err) {
			t.Errorf("%v: got %v, want proof that nothing happened", err, got)
		}
	}
	for _, err := range append(notEtcds, nobodyKnows...) {
		if got := classify(err); errors.Is(got, fallacy.ErrFailed) || !errors.Is(got, err) {
			t.Errorf("%v: got %v, want no proof", err, got)
		}
	}
	if known := len(happenedNot) + len(nobodyKnows); len(proofs) != known {
		t.Errorf("the table has %d errors, and this test knows %d: say here what the new one proves", len(proofs), known)
	}
}

// A request that never left proves that nothing happened, even when somebody
// accepts the connection in the server's place.
func TestNeverSentIsProof(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for what, addr := range map[string]string{"mute": nobody.Addr().String(), "refused": closed.Addr().String()} {
		c := connect(t, addr)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if err := c.Write(ctx, "x", 1); !errors.Is(err, fallacy.ErrFailed) {
			t.Errorf("%s: got %v, want proof that nothing happened", what, err)
		}
		cancel()
	}
}

// A request that was sent to a server that then says nothing proves nothing.
func TestSentIsNoProof(t *testing.T) {
	mute := newMute(t)
	c := connect(t, mute.addr)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-mute.asked
		cancel()
	}()
	if err := c.Write(ctx, "x", 1); err == nil || errors.Is(err, fallacy.ErrFailed) {
		t.Errorf("a write: got %v, want no proof", err)
	}
	again, cancel := context.WithCancel(t.Context())
	go func() {
		<-mute.asked
		cancel()
	}()
	if _, _, err := c.Read(again, "x"); !errors.Is(err, fallacy.ErrFailed) {
		t.Errorf("a read: got %v, want fail, as it changes nothing", err)
	}
}

func TestClaimsHaveSources(t *testing.T) {
	for _, workload := range []string{"register", "watch", "lease", "mutex", "lock", "append"} {
		claims := (&target{}).Claims(workload)
		for _, claim := range claims {
			if !strings.Contains(claim, ": https://etcd.io/") {
				t.Errorf("%s: %q says not where", workload, claim)
			}
		}
		if len(claims) == 0 {
			t.Errorf("of %s nothing is claimed", workload)
		}
	}
}

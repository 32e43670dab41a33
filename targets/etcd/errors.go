package etcd

import (
	"fmt"

	"github.com/fallacy-dev/fallacy"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/status"
)

// proof is an error of etcd's that a write which was sent may get, and whether it
// proves that nothing happened. What is not in the table proves nothing.
type proof struct {
	err    error
	proves bool
	why    string // with the place in etcd's source, below server/, as of 3.7
}

// proofs are what the server's source says of the errors of Put, DeleteRange, Txn
// and of lease requests.
var proofs = []proof{
	// Refused before there is a proposal.
	{rpctypes.ErrGRPCNotCapable, true, "api/v3rpc/interceptor.go newUnaryInterceptor: before the handler"},
	{rpctypes.ErrGRPCNotSupportedForLearner, true, "api/v3rpc/interceptor.go newUnaryInterceptor: before the handler"},
	{rpctypes.ErrGRPCInvalidClientAPIVersion, true, "api/v3rpc/interceptor.go newUnaryInterceptor: before the handler"},
	{rpctypes.ErrGRPCEmptyKey, true, "api/v3rpc/key.go checkPutRequest: before the request is taken"},
	{rpctypes.ErrGRPCValueProvided, true, "api/v3rpc/key.go checkPutRequest: before the request is taken"},
	{rpctypes.ErrGRPCLeaseProvided, true, "api/v3rpc/key.go checkPutRequest: before the request is taken"},
	{rpctypes.ErrGRPCTooManyOps, true, "api/v3rpc/key.go checkTxnRequest: before the request is taken"},
	{rpctypes.ErrGRPCDuplicateKey, true, "api/v3rpc/key.go checkIntervals: before the request is taken"},
	{rpctypes.ErrTooManyRequests, true, "v3_server.go processInternalRaftRequestOnce: too far behind, before Propose"},
	{rpctypes.ErrGRPCRequestTooLarge, true, "v3_server.go processInternalRaftRequestOnce: before Propose"},
	{rpctypes.ErrGRPCInvalidAuthToken, true, "v3_server.go AuthInfoFromCtx: before Propose"},
	{rpctypes.ErrGRPCUserEmpty, true, "v3_server.go AuthInfoFromCtx, auth/store.go: before Propose"},

	// Refused when it is applied, by every member alike, before anything is written.
	{rpctypes.ErrGRPCPermissionDenied, true, "apply/apply_auth.go: checked before the applier below is asked"},
	{rpctypes.ErrGRPCAuthOldRevision, true, "auth/store.go isOpPermitted: checked before the applier is asked"},
	{rpctypes.ErrGRPCLeaseNotFound, true, "txn/put.go checkLease: before the write begins; lease/lessor.go Revoke: there is nothing to revoke"},
	{rpctypes.ErrGRPCLeaseExist, true, "lease/lessor.go Grant: the lease that exists is left alone"},
	{rpctypes.ErrGRPCLeaseTTLTooLarge, true, "lease/lessor.go Grant: before anything is granted"},
	{rpctypes.ErrGRPCKeyNotFound, true, "txn/put.go checkAndGetPrevKV: before the write begins"},
	{rpctypes.ErrGRPCCompacted, true, "txn/range.go: the reads of a transaction are checked before it begins"},
	{rpctypes.ErrGRPCFutureRev, true, "txn/range.go: the reads of a transaction are checked before it begins"},

	// May have happened, or may yet.
	{rpctypes.ErrGRPCNoSpace, false, "apply/quota.go quotaApplierV3.Put: the write is applied and the error comes with it"},
	{rpctypes.ErrGRPCTimeout, false, "v3_server.go parseProposeCtxErr: after Propose"},
	{rpctypes.ErrGRPCTimeoutDueToLeaderFail, false, "v3_server.go parseProposeCtxErr: after Propose"},
	{rpctypes.ErrGRPCTimeoutDueToConnectionLost, false, "v3_server.go parseProposeCtxErr: after Propose"},
	{rpctypes.ErrGRPCTimeoutWaitAppliedIndex, false, "v3_server.go LeaseRenew: what it waits for may be applied yet"},
	{rpctypes.ErrGRPCStopped, false, "v3_server.go processInternalRaftRequestOnce: s.done, after Propose"},
	{rpctypes.ErrGRPCCanceled, false, "api/v3rpc/util.go: wherever the request was"},
	{rpctypes.ErrGRPCDeadlineExceeded, false, "api/v3rpc/util.go: wherever the request was"},
	{rpctypes.ErrGRPCCorrupt, false, "apply/corrupt.go: this member applies nothing, others may"},
	{rpctypes.ErrGRPCLeaderChanged, false, "read/read.go: of reads only; nothing is said of writes"},
	{rpctypes.ErrGRPCNoLeader, false, "v3_server.go waitLeader: of lease requests, which may have been forwarded before"},
	{rpctypes.ErrGRPCNotLeader, false, "server.go: of membership requests, which may have been forwarded before"},
	{rpctypes.ErrGRPCUnhealthy, false, "server.go: of membership requests"},
}

// classify returns err as it is, or wrapped as proof that nothing happened. The
// request was sent and was no mere read.
func classify(err error) error {
	got := status.Convert(err)
	for _, p := range proofs {
		want := status.Convert(p.err)
		if got.Code() != want.Code() || got.Message() != want.Message() {
			continue
		}
		if p.proves {
			return fmt.Errorf("%w: %w", fallacy.ErrFailed, err)
		}
		return err
	}
	return err
}

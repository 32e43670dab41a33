package redis

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fallacy-dev/fallacy"
	"github.com/redis/go-redis/v9"
)

// proof is what an error of Redis's begins with that proves that the command, or
// the transaction, was not run.
type proof struct {
	prefix string
	why    string // with the place in Redis's source, below src/, as of 7.0
}

// proofs are the errors by which commands are refused before they are run. What is
// not in the table, ERR above all, may come from the midst of a script.
var proofs = []proof{
	{"READONLY ", "server.c processCommand: a write on a replica"},
	{"LOADING ", "server.c processCommand: the data are not there yet"},
	{"MASTERDOWN ", "server.c processCommand: a replica without its primary"},
	{"NOREPLICAS ", "server.c processCommand: fewer replicas than asked for"},
	{"OOM ", "server.c processCommand: no memory, refused before it is run"},
	{"MISCONF ", "server.c processCommand: the last write to disk went wrong, and no more are taken"},
	{"BUSY ", "server.c processCommand: a script has been running for too long"},
	{"NOAUTH ", "server.c processCommand: before it is run"},
	{"NOPERM ", "server.c processCommand: ACL, before it is run"},
	{"MOVED ", "cluster.c getNodeByQuery: another node serves the slot"},
	{"ASK ", "cluster.c getNodeByQuery: the key is on its way to another node"},
	{"TRYAGAIN ", "cluster.c getNodeByQuery: some of the keys are on their way"},
	{"CROSSSLOT ", "cluster.c getNodeByQuery: keys of several slots"},
	{"CLUSTERDOWN ", "cluster.c getNodeByQuery: the slot has no node"},
	{"EXECABORT ", "multi.c execCommand: the transaction is discarded as a whole"},
	{"NOSCRIPT ", "eval.c evalGenericCommand: there is nothing to run"},
}

// classify returns err as it is, or wrapped as proof that nothing happened. The
// request was sent and was no mere read.
func classify(err error) error {
	if errors.Is(err, redis.TxFailedErr) {
		return fmt.Errorf("%w: %w", fallacy.ErrFailed, err) // a key that was watched has changed
	}
	var said redis.Error
	if !errors.As(err, &said) {
		return err
	}
	for _, p := range proofs {
		if strings.HasPrefix(said.Error()+" ", p.prefix) {
			return fmt.Errorf("%w: %w", fallacy.ErrFailed, err)
		}
	}
	return err
}

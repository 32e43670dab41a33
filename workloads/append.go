package workloads

import (
	"context"
	"strconv"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/txn"
	"github.com/fallacy-dev/fallacy/generator"
)

// TxnConn is a connection that runs transactions of micro-ops by key: "r" and
// "append" on lists of integers, "r" and "w" on integers.
type TxnConn interface {
	fallacy.Conn

	// Txn runs ops as one transaction and returns them with what reads saw: a list
	// of integers or an integer, or nil for a key that holds nothing.
	Txn(ctx context.Context, ops []fallacy.MicroOp) ([]fallacy.MicroOp, error)
}

const appendDoc = `transactions that append to lists, and read them

Each transaction reads some lists and appends integers, each once, to others. As a
list shows all that was ever appended to it, in order, reads tell how the
transactions depended on each other; a cycle of dependencies is an anomaly with a
name (Kingsbury and Alvaro, Elle, 2020). Lists are read often while they are
short, and replaced by fresh ones. At the end all lists are read.`

// Shape of the append workload.
const (
	keysInUse  = 3   // lists that transactions choose from at a time
	txnsPerKey = 60  // transactions after which one of them is replaced
	opsMax     = 4   // micro-ops in a transaction
	finalKeys  = 512 // lists that are read at the end, from the first
	readAtOnce = 8   // in one transaction
)

// Append is the workload of list-append transactions.
func Append() *fallacy.Workload {
	return &fallacy.Workload{
		Name:      "append",
		Doc:       appendDoc,
		Client:    txnClient,
		Generator: generator.From(appendTxn),
		Final:     generator.Limit(finalKeys/readAtOnce, generator.From(readTxn)),
		Checkers:  []*fallacy.Checker{txn.Append()},
	}
}

func listKey(i int) fallacy.Value { return fallacy.String("l" + strconv.Itoa(i)) }

// appendTxn is the nth transaction. Its elements are unique, as n is in them.
func appendTxn(c fallacy.Chance, n int) (string, fallacy.Value) {
	ops := make([]fallacy.MicroOp, 1+c.At("length").IntN(opsMax))
	for i := range ops {
		at := c.At("op").Nth(i)
		ops[i] = fallacy.MicroOp{F: "r", Key: listKey(n/txnsPerKey + at.At("key").IntN(keysInUse))}
		if at.At("f").IntN(2) == 0 {
			ops[i].F, ops[i].Value = "append", fallacy.Int(n*opsMax+i+1)
		}
	}
	return "txn", fallacy.Txn(ops...)
}

// readTxn is the nth transaction of the end.
func readTxn(_ fallacy.Chance, n int) (string, fallacy.Value) {
	ops := make([]fallacy.MicroOp, readAtOnce)
	for i := range ops {
		ops[i] = fallacy.MicroOp{F: "r", Key: listKey(n*readAtOnce + i)}
	}
	return "txn", fallacy.Txn(ops...)
}

func txnClient(conn fallacy.Conn) (fallacy.Client, error) {
	c, err := need[TxnConn](conn, "Txn")
	if err != nil {
		return nil, err
	}
	return client{conn, map[string]func(context.Context, fallacy.Value) (fallacy.Value, error){
		"txn": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
			ops, ok := v.Txn()
			if !ok {
				return fallacy.Nil(), malformed("txn", v)
			}
			done, err := c.Txn(ctx, ops)
			if err != nil {
				return fallacy.Nil(), err
			}
			return fallacy.Txn(done...), nil
		},
	}}, nil
}

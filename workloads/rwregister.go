package workloads

import (
	"strconv"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/txn"
	"github.com/fallacy-dev/fallacy/generator"
)

const rwRegisterDoc = `transactions that write registers, and read them

Each transaction reads some registers and writes others, every value once. Registers
show less than lists: a write that nobody read leaves no trace. What can be told of
the order of writes is told by transactions that read a register before they write
it, and by the order in time. (Kingsbury and Alvaro, Elle, 2020.)`

// RWRegister is the workload of transactions on registers. It asks for a
// [TxnConn] whose transactions take the micro-op "w" besides "r".
func RWRegister() *fallacy.Workload {
	return &fallacy.Workload{
		Name:      "rw-register",
		Doc:       rwRegisterDoc,
		Client:    txnClient,
		Generator: generator.From(registerTxn),
		Checkers:  []*fallacy.Checker{txn.Register()},
	}
}

// registerTxn is the nth transaction. Its values are unique, as n is in them.
func registerTxn(c fallacy.Chance, n int) (string, fallacy.Value) {
	ops := make([]fallacy.MicroOp, 1+c.At("length").IntN(opsMax))
	for i := range ops {
		at := c.At("op").Nth(i)
		key := fallacy.String("x" + strconv.Itoa(n/txnsPerKey+at.At("key").IntN(keysInUse)))
		ops[i] = fallacy.MicroOp{F: "r", Key: key}
		if at.At("f").IntN(2) == 0 {
			ops[i].F, ops[i].Value = "w", fallacy.Int(n*opsMax+i+1)
		}
	}
	return "txn", fallacy.Txn(ops...)
}

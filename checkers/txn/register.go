package txn

import (
	"context"

	"github.com/fallacy-dev/fallacy"
)

const registerDoc = `transactions on registers keep a consistency model

For transactions of writes and reads, with values that are written once to a key:
txn [["w","x",1],["r","y",null]]. nil is what a register holds at first. If no
model is asked for, it is strict serializability.

About single transactions, with Elle's names:

  garbage-read     a read has a value that nobody ever wrote
  G1a              a read has a value of a transaction that failed
  G1b              a read has a value that its writer then wrote over
  internal         a read disagrees with the transaction's own earlier steps
  lost-update      several read the same version of a key and then wrote it
  cyclic-versions  versions of a key come before themselves, by what was assumed

About how they depend on each other: who read whose write (wr) is plain, but not
in which order a register was written. Without assumptions only its initial nil
is known to come first. With them, if the target is said to keep them, there is
more to go by: wfr-keys (who writes a key after reading it overwrites what it
read), sequential-keys (versions are in the order of each process),
linearizable-keys (they are in the order of real time), or the order of
transactions as the target tells it. One that makes versions come before
themselves is reported, and left out. From the order of versions follows who
overwrote whom (ww) and who read what was overwritten (rw), and from that the
cycles, which have the same names as with lists; see append.

The details say which consistency models are ruled out, and which may still hold.

It cannot see predicates, nor what needs more order of versions than it was told
of. Transactions of which nobody knows whether they happened give versions, but
are in no cycle. It is exact otherwise.

Source: Adya, Weak Consistency, 1999; Kingsbury and Alvaro, Elle, 2020.`

// Register returns the checker of transactions on registers, which asks for
// strict serializability and assumes nothing of the order of versions.
func Register() *fallacy.Checker { return RegisterWith(Options{}) }

// RegisterWith returns the checker of transactions on registers that asks for
// what the options say. Of a history that it cannot judge, for values that are
// read and were written twice or other functions, the verdict is unknown, with the
// reason. Options that are not valid make it return an error. The details of a
// finding are [Details].
func RegisterWith(o Options) *fallacy.Checker {
	return &fallacy.Checker{Name: "rw-register", Doc: registerDoc, Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
		return check(ctx, h, "w", o)
	}}
}

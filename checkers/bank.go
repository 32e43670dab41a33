package checkers

import (
	"context"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

const bankDoc = `money moves between accounts, and none is made or lost

For accounts with transfer, whose value is {"from": a, "to": b, "amount": n}, and
read of all accounts at once, which completes with {"a": balance, …} or with
[[account, balance], …]:

  wrong total         the balances that a read shows add up to another total
  negative balance    a read shows a balance below zero, which was not allowed
  missing balance     a read shows nil for a balance
  unexpected account  a read shows an account that there is not

Every read must be one snapshot: that is what the total asks. The total is
the one stated, or else that of the first read.

It cannot see a transfer that was lost as a whole, or made twice, nor read skew
that leaves the total as it was.

Source: Jepsen's bank workload.`

// BankOptions say what a bank is like. The zero options are of one whose total is
// what the first read shows, whatever its accounts, with no balance below zero.
type BankOptions struct {
	Total         int             // of all balances; 0: as the first read has it
	Accounts      []fallacy.Value // nil: any
	AllowNegative bool
}

// Bank returns the checker of transfers between accounts.
func Bank() *fallacy.Checker { return BankWith(BankOptions{}) }

// BankWith returns the checker of transfers between accounts, with options.
func BankWith(options BankOptions) *fallacy.Checker {
	return &fallacy.Checker{Name: "bank", Doc: bankDoc, Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
		b := bank{BankOptions: options, known: make(map[fallacy.Ident]bool)}
		for _, a := range options.Accounts {
			b.known[a.Ident()] = true
		}
		return b.check(ctx, h)
	}}
}

type bank struct {
	BankOptions
	known map[fallacy.Ident]bool
	first fallacy.Call // whose total counts
	reads int
	found evidence
}

func (b *bank) check(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	examined, moved := 0, 0
	for c := range h.Calls() {
		examined++
		switch {
		case c.Invoke.F != "read" && c.Invoke.F != "transfer":
			return fallacy.Finding{}, unexpected(c, "read or transfer")
		case c.Type() != fallacy.OK:
		case c.Invoke.F == "transfer":
			moved++
		default:
			balances, ok := balancesOf(c.Value())
			if !ok {
				return fallacy.Finding{}, unexpected(c, "balances by account")
			}
			b.read(c, balances)
		}
	}
	details := map[string]any{"reads": b.reads, "transfers": moved, "total": b.Total, "anomalies": b.found.totals}
	return unless(b.found.finding(examined, details), b.reads > 0, "no read of the accounts succeeded"), ctx.Err()
}

// balancesOf returns accounts with balances.
func balancesOf(v fallacy.Value) (balances [][2]fallacy.Value, ok bool) {
	if fields, isObject := v.Fields(); isObject {
		for _, f := range fields {
			balances = append(balances, [2]fallacy.Value{fallacy.String(f.Name), f.Value})
		}
		return balances, true
	}
	all, ok := v.List()
	for _, pair := range all {
		account, balance, isPair := pair.Tuple()
		ok = ok && isPair
		balances = append(balances, [2]fallacy.Value{account, balance})
	}
	return balances, ok
}

func (b *bank) read(c fallacy.Call, balances [][2]fallacy.Value) {
	b.reads++
	sum := 0
	for _, ab := range balances {
		n, ok := ab[1].Int()
		sum += n
		switch {
		case !ok:
			b.found.add("missing balance", []fallacy.Call{c}, "process %d's read (op %d) shows %v for account %v",
				c.Invoke.Process, opOf(c), ab[1], ab[0])
			return
		case n < 0 && !b.AllowNegative:
			b.found.add("negative balance", []fallacy.Call{c}, "process %d's read (op %d) shows %d in account %v",
				c.Invoke.Process, opOf(c), n, ab[0])
		case len(b.known) > 0 && !b.known[ab[0].Ident()]:
			b.found.add("unexpected account", []fallacy.Call{c}, "process %d's read (op %d) shows account %v, which there is not",
				c.Invoke.Process, opOf(c), ab[0])
		}
	}
	if b.Total == 0 && b.reads == 1 {
		b.Total, b.first = sum, c
	}
	if sum != b.Total {
		source := "stated"
		if b.first.Invoke != nil {
			source = "what the first read showed"
		}
		b.found.add("wrong total", slices.DeleteFunc([]fallacy.Call{b.first, c}, func(c fallacy.Call) bool { return c.Invoke == nil }),
			"process %d's read (op %d) shows balances of %d in all, and %d is %s", c.Invoke.Process, opOf(c), sum, b.Total, source)
	}
}

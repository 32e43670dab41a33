package etcd

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/fallacy-dev/fallacy"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

// Txn does ops, all or none. What it reads or appends to it reads first, all at
// once; then it writes, in one transaction of etcd's, if nothing of that has been
// written meanwhile. A race that it loses is a fail, and is not run again. One that
// only reads is over after the first step, one that only writes needs no first.
func (c *Conn) Txn(ctx context.Context, ops []fallacy.MicroOp) ([]fallacy.MicroOp, error) {
	t := optimistic{mods: make(map[string]int64), now: make(map[string]fallacy.Value)}
	if err := t.plan(ops); err != nil {
		return nil, err
	}
	if err := t.read(ctx, c); err != nil {
		return nil, err
	}
	done, err := t.perform(ops)
	if err != nil {
		return nil, err
	}
	if len(t.writes) == 0 {
		return done, nil
	}
	return done, t.write(ctx, c)
}

// optimistic is a transaction in the making.
type optimistic struct {
	reads  []string                 // keys, in order
	mods   map[string]int64         // of what was read: its revision
	now    map[string]fallacy.Value // what keys hold, the transaction's own writes included
	writes []string                 // keys, in order
}

func keyOf(op fallacy.MicroOp) string {
	name, ok := op.Key.Str()
	if !ok {
		name = op.Key.String()
	}
	return lists + name
}

// plan finds what has to be read before anything is written.
func (t *optimistic) plan(ops []fallacy.MicroOp) error {
	var blind []string
	for _, op := range ops {
		key := keyOf(op)
		_, isInt := op.Value.Int()
		switch {
		case op.F == "w" && isInt:
			blind = append(blind, key)
		case op.F == "append" && isInt, op.F == "r" && !slices.Contains(blind, key):
			if !slices.Contains(t.reads, key) {
				t.reads = append(t.reads, key)
			}
		case op.F != "r":
			return fmt.Errorf("%w: %s of %v is no micro-op", fallacy.ErrFailed, op.F, op.Value)
		}
	}
	return nil
}

// read reads all that has to be, at one revision.
func (t *optimistic) read(ctx context.Context, c *Conn) error {
	if len(t.reads) == 0 {
		return nil
	}
	q := &etcdserverpb.TxnRequest{}
	for _, key := range t.reads {
		q.Success = append(q.Success, rangeOf([]byte(key)))
	}
	answer, err := call(ctx, c.kv.Txn, q, true)
	if err != nil {
		return err
	}
	if len(answer.Responses) != len(t.reads) {
		return fmt.Errorf("%d answers to %d reads", len(answer.Responses), len(t.reads))
	}
	for i, key := range t.reads {
		t.mods[key], t.now[key] = 0, fallacy.Nil()
		for _, kv := range answer.Responses[i].GetResponseRange().GetKvs() {
			if t.now[key], err = decode(kv); err != nil {
				return err
			}
			t.mods[key] = kv.ModRevision
		}
	}
	return nil
}

// perform does ops on what was read.
func (t *optimistic) perform(ops []fallacy.MicroOp) ([]fallacy.MicroOp, error) {
	done := slices.Clone(ops)
	for i, op := range ops {
		key := keyOf(op)
		switch op.F {
		case "r":
			done[i].Value = t.now[key]
			continue
		case "w":
			t.now[key] = op.Value
		case "append":
			list, ok := t.now[key].List()
			if !ok && !t.now[key].IsNil() {
				return nil, fmt.Errorf("%w: append to %v, which is no list", fallacy.ErrFailed, t.now[key])
			}
			t.now[key] = fallacy.List(append(slices.Clone(list), op.Value)...)
		}
		if !slices.Contains(t.writes, key) {
			t.writes = append(t.writes, key)
		}
	}
	return done, nil
}

// write writes if nothing that was read has changed.
func (t *optimistic) write(ctx context.Context, c *Conn) error {
	q := &etcdserverpb.TxnRequest{}
	for _, key := range t.reads {
		q.Compare = append(q.Compare, unchanged([]byte(key), t.mods[key]))
	}
	for _, key := range t.writes {
		text, err := t.now[key].MarshalJSON()
		if err != nil {
			return fmt.Errorf("%w: %w", fallacy.ErrFailed, err)
		}
		put := &etcdserverpb.PutRequest{Key: []byte(key), Value: text}
		q.Success = append(q.Success, &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestPut{RequestPut: put}})
	}
	answer, err := call(ctx, c.kv.Txn, q, false)
	if err == nil && !answer.Succeeded {
		err = refused(nil, "what it had read was written meanwhile")
	}
	return err
}

// decode reads a list of integers or an integer.
func decode(kv *mvccpb.KeyValue) (fallacy.Value, error) {
	var list []int
	if err := json.Unmarshal(kv.Value, &list); err == nil {
		return fallacy.Ints(list...), nil
	}
	n, err := integer(kv)
	return fallacy.Int(n), err
}

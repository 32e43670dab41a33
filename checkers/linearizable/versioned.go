package linearizable

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

const versionedDoc = `each register goes through its versions in order and in real time

For registers that give each value a version that grows, as etcd's revisions or
ZooKeeper's versions do. By key: read [k, null] completes with
[k, [version, value]], write [k, v] with [k, [version, v]], cas [k, [old, new]]
with [k, [version, [old, new]]]; invocations may also say [k, [null, v]], and those of cas
[k, [version, [old, new]]] with the version that is to be there. Version 0 is of the register that was never written, which holds nothing. A cas that
failed and tells [version, value] is a read.

The versions say in which order all took effect, so that no search is needed:

  duplicate version   two writes got one version
  wrong value         a read saw another value than was written with its version,
                      or one that nobody wrote, or a cas found another value than
                      it wanted
  missing version     versions count the writes of the key, and there is one that
                      no write can have got
  nonlinearizable     a call ended before one began that the versions put before it

Versions count the writes of the key if the checker was told that they do; else,
as with etcd's mod_revision, there may be gaps. A write of unknown outcome has the
version with which its value was seen; one that was not seen may fill a gap. If
outcomes are unknown of plain writes only, each of a value of its own, the answer
is exact; of cas, what they would have needed to take effect is not asked.

Source: the VersionedRegister of Jepsen's etcd tests; the order by versions is one pass.`

// Versioned returns the checker of registers with versions. Counting says that
// the versions of a key are 1, 2, 3 and so on, without gaps.
func Versioned(counting bool) *fallacy.Checker {
	return &fallacy.Checker{
		Name: "versioned-register",
		Doc:  versionedDoc,
		Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
			keys, err := versionedKeys(h)
			if err != nil {
				return fallacy.Finding{}, err
			}
			parts := make([]part, len(keys))
			biggestFirst(len(keys), func(i int) int { return keys[i].size }, func(i int) {
				parts[i] = part{name: keys[i].name, size: keys[i].size, bad: keys[i].judge(counting)}
			})
			return together(ctx, parts), ctx.Err()
		},
	}
}

// versionedCall is a call with the version that it got or saw.
type versionedCall struct {
	fallacy.Call
	version    int // less than 0: not known
	value, old fallacy.Value
	wrote, cas bool
}

func (c *versionedCall) begin() int { return c.Invoke.Index }
func (c *versionedCall) end() int   { return endOf(c.Call) }
func (c *versionedCall) who() string {
	return fmt.Sprintf("process %d's %s of version %d (op %d)", c.Invoke.Process, c.Invoke.F, c.version, opOf(c.Call))
}

// versioned is the calls of one key.
type versioned struct {
	name  string
	size  int
	calls []versionedCall
	doubt []versionedCall // writes of unknown outcome, by invocation
}

func versionedKeys(h fallacy.History) ([]*versioned, error) {
	var all []*versioned
	places := make(map[fallacy.Ident]*versioned)
	for c := range h.Calls() {
		key, arg, ok := c.Invoke.Value.Tuple()
		f := c.Invoke.F
		if !ok || f != "read" && f != "write" && f != "cas" {
			return nil, fmt.Errorf("op %d: %s of %v, want read, write or cas of [key, argument]", c.Invoke.Index, f, c.Invoke.Value)
		}
		id := key.Ident()
		k := places[id]
		if k == nil {
			k = &versioned{name: keyText(key)}
			places[id] = k
			all = append(all, k)
		}
		if err := k.add(c, arg); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// add takes in a call, if it constrains anything.
func (k *versioned) add(c fallacy.Call, arg fallacy.Value) error {
	k.size++
	n := versionedCall{Call: c, version: -1, wrote: c.Invoke.F != "read", cas: c.Invoke.F == "cas"}
	asked := arg // as a refusal that tells nothing repeats it
	if first, second, ok := arg.Tuple(); ok && (n.cas && isPair(second) || !n.cas && first.IsNil()) {
		arg = second
	}
	if n.value = arg; n.cas {
		n.old, n.value, _ = arg.Tuple()
	}
	if c.Type() == fallacy.Info {
		if n.wrote {
			k.doubt = append(k.doubt, n)
		}
		return nil
	}
	_, out, _ := c.Complete.Value.Tuple()
	version, value, ok := out.Tuple()
	n.version, _ = version.Int()
	_, isInt := version.Int()
	switch {
	case c.Type() == fallacy.Fail && (!n.cas || !ok || !isInt || out.Equal(arg) || out.Equal(asked)):
		return nil
	case c.Type() == fallacy.Fail:
		n.wrote, n.cas = false, false
	case !ok || !isInt || n.version < 0:
		return fmt.Errorf("op %d: %s completed with %v, want [key, [version, value]]", c.Complete.Index, c.Invoke.F, c.Complete.Value)
	}
	if !n.wrote {
		n.value = value
	}
	k.calls = append(k.calls, n)
	return nil
}

func isPair(v fallacy.Value) bool {
	_, _, ok := v.Tuple()
	return ok
}

// taken adds, for each cas, that it saw what it took, with the version before its own.
func (k *versioned) taken() {
	var all []versionedCall
	for _, c := range k.calls {
		if c.cas {
			saw := c
			saw.wrote, saw.cas, saw.value, saw.version = false, false, c.old, c.version-1
			all = append(all, saw)
		}
		all = append(all, c)
	}
	k.calls = all
}

// judge walks through the versions, each with its write before its reads.
func (k *versioned) judge(counting bool) *violation {
	if counting {
		k.taken()
	}
	slices.SortStableFunc(k.calls, func(a, b versionedCall) int {
		if c := cmp.Compare(a.version, b.version); c != 0 || a.wrote == b.wrote {
			return c
		}
		if a.wrote {
			return -1
		}
		return 1
	})
	walk := versionWalk{versioned: k, counting: counting, last: versionedCall{version: 0}}
	walk.ends = make([]int, len(k.calls)+1)
	walk.ends[len(k.calls)] = never
	for i := range slices.Backward(k.calls) {
		walk.ends[i] = min(walk.ends[i+1], k.calls[i].end())
	}
	walk.claim()
	for i := range k.calls {
		if v := walk.step(i); v != nil {
			return v
		}
	}
	return nil
}

func (k *versioned) violated(name, why string, calls ...versionedCall) *violation {
	v := &violation{name: name, why: inKey(k.name, why)}
	for _, c := range calls {
		if c.Invoke != nil {
			v.calls = append(v.calls, c.Call)
		}
	}
	return v
}

package packet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/fallacy-dev/fallacy"
	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// tableOwned is NFT_TABLE_F_OWNER.
const tableOwned = 2

// mark is on packets that were decided about before.
const mark = 0x0fa11acc

// Registers of nftables: the first of 16 bytes, and the first after an address in those of 4.
const (
	register  = 1
	register4 = unix.NFT_REG32_00
)

// beforeTracking is ahead of connection tracking and of whatever else filters.
var beforeTracking = nftables.ChainPriorityRef(-350)

// table is the filter's nftables table.
type table struct {
	conn    *nftables.Conn
	table   *nftables.Table
	in, out *nftables.Chain
	stalled [2]*nftables.Set // connections that are dead for good: arriving, leaving
	target  bool             // the kernel has no queue expression, but iptables's target
	six     bool
}

// openTable makes the table, empty.
func openTable(cfg Config) (*table, error) {
	t := &table{six: cfg.Own.Is6(), table: &nftables.Table{Name: cfg.Name, Family: nftables.TableFamilyIPv4}}
	if t.six {
		t.table.Family = nftables.TableFamilyIPv6
	}
	var err error
	owned := func(c *netlink.Conn) error { return ownTable(c, t.table) }
	// The table belongs to the socket that made it, so that one has to last.
	if t.conn, err = nftables.New(nftables.AsLasting(), nftables.WithSockOptions(owned)); err != nil {
		if errors.Is(err, os.ErrPermission) {
			return nil, errors.New("the capability NET_ADMIN is missing")
		}
		return nil, fmt.Errorf("make an nftables table: %w", err)
	}
	policy := nftables.ChainPolicyAccept
	chain := func(name string, hook *nftables.ChainHook) *nftables.Chain {
		return t.conn.AddChain(&nftables.Chain{
			Name: name, Table: t.table, Type: nftables.ChainTypeFilter, Hooknum: hook, Priority: beforeTracking, Policy: &policy,
		})
	}
	t.in, t.out = chain("in", nftables.ChainHookInput), chain("out", nftables.ChainHookOutput)
	for i, name := range []string{"stalled_in", "stalled_out"} {
		t.stalled[i] = &nftables.Set{
			Table: t.table, Name: name, ID: uint32(i + 1), Dynamic: true, Size: 1 << 16, Concatenation: true, KeyType: t.key(),
		}
		err = errors.Join(err, t.conn.AddSet(t.stalled[i], nil))
	}
	if err := errors.Join(err, t.conn.Flush()); err != nil {
		return nil, errors.Join(fmt.Errorf("make an nftables table: %w", err), t.close())
	}
	return t, nil
}

// ownTable makes t on c, as c's own if the kernel knows that: then it goes with c.
func ownTable(c *netlink.Conn, t *nftables.Table) error {
	var err error
	for _, flags := range []uint32{tableOwned, 0} {
		if err = makeTable(c, t, flags); err == nil || errors.Is(err, os.ErrPermission) {
			return err
		}
	}
	return err
}

// makeTable is what nftables.Conn.AddTable does, with flags.
func makeTable(c *netlink.Conn, t *nftables.Table, flags uint32) error {
	attrs, err := netlink.MarshalAttributes([]netlink.Attribute{
		{Type: unix.NFTA_TABLE_NAME, Data: []byte(t.Name + "\x00")},
		{Type: unix.NFTA_TABLE_FLAGS, Data: binary.BigEndian.AppendUint32(nil, flags)},
	})
	if err != nil {
		return err
	}
	head := func(family byte, resource uint16) []byte {
		return binary.BigEndian.AppendUint16([]byte{family, unix.NFNETLINK_V0}, resource)
	}
	batch := func(kind netlink.HeaderType) netlink.Message {
		return netlink.Message{Header: netlink.Header{Type: kind, Flags: netlink.Request}, Data: head(0, unix.NFNL_SUBSYS_NFTABLES)}
	}
	_, err = c.SendMessages([]netlink.Message{
		batch(unix.NFNL_MSG_BATCH_BEGIN),
		{
			Header: netlink.Header{
				Type:  unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_NEWTABLE,
				Flags: netlink.Request | netlink.Acknowledge | netlink.Create | netlink.Excl,
			},
			Data: append(head(byte(t.Family), 0), attrs...),
		},
		batch(unix.NFNL_MSG_BATCH_END),
	})
	if err == nil {
		_, err = c.Receive()
	}
	return err
}

// close removes the table.
func (t *table) close() error {
	t.conn.DelTable(t.table)
	return errors.Join(t.conn.Flush(), t.conn.CloseLasting())
}

// key is what tells a connection: the other end's address, and both ports in one.
func (t *table) key() nftables.SetDatatype {
	address := nftables.TypeIPAddr
	if t.six {
		address = nftables.TypeIP6Addr
	}
	return nftables.MustConcatSetType(address, nftables.TypeMark)
}

// rule adds a rule that ends, or does not, with what is last.
func (t *table) rule(c *nftables.Chain, parts ...[]expr.Any) {
	var all []expr.Any
	for _, p := range parts {
		all = append(all, p...)
	}
	t.conn.AddRule(&nftables.Rule{Table: t.table, Chain: c, Exprs: all})
}

func verdict(kind expr.VerdictKind) []expr.Any { return []expr.Any{&expr.Verdict{Kind: kind}} }

// set replaces all rules at once by those that s asks for, with queues by direction.
func (t *table) set(cfg Config, s State, queues map[direction]uint16) error {
	t.conn.FlushChain(t.in)
	t.conn.FlushChain(t.out)
	for i, c := range []*nftables.Chain{t.in, t.out} {
		t.rule(c, marked(), verdict(expr.VerdictReturn))
		t.rule(c, loopback(c == t.out), verdict(expr.VerdictReturn))
		if t.six {
			// Without neighbour discovery no link would be found again after a heal.
			t.rule(c, neighbours(), verdict(expr.VerdictReturn))
		}
		t.rule(c, t.connection(c == t.out), []expr.Any{&expr.Lookup{
			SourceRegister: register4, SetName: t.stalled[i].Name, SetID: t.stalled[i].ID,
		}}, verdict(expr.VerdictDrop))
	}
	for _, d := range cfg.directions() {
		c := t.in
		if d.out {
			c = t.out
		}
		if d.peer != fallacy.Clients {
			t.link(c, t.from(cfg.Peers[d.peer]), s.link(d), queues[d])
			continue
		}
		for _, peer := range cfg.Peers { // who is a peer is no client
			t.rule(c, t.address(peer, d.out), verdict(expr.VerdictReturn))
		}
		for _, port := range cfg.Ports {
			t.link(c, atPort(port, d.out), s.link(d), queues[d])
		}
	}
	if err := t.conn.Flush(); err != nil {
		return fmt.Errorf("set the rules of the nftables table %s: %w", t.table.Name, err)
	}
	return nil
}

// link adds the rules of one link, for packets that match.
func (t *table) link(c *nftables.Chain, match []expr.Any, l fallacy.Link, queue uint16) {
	switch {
	case l.Cut:
		t.rule(c, match, verdict(expr.VerdictDrop))
	case l.Stall:
		i := 0
		if c == t.out {
			i = 1
		}
		t.rule(c, match, t.connection(c == t.out), []expr.Any{&expr.Dynset{
			SrcRegKey: register4, SetName: t.stalled[i].Name, SetID: t.stalled[i].ID, Operation: unix.NFT_DYNSET_OP_UPDATE,
		}}, verdict(expr.VerdictDrop))
		t.rule(c, match, verdict(expr.VerdictDrop))
	case l.Reset:
		// The resets themselves get through.
		t.rule(c, match, isReset(), verdict(expr.VerdictReturn))
		t.rule(c, match, protocol(unix.IPPROTO_TCP), []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_TCP_RST}})
		t.rule(c, match, verdict(expr.VerdictDrop))
	case queued(l):
		t.rule(c, match, t.queue(queue))
	}
}

// queue hands packets to a reader; without one they pass.
func (t *table) queue(number uint16) []expr.Any {
	if !t.target {
		return []expr.Any{&expr.Queue{Num: number, Flag: expr.QueueFlagBypass}}
	}
	info := binary.NativeEndian.AppendUint16(nil, number)
	info = binary.NativeEndian.AppendUint16(info, 1) // queues
	info = binary.NativeEndian.AppendUint16(info, 1) // bypass
	padded := xt.Unknown(append(info, 0, 0))
	return []expr.Any{&expr.Target{Name: "NFQUEUE", Rev: 3, Info: &padded}}
}

// tryQueue finds out which way of queueing the kernel knows.
func (t *table) tryQueue() error {
	var err error
	for _, t.target = range []bool{false, true} {
		t.rule(t.in, atPort(1, false), t.queue(0))
		if err = t.conn.Flush(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the kernel cannot queue packets (nft_queue, or xt_NFQUEUE with nft_compat): %w", err)
}

// from matches packets from addr.
func (t *table) from(addr netip.Addr) []expr.Any { return t.address(addr, false) }

// address matches packets from addr, or to it.
func (t *table) address(addr netip.Addr, to bool) []expr.Any {
	return []expr.Any{t.loadAddress(register, to), &expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: addr.AsSlice()}}
}

func (t *table) loadAddress(into uint32, to bool) expr.Any {
	offset, length := uint32(12), uint32(4)
	if t.six {
		offset, length = 8, 16
	}
	if to {
		offset += length
	}
	return &expr.Payload{DestRegister: into, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length}
}

// connection loads what tells a TCP connection, from the other end's address on.
func (t *table) connection(out bool) []expr.Any {
	ports := uint32(register4 + 1)
	if t.six {
		ports = register4 + 4
	}
	return append(protocol(unix.IPPROTO_TCP), t.loadAddress(register4, out),
		&expr.Payload{DestRegister: ports, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 4})
}

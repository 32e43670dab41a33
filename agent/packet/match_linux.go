package packet

import (
	"encoding/binary"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

func meta(key expr.MetaKey, data []byte) []expr.Any {
	return []expr.Any{&expr.Meta{Key: key, Register: register}, &expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: data}}
}

func marked() []expr.Any {
	return meta(expr.MetaKeyMARK, binary.NativeEndian.AppendUint32(nil, mark))
}

func loopback(out bool) []expr.Any {
	name := make([]byte, unix.IFNAMSIZ)
	copy(name, "lo")
	if out {
		return meta(expr.MetaKeyOIFNAME, name)
	}
	return meta(expr.MetaKeyIIFNAME, name)
}

func protocol(number byte) []expr.Any { return meta(expr.MetaKeyL4PROTO, []byte{number}) }

func transport(offset, length uint32) expr.Any {
	return &expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: length}
}

// neighbours matches ICMPv6's router and neighbour discovery, types 133 to 137.
func neighbours() []expr.Any {
	return append(protocol(unix.IPPROTO_ICMPV6), transport(0, 1),
		&expr.Range{Op: expr.CmpOpEq, Register: register, FromData: []byte{133}, ToData: []byte{137}})
}

// atPort matches what goes to a port, or comes from it, by TCP or UDP.
func atPort(port uint16, from bool) []expr.Any {
	offset := uint32(2)
	if from {
		offset = 0
	}
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: register},
		&expr.Range{Op: expr.CmpOpEq, Register: register, FromData: []byte{unix.IPPROTO_TCP}, ToData: []byte{unix.IPPROTO_UDP}},
		transport(offset, 2),
		&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: binary.BigEndian.AppendUint16(nil, port)},
	}
}

// isReset matches TCP's resets.
func isReset() []expr.Any {
	return append(protocol(unix.IPPROTO_TCP), transport(13, 1),
		&expr.Bitwise{SourceRegister: register, DestRegister: register, Len: 1, Mask: []byte{4}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: register, Data: []byte{0}})
}

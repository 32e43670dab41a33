package packet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// queueSocket speaks NFQUEUE's protocol (linux/netfilter/nfnetlink_queue.h) for
// one queue: it reads in bulk, and says what becomes of many packets at once.
type queueSocket struct {
	fd      int
	number  uint16
	buffers [][]byte
	msgs    []mmsghdr
	iovecs  []unix.Iovec
	out     []byte // verdicts not sent yet
}

// mmsghdr is struct mmsghdr.
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
	_   [4]byte
}

const (
	readBulk = 128
	// readBytes is the longest message: a packet and what the kernel says of it.
	readBytes = 64<<10 + 512
	// readShort is enough where no packet's content is asked for.
	readShort = 512
	verdicts  = 32 << 10 // bytes of them that are sent at once
	queueMax  = 1 << 17  // packets
	socketMax = 32 << 20 // bytes
)

// Messages, attributes and flags of nfnetlink_queue.
const (
	msgPacket       = unix.NFNL_SUBSYS_QUEUE << 8
	msgVerdict      = unix.NFNL_SUBSYS_QUEUE<<8 | 1
	msgConfig       = unix.NFNL_SUBSYS_QUEUE<<8 | 2
	msgVerdictBatch = unix.NFNL_SUBSYS_QUEUE<<8 | 3

	attrPacketHdr  = 1
	attrVerdictHdr = 2
	attrPayload    = 10
	attrCapLen     = 13

	attrConfigCmd    = 1
	attrConfigParams = 2
	attrConfigMaxLen = 3
	attrConfigMask   = 4
	attrConfigFlags  = 5

	flagGSO = 4

	netfilterDrop   = 0
	netfilterAccept = 1
)

// openQueue binds the queue called number.
func openQueue(number uint16) (*queueSocket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, fmt.Errorf("queue packets: %w", err)
	}
	q := &queueSocket{fd: fd, number: number}
	for _, o := range []struct{ level, name, value int }{
		{unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketMax},
		{unix.SOL_NETLINK, unix.NETLINK_NO_ENOBUFS, 1},
	} {
		// Without these, packets are lost where a lot is under way: the kernel lets them pass or not, as it has room.
		_ = unix.SetsockoptInt(fd, o.level, o.name, o.value)
	}
	bind := []byte{1, 0, 0, 0} // NFQNL_CFG_CMD_BIND
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}),
		q.config(attribute(attrConfigCmd, bind)),
		q.config(attribute(attrConfigMaxLen, binary.BigEndian.AppendUint32(nil, queueMax)))); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("bind packet queue %d: %w", number, err)
	}
	return q, nil
}

// copying says how much of every packet is to be read, and whether large ones may come
// as they are, before they are cut into those that travel.
func (q *queueSocket) copying(bytes uint32, large bool) error {
	params := append(binary.BigEndian.AppendUint32(nil, bytes), 2) // NFQNL_COPY_PACKET
	flags := uint32(0)
	if large {
		flags = flagGSO
	}
	// Nobody waits for an answer: packets may be in front of it.
	if err := q.tell(0, [][]byte{
		attribute(attrConfigParams, params),
		attribute(attrConfigMask, binary.BigEndian.AppendUint32(nil, flagGSO)),
		attribute(attrConfigFlags, binary.BigEndian.AppendUint32(nil, flags)),
	}); err != nil {
		return fmt.Errorf("set up packet queue %d: %w", q.number, err)
	}
	return nil
}

// tell sends a message about the queue itself.
func (q *queueSocket) tell(flags uint16, attrs [][]byte) error {
	msg := q.header(nil, msgConfig, flags)
	for _, a := range attrs {
		msg = append(msg, a...)
	}
	binary.NativeEndian.PutUint32(msg, uint32(len(msg)))
	return os.NewSyscallError("sendto", unix.Sendto(q.fd, msg, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
}

func attribute(kind uint16, data []byte) []byte {
	a := binary.NativeEndian.AppendUint16(nil, uint16(4+len(data)))
	a = binary.NativeEndian.AppendUint16(a, kind)
	return append(append(a, data...), make([]byte, -len(data)&3)...)
}

// header appends the beginning of a message; its length is filled in by finish.
func (q *queueSocket) header(b []byte, kind, flags uint16) []byte {
	b = binary.NativeEndian.AppendUint32(b, 0)
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST|flags)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)             // sequence number, port
	b = append(b, unix.AF_UNSPEC, 0)                  // family, version
	return binary.BigEndian.AppendUint16(b, q.number) // resource
}

// config sends a message and waits for what the kernel makes of it, before
// there are packets to read.
func (q *queueSocket) config(attrs ...[]byte) error {
	if err := q.tell(unix.NLM_F_ACK, attrs); err != nil {
		return err
	}
	answer := make([]byte, readBytes)
	n, _, err := unix.Recvfrom(q.fd, answer, 0)
	if err != nil {
		return err
	}
	if n < 20 || binary.NativeEndian.Uint16(answer[4:]) != unix.NLMSG_ERROR {
		return errors.New("the kernel gives an answer that nobody understands")
	}
	if code := int32(binary.NativeEndian.Uint32(answer[16:])); code != 0 {
		return os.NewSyscallError("nfnetlink_queue", unix.Errno(-code))
	}
	return nil
}

// room makes buffers for messages of up to size bytes.
func (q *queueSocket) room(size int) {
	q.buffers, q.msgs, q.iovecs = make([][]byte, readBulk), make([]mmsghdr, readBulk), make([]unix.Iovec, readBulk)
	all := make([]byte, readBulk*size)
	for i := range q.buffers {
		q.buffers[i] = all[i*size : (i+1)*size]
		q.iovecs[i].Base = &q.buffers[i][0]
		q.iovecs[i].SetLen(size)
		q.msgs[i].hdr.Iov = &q.iovecs[i]
		q.msgs[i].hdr.SetIovlen(1)
	}
}

// read calls each with as many packets as are there now, without waiting; it
// tells how many messages there were.
func (q *queueSocket) read(each func(p waiting)) (int, error) {
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(q.fd), uintptr(unsafe.Pointer(&q.msgs[0])), uintptr(len(q.msgs)), unix.MSG_DONTWAIT, 0, 0)
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return 0, nil
	case errno != 0:
		return 0, os.NewSyscallError("recvmmsg", errno)
	}
	for i := range int(n) {
		if p, ok := parsePacket(q.buffers[i][:q.msgs[i].len]); ok {
			each(p)
		}
	}
	return int(n), nil
}

// waiting is a packet that waits for its verdict.
type waiting struct {
	id      uint32
	size    int
	payload []byte // as much as was asked for; valid until the next read
}

// parsePacket reads what the kernel says of a packet.
func parsePacket(msg []byte) (p waiting, ok bool) {
	const head = 16 + 4
	if len(msg) < head || binary.NativeEndian.Uint16(msg[4:]) != msgPacket {
		return p, false
	}
	if n := int(binary.NativeEndian.Uint32(msg)); n >= head && n < len(msg) {
		msg = msg[:n]
	}
	for attrs := msg[head:]; len(attrs) >= 4; {
		n, kind := int(binary.NativeEndian.Uint16(attrs)), binary.NativeEndian.Uint16(attrs[2:])&0x3fff
		if n < 4 || n > len(attrs) {
			break
		}
		data := attrs[4:n]
		switch {
		case kind == attrPacketHdr && len(data) >= 4:
			p.id, ok = binary.BigEndian.Uint32(data), true
		case kind == attrPayload:
			p.payload, p.size = data, max(p.size, len(data))
		case kind == attrCapLen && len(data) >= 4:
			p.size = max(p.size, int(binary.BigEndian.Uint32(data)))
		}
		attrs = attrs[min(len(attrs), (n+3)&^3):]
	}
	return p, ok
}

// accept lets a packet pass, with another content if that is not nil.
func (q *queueSocket) accept(id uint32, content []byte) error {
	return q.verdict(msgVerdict, netfilterAccept, id, content)
}

// acceptUpTo lets every packet pass that waits since before id, and that one.
func (q *queueSocket) acceptUpTo(id uint32) error {
	return q.verdict(msgVerdictBatch, netfilterAccept, id, nil)
}

func (q *queueSocket) drop(id uint32) error { return q.verdict(msgVerdict, netfilterDrop, id, nil) }

func (q *queueSocket) verdict(kind uint16, what, id uint32, content []byte) error {
	if len(q.out)+len(content)+64 > verdicts {
		if err := q.flush(); err != nil {
			return err
		}
	}
	at := len(q.out)
	q.out = q.header(q.out, kind, 0)
	q.out = binary.NativeEndian.AppendUint16(q.out, 12)
	q.out = binary.NativeEndian.AppendUint16(q.out, attrVerdictHdr)
	q.out = binary.BigEndian.AppendUint32(q.out, what)
	q.out = binary.BigEndian.AppendUint32(q.out, id)
	if content != nil {
		q.out = append(q.out, attribute(attrPayload, content)...)
	}
	binary.NativeEndian.PutUint32(q.out[at:], uint32(len(q.out)-at))
	return nil
}

// flush sends the verdicts that have gathered.
func (q *queueSocket) flush() error {
	if len(q.out) == 0 {
		return nil
	}
	err := unix.Sendto(q.fd, q.out, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	q.out = q.out[:0]
	return os.NewSyscallError("sendto", err)
}

// close gives the queue up; what waits in it is lost.
func (q *queueSocket) close() error { return unix.Close(q.fd) }

package refstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// The log on disk is a file of frames. A frame is what one write and one sync put there, so that a crash
// can tear the last frame only:
//
//	length of the payload, 4 bytes | CRC of the payload, 4 | CRC of these eight and the offset, 4 | payload
//
// The payload is a row of records: kind, 1 byte | length, 4 | content. Numbers are little-endian. The
// first frame of a file holds a record of kind recordBase.
const frameHeader = 12

const (
	recordBase  = 'b' // index and term of the snapshot that this file goes with
	recordState = 'h' // raftpb.HardState
	recordEntry = 'e' // raftpb.Entry
)

// errCorrupt says that the disk returned something else than what was written and synced.
var errCorrupt = errors.New("corrupt")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendFrame appends to file, which will be at offset, a frame around payload.
func appendFrame(file []byte, offset int64, payload []byte) []byte {
	header := binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))
	header = binary.LittleEndian.AppendUint32(header, crc32.Checksum(payload, castagnoli))
	header = binary.LittleEndian.AppendUint32(header, headerSum(header, offset))
	return append(append(file, header...), payload...)
}

// headerSum covers the offset too, so that a frame is valid in its own place only.
func headerSum(header []byte, offset int64) uint32 {
	return crc32.Checksum(binary.LittleEndian.AppendUint64(append([]byte(nil), header[:8]...), uint64(offset)), castagnoli)
}

// frameAt returns the payload of the frame at offset, and the offset after it.
func frameAt(file []byte, offset int) (payload []byte, next int, ok bool) {
	if offset+frameHeader > len(file) {
		return nil, 0, false
	}
	header := file[offset : offset+frameHeader]
	if binary.LittleEndian.Uint32(header[8:]) != headerSum(header, int64(offset)) {
		return nil, 0, false
	}
	length := int(binary.LittleEndian.Uint32(header))
	start := offset + frameHeader
	if length > len(file)-start {
		return nil, 0, false
	}
	payload = file[start : start+length]
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(header[4:]) {
		return nil, 0, false
	}
	return payload, start + length, true
}

// scanFrames calls visit for each frame's payload and returns where the last good one ends. What follows
// is a torn write if nothing after it can be read, and an error if something can: then the middle of the
// file has been damaged, and cutting it off would forget what was promised.
func scanFrames(file []byte, visit func(payload []byte) error) (end int, err error) {
	for end < len(file) {
		payload, next, ok := frameAt(file, end)
		if !ok {
			break
		}
		if err := visit(payload); err != nil {
			return end, fmt.Errorf("frame at offset %d: %w", end, err)
		}
		end = next
	}
	for later := end + 1; later < len(file); later++ {
		if _, _, ok := frameAt(file, later); ok {
			return end, fmt.Errorf("frame at offset %d is bad, the one at %d is good: %w", end, later, errCorrupt)
		}
	}
	return end, nil
}

// record appends a record to a payload.
func record(payload []byte, kind byte, content []byte) []byte {
	payload = binary.LittleEndian.AppendUint32(append(payload, kind), uint32(len(content)))
	return append(payload, content...)
}

// logFile is what a file of frames says.
type logFile struct {
	index, term uint64 // of the snapshot it goes with
	hard        raftpb.HardState
	entries     []raftpb.Entry
}

func (f *logFile) read(payload []byte) error {
	for len(payload) > 0 {
		if len(payload) < 5 || int(binary.LittleEndian.Uint32(payload[1:])) > len(payload)-5 {
			return fmt.Errorf("record longer than its frame: %w", errCorrupt)
		}
		length := int(binary.LittleEndian.Uint32(payload[1:]))
		if err := f.readRecord(payload[0], payload[5:5+length]); err != nil {
			return err
		}
		payload = payload[5+length:]
	}
	return nil
}

func (f *logFile) readRecord(kind byte, content []byte) error {
	switch kind {
	case recordBase:
		if len(content) != 16 {
			return fmt.Errorf("base record of %d bytes: %w", len(content), errCorrupt)
		}
		f.index, f.term = binary.LittleEndian.Uint64(content), binary.LittleEndian.Uint64(content[8:])
		return nil
	case recordState:
		return f.hard.Unmarshal(append([]byte(nil), content...))
	case recordEntry:
		var e raftpb.Entry
		if err := e.Unmarshal(content); err != nil {
			return err
		}
		return f.add(e)
	}
	return fmt.Errorf("record of unknown kind %q: %w", kind, errCorrupt)
}

// add puts an entry in its place, and drops what was there and after it.
func (f *logFile) add(e raftpb.Entry) error {
	if n := len(f.entries); n > 0 {
		first := f.entries[0].Index
		if e.Index > first+uint64(n) {
			return fmt.Errorf("entry %d after %d: %w", e.Index, first+uint64(n)-1, errCorrupt)
		}
		f.entries = f.entries[:max(e.Index, first)-first]
	}
	f.entries = append(f.entries, e)
	return nil
}

// payload is the first frame of a file that says what f says.
func (f *logFile) payload() []byte {
	base := binary.LittleEndian.AppendUint64(nil, f.index)
	p := record(nil, recordBase, binary.LittleEndian.AppendUint64(base, f.term))
	return appendRecords(p, f.hard, f.entries)
}

func appendRecords(payload []byte, hard raftpb.HardState, entries []raftpb.Entry) []byte {
	if !raft.IsEmptyHardState(hard) {
		payload = record(payload, recordState, mustMarshal(&hard))
	}
	for i := range entries {
		payload = record(payload, recordEntry, mustMarshal(&entries[i]))
	}
	return payload
}

func mustMarshal(m interface{ Marshal() ([]byte, error) }) []byte {
	text, err := m.Marshal()
	if err != nil {
		panic(fmt.Sprintf("marshal: %v", err)) // raft's messages always can be
	}
	return text
}

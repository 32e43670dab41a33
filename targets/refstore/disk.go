package refstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// disk keeps a node's log and snapshots in a directory: one file log-N of frames and the file
// snapshot-N that it goes with. Each snapshot begins a new log file; the highest N counts, older ones
// are being removed. A file appears under its name only when it is complete and synced.
type disk struct {
	dir      string
	n        uint64 // of the current files
	log      *os.File
	size     int64
	state    logFile         // what the current file says, for the next one to begin with
	snapshot raftpb.Snapshot // its metadata only
	unsynced []byte          // no-fsync: frames that exist in this process alone
}

// openDisk reads what the directory holds, cutting off a torn write. It fails if anything else is wrong
// with the files: then the node must not take part, for it might break a promise.
func openDisk(dir string) (*disk, Saved, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, Saved{}, fmt.Errorf("open disk: %w", err)
	}
	d := &disk{dir: dir}
	newest, err := d.newest()
	if err != nil {
		return nil, Saved{}, fmt.Errorf("open disk: %w", err)
	}
	if newest == 0 {
		return d, Saved{}, nil
	}
	d.n = newest
	saved, err := d.load()
	if err != nil {
		return nil, Saved{}, fmt.Errorf("open disk: %w", err)
	}
	return d, saved, nil
}

// newest finds the highest N of a log file, and removes what is left of others.
func (d *disk) newest() (uint64, error) {
	names, err := os.ReadDir(d.dir)
	if err != nil {
		return 0, err
	}
	var newest uint64
	for _, entry := range names {
		var n uint64
		if _, err := fmt.Sscanf(entry.Name(), "log-%d", &n); err == nil && entry.Name() == logName(n) {
			newest = max(newest, n)
		}
	}
	for _, entry := range names {
		name := entry.Name()
		ours := strings.HasPrefix(name, "log-") || strings.HasPrefix(name, "snapshot-")
		if ours && name != logName(newest) && name != snapshotName(newest) {
			if err := os.Remove(filepath.Join(d.dir, name)); err != nil {
				return 0, err
			}
		}
	}
	return newest, nil
}

func logName(n uint64) string      { return fmt.Sprintf("log-%08d", n) }
func snapshotName(n uint64) string { return fmt.Sprintf("snapshot-%08d", n) }

func (d *disk) load() (Saved, error) {
	path := filepath.Join(d.dir, logName(d.n))
	file, err := os.ReadFile(path)
	if err != nil {
		return Saved{}, err
	}
	end, err := scanFrames(file, d.state.read)
	if err != nil {
		return Saved{}, fmt.Errorf("%s: %w", path, err)
	}
	if end == 0 {
		return Saved{}, fmt.Errorf("%s: no first frame: %w", path, errCorrupt)
	}
	snapshot, err := readSnapshot(filepath.Join(d.dir, snapshotName(d.n)))
	if err != nil && (d.state.index > 0 || !errors.Is(err, fs.ErrNotExist)) {
		return Saved{}, err
	}
	if snapshot.Metadata.Index != d.state.index || snapshot.Metadata.Term != d.state.term {
		return Saved{}, fmt.Errorf("%s: goes with a snapshot at %d, not %d: %w", path, d.state.index, snapshot.Metadata.Index, errCorrupt)
	}
	if d.log, err = os.OpenFile(path, os.O_RDWR, 0o644); err != nil {
		return Saved{}, err
	}
	if err := d.log.Truncate(int64(end)); err != nil {
		return Saved{}, err
	}
	if err := d.log.Sync(); err != nil {
		return Saved{}, err
	}
	d.size = int64(end)
	d.snapshot.Metadata = snapshot.Metadata
	entries := append([]raftpb.Entry(nil), d.state.entries...)
	return Saved{HardState: d.state.hard, Snapshot: snapshot, Entries: entries}, nil
}

// readSnapshot reads a snapshot file: CRC, 4 bytes | raftpb.Snapshot.
func readSnapshot(path string) (raftpb.Snapshot, error) {
	var snapshot raftpb.Snapshot
	file, err := os.ReadFile(path)
	if err != nil {
		return snapshot, err
	}
	if len(file) < 4 || crc32.Checksum(file[4:], castagnoli) != binary.LittleEndian.Uint32(file) {
		return snapshot, fmt.Errorf("%s: %w", path, errCorrupt)
	}
	if err := snapshot.Unmarshal(file[4:]); err != nil {
		return snapshot, fmt.Errorf("%s: %w", path, err)
	}
	return snapshot, nil
}

// write does several Writes of a replica with as few syncs as it can. When it returns, those that ask
// for it are durable.
func (d *disk) write(writes []Write) error {
	var payload []byte
	sync := false
	flush := func() error {
		defer func() { payload = nil }()
		return d.append(payload, sync)
	}
	for _, w := range writes {
		sync = sync || w.Sync
		if w.Snapshot != nil {
			if err := flush(); err != nil {
				return err
			}
			if err := d.begin(w); err != nil {
				return err
			}
			continue
		}
		payload = appendRecords(payload, w.HardState, w.Entries)
		if err := d.note(w); err != nil {
			return err
		}
	}
	return flush()
}

// note keeps in memory what the log file says.
func (d *disk) note(w Write) error {
	if !raft.IsEmptyHardState(w.HardState) {
		d.state.hard = w.HardState
	}
	for _, e := range w.Entries {
		if err := d.state.add(e); err != nil {
			return err
		}
	}
	return nil
}

// append writes a frame at the end of the log. Without sync it stays in this process until flush: that
// is the planted bug no-fsync, and a kill loses it.
func (d *disk) append(payload []byte, sync bool) error {
	if len(payload) == 0 {
		return nil
	}
	if d.log == nil {
		if err := d.begin(Write{}); err != nil { // its first frame says all that was noted
			return err
		}
		return nil
	}
	end := d.size + int64(len(d.unsynced))
	d.unsynced = appendFrame(d.unsynced, end, payload)
	if !sync {
		return nil
	}
	return d.flush()
}

// flush makes everything durable that append has kept.
func (d *disk) flush() error {
	if len(d.unsynced) == 0 {
		return nil
	}
	if _, err := d.log.WriteAt(d.unsynced, d.size); err != nil {
		return fmt.Errorf("append to log: %w", err)
	}
	d.size += int64(len(d.unsynced))
	d.unsynced = d.unsynced[:0]
	if err := d.log.Sync(); err != nil {
		return fmt.Errorf("sync log: %w", err)
	}
	return nil
}

// begin starts the next pair of files with w's snapshot, or with none.
func (d *disk) begin(w Write) error {
	next := d.n + 1
	if w.Snapshot != nil {
		body := mustMarshal(w.Snapshot)
		file := binary.LittleEndian.AppendUint32(nil, crc32.Checksum(body, castagnoli))
		if err := d.create(snapshotName(next), append(file, body...)); err != nil {
			return err
		}
		d.snapshot.Metadata = w.Snapshot.Metadata
		d.state.index, d.state.term = w.Snapshot.Metadata.Index, w.Snapshot.Metadata.Term
		d.state.drop(w)
		if err := d.note(w); err != nil {
			return err
		}
	}
	first := appendFrame(nil, 0, d.state.payload())
	if err := d.create(logName(next), first); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(d.dir, logName(next)), os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("begin log: %w", err)
	}
	if d.log != nil {
		// Everything in it is in the new file too.
		_ = d.log.Close()
	}
	old := d.n
	d.n, d.log, d.size, d.unsynced = next, log, int64(len(first)), nil
	return d.remove(old)
}

// drop forgets the entries that a snapshot replaces.
func (f *logFile) drop(w Write) {
	if w.Reset {
		f.entries = nil
	}
	gone := 0
	for gone < len(f.entries) && f.entries[gone].Index <= w.Compact {
		gone++
	}
	f.entries = append([]raftpb.Entry(nil), f.entries[gone:]...)
}

// create puts a file there, complete and durable or not at all.
func (d *disk) create(name string, content []byte) error {
	path := filepath.Join(d.dir, name)
	temporary := path + ".tmp"
	file, err := os.Create(temporary)
	if err != nil {
		return fmt.Errorf("create %s: %w", name, err)
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("create %s: %w", name, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("create %s: %w", name, err)
	}
	return syncDir(d.dir)
}

func syncDir(dir string) error {
	handle, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return errors.Join(handle.Sync(), handle.Close())
}

func (d *disk) remove(n uint64) error {
	for _, name := range []string{logName(n), snapshotName(n)} {
		if err := os.Remove(filepath.Join(d.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", name, err)
		}
	}
	return nil
}

// close makes everything durable and lets go of the files.
func (d *disk) close() error {
	if d.log == nil {
		return nil
	}
	return errors.Join(d.flush(), d.log.Close())
}

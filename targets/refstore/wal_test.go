package refstore

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.etcd.io/raft/v3/raftpb"
	"pgregory.net/rapid"
)

func reopen(t testing.TB, dir string) (*disk, Saved) {
	t.Helper()
	d, saved, err := openDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d, saved
}

func diffSaved(want, got Saved) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty())
}

// drawWrites draws what raft might write: appends that overwrite some of the tail, hard states, and
// snapshots of our own or from a leader.
func drawWrites(t *rapid.T) []Write {
	var writes []Write
	last, base, term := uint64(0), uint64(0), uint64(1)
	for range rapid.IntRange(1, 12).Draw(t, "writes") {
		w := Write{Sync: true, HardState: raftpb.HardState{Term: term, Commit: base}}
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			term++
			if last > base {
				last = rapid.Uint64Range(base, last).Draw(t, "overwrite after")
			}
		case 1:
			if last > base {
				base = rapid.Uint64Range(base+1, last).Draw(t, "snapshot at")
				meta := raftpb.SnapshotMetadata{Index: base, Term: term}
				w = Write{Snapshot: &raftpb.Snapshot{Data: []byte("own"), Metadata: meta}, Compact: base, Sync: true}
			}
		case 2:
			base = last + rapid.Uint64Range(1, 5).Draw(t, "leap")
			last = base
			meta := raftpb.SnapshotMetadata{Index: base, Term: term}
			w.Snapshot, w.Reset = &raftpb.Snapshot{Data: []byte("leader's"), Metadata: meta}, true
		default:
			for range rapid.IntRange(0, 4).Draw(t, "entries") {
				last++
				data := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "data")
				w.Entries = append(w.Entries, raftpb.Entry{Index: last, Term: term, Data: data})
			}
		}
		writes = append(writes, w)
	}
	return writes
}

func TestDiskReturnsWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		d, _ := reopen(t, dir)
		var want simDisk
		for _, w := range drawWrites(rt) {
			if err := d.write([]Write{w}); err != nil {
				rt.Fatal(err)
			}
			want.save(w)
			if rapid.Bool().Draw(rt, "restart") {
				if err := d.close(); err != nil {
					rt.Fatal(err)
				}
				var got Saved
				if d, got = reopen(t, dir); diffSaved(want.saved(), got) != "" {
					rt.Fatal(diffSaved(want.saved(), got))
				}
			}
		}
		if err := d.close(); err != nil {
			rt.Fatal(err)
		}
	})
}

// TestTornWriteIsCutOff tears the last write anywhere and damages what is left of it: the node must
// find exactly what was synced before, or the whole write.
func TestTornWriteIsCutOff(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		d, _ := reopen(t, dir)
		var want simDisk
		for _, w := range append([]Write{{HardState: raftpb.HardState{Term: 1}}}, drawWrites(rt)...) {
			if err := d.write([]Write{w}); err != nil {
				rt.Fatal(err)
			}
			want.save(w)
		}
		synced := d.size
		lost := Write{HardState: raftpb.HardState{Term: 99, Vote: 3}, Sync: true}
		if err := d.write([]Write{lost}); err != nil {
			rt.Fatal(err)
		}
		path, full := filepath.Join(dir, logName(d.n)), d.size
		if err := d.close(); err != nil {
			rt.Fatal(err)
		}
		tear(rt, path, synced, full)
		_, got, err := openDisk(dir)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := diffSaved(want.saved(), got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// tear leaves of the file's last write only a part, or all of it with a wrong byte.
func tear(rt *rapid.T, path string, synced, full int64) {
	file, err := os.ReadFile(path)
	if err != nil {
		rt.Fatal(err)
	}
	cut := rapid.Int64Range(synced, full).Draw(rt, "cut")
	if cut == full || rapid.Bool().Draw(rt, "damage") && cut > synced {
		file[rapid.Int64Range(synced, cut-1).Draw(rt, "damaged byte")] ^= 0x40
	}
	if err := os.WriteFile(path, file[:cut], 0o644); err != nil {
		rt.Fatal(err)
	}
}

func TestDamageInTheMiddleIsRefused(t *testing.T) {
	dir := t.TempDir()
	d, _ := reopen(t, dir)
	for i := range uint64(5) {
		if err := d.write([]Write{{Entries: []raftpb.Entry{{Index: i + 1, Term: 1, Data: []byte("promised")}}, Sync: true}}); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, logName(d.n))
	end := d.size
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := end - int64(len(appendFrame(nil, 0, record(nil, recordEntry, make([]byte, 16)))))
	for at := range last {
		bad := append([]byte(nil), good...)
		bad[at] ^= 1
		if err := os.WriteFile(path, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := openDisk(dir); !errors.Is(err, errCorrupt) {
			t.Fatalf("byte %d of %d damaged: got error %v, want %v", at, end, err, errCorrupt)
		}
	}
}

func TestUnsyncedWritesAreLostWithTheProcess(t *testing.T) {
	dir := t.TempDir()
	d, _ := reopen(t, dir)
	kept := Write{HardState: raftpb.HardState{Term: 3}, Sync: true}
	lost := Write{HardState: raftpb.HardState{Term: 4}}
	if err := d.write([]Write{kept}); err != nil {
		t.Fatal(err)
	}
	if err := d.write([]Write{lost}); err != nil {
		t.Fatal(err)
	}
	if _, saved := reopen(t, dir); saved.HardState.Term != 3 {
		t.Errorf("after a kill: term %d, want 3", saved.HardState.Term)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	if _, saved := reopen(t, dir); saved.HardState.Term != 4 {
		t.Errorf("after a graceful end: term %d, want 4", saved.HardState.Term)
	}
}

package results

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestTruncatedAtEveryByte(t *testing.T) {
	h := storyHistory()[:6]
	whole := text(h)
	for n := range len(whole) + 1 {
		got, damage, err := ReadHistory(bytes.NewReader(whole[:n]))
		if err != nil {
			t.Fatal(n, err)
		}
		kept := bytes.Count(whole[:n], []byte("\n"))
		torn := n > 0 && whole[n-1] != '\n'
		if n < len(whole) && whole[n] == '\n' && torn { // only the line's end is missing
			kept, torn = kept+1, false
		}
		sameHistory(t, got, h[:kept])
		switch {
		case torn && (damage == nil || damage.Line != kept+1 || damage.Kept != kept):
			t.Errorf("cut at byte %d: got damage %v, want it at line %d", n, damage, kept+1)
		case !torn && damage != nil:
			t.Errorf("cut at byte %d, after a line: got damage %v", n, damage)
		}
	}
}

func TestTruncatedZstd(t *testing.T) {
	h := registerHistory(20_000)
	var packed bytes.Buffer
	if err := pack(&packed, bytes.NewReader(text(h))); err != nil {
		t.Fatal(err)
	}
	whole := packed.Bytes()
	for _, n := range []int{5, 100, len(whole) / 2, len(whole) * 9 / 10, len(whole) - 5, len(whole) - 1} {
		got, damage, err := ReadHistory(bytes.NewReader(whole[:n]))
		if err != nil {
			t.Fatal(n, err)
		}
		if damage == nil || damage.Kept != len(got) || damage.Line != len(got)+1 || !strings.Contains(damage.String(), "cut off") {
			t.Errorf("cut at %d of %d bytes: got %d ops, damage %v", n, len(whole), len(got), damage)
		}
		sameHistory(t, got, h[:len(got)])
		if n > len(whole)/2+1 && len(got) == 0 {
			t.Errorf("cut at %d of %d bytes: kept nothing", n, len(whole))
		}
	}
	whole[len(whole)/2] ^= 0x55
	if got, damage, err := ReadHistory(bytes.NewReader(whole)); err != nil || damage == nil {
		t.Errorf("a flipped byte: got %d ops, damage %v, error %v", len(got), damage, err)
	}
}

func TestReadNamesTheLine(t *testing.T) {
	const good = `{"process":0,"type":"invoke","f":"read"}`
	for _, c := range []struct {
		name, in   string
		line, kept int
		reason     string
	}{
		{"in the middle", good + "\n\n{oops}\n" + good, 3, 1, "column 2"},
		{"unknown type", good + "\n" + strings.Replace(good, "invoke", "begin", 1), 2, 1, `type is "begin"`},
		{"not JSON at all", "<html>", 1, 0, "expected"},
		{"binary", "\x00\x01\x02", 1, 0, "expected"},
		{"two on a line", good + good, 1, 0, "the end is expected"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, damage, err := ReadHistory(strings.NewReader(c.in))
			if err != nil || damage == nil {
				t.Fatalf("damage %v, error %v", damage, err)
			}
			if damage.Line != c.line || damage.Kept != c.kept || len(h) != c.kept || !strings.Contains(damage.Reason, c.reason) {
				t.Errorf("got %d ops, %v; want line %d, %d ops, %q", len(h), damage, c.line, c.kept, c.reason)
			}
		})
	}
}

func TestReadWithoutIndexes(t *testing.T) {
	const line = `{"process":0,"type":"invoke","f":"read"}`
	h, damage, err := ReadHistory(strings.NewReader("\n" + line + "\r\n\n  \n" + line))
	if err != nil || damage != nil || len(h) != 2 || h[0].Index != 0 || h[1].Index != 1 {
		t.Errorf("got %v, damage %v, error %v", h, damage, err)
	}
	if h, damage, err = ReadHistory(strings.NewReader("")); err != nil || damage != nil || len(h) != 0 {
		t.Errorf("an empty file: got %v, damage %v, error %v", h, damage, err)
	}
}

func TestReadersOwnTroubleIsAnError(t *testing.T) {
	broken := errors.New("the disk is gone")
	in := io.MultiReader(bytes.NewReader(text(storyHistory())), iotest.ErrReader(broken))
	if _, _, err := ReadHistory(in); !errors.Is(err, broken) {
		t.Errorf("got error %v, want %v", err, broken)
	}
}

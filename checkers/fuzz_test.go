package checkers_test

import (
	"encoding/json"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/checkers/internal/script"
)

// fuzz feeds a checker whatever JSON lines come along: it must not panic, nor
// pass what it has not looked at, and its finding must be JSON.
func fuzz(f *testing.F, c *fallacy.Checker, seeds ...string) {
	for _, s := range seeds {
		f.Add(script.JSON(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		finding, err := c.Check(t.Context(), script.Lines(data))
		if err != nil {
			return
		}
		if finding.Verdict == fallacy.Valid && finding.Examined == 0 {
			t.Error("valid with nothing examined")
		}
		if _, err := json.Marshal(finding); err != nil {
			t.Error(err)
		}
	})
}

func FuzzSet(f *testing.F) {
	fuzz(f, checkers.Set(), "0 invoke add 1\n0 ok add 1\n1 invoke read null\n1 ok read [1,1,2]", "0 invoke read null\n1 invoke add 1\n0 ok read [1]\n1 info add 1")
}

func FuzzCounter(f *testing.F) {
	fuzz(f, checkers.Counter(), "0 invoke add 1\n1 invoke read null\n0 ok add 1\n1 ok read 2", "0 invoke add -3\n0 info add -3\n1 invoke read null\n1 ok read 1")
}

func FuzzQueue(f *testing.F) {
	fuzz(f, checkers.Queue(), "0 invoke enqueue 1\n0 ok enqueue 1\n1 invoke dequeue null\n1 ok dequeue 1\n1 invoke dequeue null\n1 fail dequeue null # empty")
}

func FuzzLock(f *testing.F) {
	fuzz(f, checkers.Lock(), "0 invoke acquire \"a\"\n0 ok acquire [\"a\",1]\n1 invoke guard [1,5]\n1 ok guard [1,5]")
}

// FuzzRun fuzzes the checkers that say how the run went.
func FuzzRun(f *testing.F) {
	seed := "0 invoke read null @n1\nnemesis/kill invoke inject null\nnemesis/kill info inject null\n0 ok read 1 @n1\nnemesis/kill invoke heal null\nnemesis/kill info heal null"
	f.Add(script.JSON(seed))
	f.Fuzz(func(t *testing.T, data []byte) {
		h := script.Lines(data)
		for _, j := range checkers.Judge(t.Context(), h, []*fallacy.Checker{checkers.Stats(), checkers.Coverage([]string{"kill"}), checkers.Recovery()}, checkers.Options{}) {
			if j.Finding.Verdict == fallacy.Invalid {
				t.Errorf("%s is never invalid", j.Checker)
			}
		}
	})
}

// FuzzShelf feeds all checkers, with what they usually claim and with more.
func FuzzShelf(f *testing.F) {
	for _, seed := range shelfSeeds {
		f.Add(script.JSON(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h := script.Lines(data)
		all := checkers.All()
		for _, c := range strict() {
			all = append(all, c)
		}
		for _, c := range all {
			finding, err := c.Check(t.Context(), h)
			if err != nil {
				continue
			}
			if finding.Verdict == fallacy.Valid && finding.Examined == 0 {
				t.Errorf("%s: valid with nothing examined", c.Name)
			}
			if _, err := json.Marshal(finding); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
	})
}

var shelfSeeds = []string{
	"0 invoke add 1\n0 ok add 1\n1 invoke read null\n1 ok read [1,1,2]",
	"0 invoke enqueue 1\n0 ok enqueue 1\n1 invoke drain null\n1 ok drain [1,2]",
	"0 invoke send [\"k\",1]\n0 ok send [\"k\",[0,1]]\n1 invoke poll null\n1 ok poll [[\"k\",[[0,1],[2,2]]]]\n1 invoke assign null\n1 ok assign null",
	"0 invoke generate null\n0 ok generate 1\n1 invoke generate null\n1 ok generate 1",
	"0 invoke read null\n0 ok read {\"a\":1}\n0 invoke transfer null\n0 ok transfer null",
	"0 invoke txn [[\"w\",1,1]]\n0 ok txn [[\"w\",1,1]]\n1 invoke txn [[\"r\",1,null],[\"r\",2,null]]\n1 ok txn [[\"r\",1,1],[\"r\",2,null]]",
	"0 invoke write [\"x\",1]\n0 ok write [\"x\",[1,1]]\n1 invoke read [\"x\",null]\n1 ok read [\"x\",[1,1]]",
	"0 invoke write [\"x\",1]\n0 ok write [\"x\",1]\n1 invoke read [\"x\",null]\n1 ok read [\"x\",1]",
	"0 invoke insert [1,[5,null]]\n0 ok insert [1,[5,null]]\n1 invoke insert [1,[null,6]]\n1 ok insert [1,[null,6]]",
	"0 invoke acquire null\n0 ok acquire [\"a\",1]\n0 invoke release null\n0 info release null\n1 invoke acquire null\n1 fail acquire null # held",
	"0 invoke grant [1,2000]\n0 ok grant [1,2000]\n1 invoke read null\n1 ok read [1]\n0 invoke keepalive [1,null]\n0 ok keepalive [1,0]\n0 invoke revoke [1,null]\n0 ok revoke [1,null]",
	"0 invoke leader null @n1\n0 ok leader [1,\"n1\"] @n1\n0 invoke leader null @n1\n0 ok leader [0,null] @n1",
	"1 invoke watch 4\n1 ok watch [[6,\"x\",2],[5,null,null]]\n0 invoke write [\"x\",1]\n0 ok write [\"x\",[5,1]]",
	"0 invoke read null @n1\nnemesis/kill invoke inject null\nnemesis/kill info inject null\n0 ok read 1 @n1\nnemesis/kill invoke heal null\nnemesis/kill info heal null",
}

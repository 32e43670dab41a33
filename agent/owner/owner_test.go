package owner

import (
	"os"
	"testing"
)

func TestOwner(t *testing.T) {
	me := Self()
	if o, ok := Parse(me.String()); !ok || o != me {
		t.Errorf("got %v, %v; want %v", o, ok, me)
	}
	for name, c := range map[string]struct {
		change func(*Owner)
		dead   bool
	}{
		"alive":                        {func(*Owner) {}, false},
		"gone":                         {func(o *Owner) { o.pid = 1 << 30 }, true},
		"before the last boot":         {func(o *Owner) { o.boot = "another" }, true},
		"its number is another's now":  {func(o *Owner) { o.start = "1" }, startOf(os.Getpid()) != ""},
		"on another machine, unknown":  {func(o *Owner) { o.host, o.pid = "elsewhere", 1<<30 }, false},
		"on another machine, any boot": {func(o *Owner) { o.host, o.boot = "elsewhere", "another" }, false},
	} {
		o := me
		if c.change(&o); o.Dead() != c.dead {
			t.Errorf("%s: dead is %v, want %v", name, o.Dead(), c.dead)
		}
	}
	for _, bad := range []string{"", "a/b/c", "a/b/x/1", "a/b/-1/1"} {
		if o, ok := Parse(bad); ok {
			t.Errorf("%q: got %v, want a refusal", bad, o)
		}
	}
}

package refstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// cluster is a set of real processes on loopback: this test binary, run again as nodes.
type cluster struct {
	t         *testing.T
	target    fallacy.Target
	nodes     []fallacy.Node
	processes map[string]*exec.Cmd
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func newCluster(t *testing.T, size int, bug string) *cluster {
	t.Helper()
	made, err := Kind.New(fallacy.TargetOptions{Nodes: size, Bug: bug})
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, target: made, processes: map[string]*exec.Cmd{}}
	for i := range size {
		c.addNode(fmt.Sprintf("n%d", i+1))
	}
	t.Cleanup(func() {
		for name := range c.processes {
			c.kill(name)
		}
	})
	return c
}

// addNode makes up a node's addresses, and tells them to all.
func (c *cluster) addNode(name string) {
	ports := map[string]string{"client": freeAddr(c.t), "peer": freeAddr(c.t)}
	n := fallacy.Node{Name: name, Dir: filepath.Join(c.t.TempDir(), name), Listen: ports, Public: ports, Peers: map[string]map[string]string{}}
	c.nodes = append(c.nodes, n)
	for _, a := range c.nodes {
		a.Peers[name] = ports
		n.Peers[a.Name] = a.Listen
	}
}

func (c *cluster) node(name string) fallacy.Node {
	for _, n := range c.nodes {
		if n.Name == name {
			return n
		}
	}
	c.t.Fatalf("no node %s", name)
	return fallacy.Node{}
}

func (c *cluster) start(name string, more ...string) {
	c.t.Helper()
	p, err := c.target.Process(c.node(name), c.nodes)
	if err != nil {
		c.t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.Command(self, append(p.Argv[1:], more...)...)
	cmd.Stderr = c.t.Output()
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.processes[name] = cmd
}

func (c *cluster) startAll() {
	c.t.Helper()
	for _, n := range c.nodes {
		c.start(n.Name)
	}
	for _, n := range c.nodes {
		c.eventually("ready "+n.Name, func(ctx context.Context) error { return c.target.Ready(ctx, n) })
	}
}

func (c *cluster) kill(name string) {
	if cmd := c.processes[name]; cmd != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed: an error, of course
		delete(c.processes, name)
	}
}

func (c *cluster) terminate(name string) {
	c.t.Helper()
	cmd := c.processes[name]
	delete(c.processes, name)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		c.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		c.t.Errorf("%s after SIGTERM: %v", name, err)
	}
}

// eventually calls f until it succeeds.
func (c *cluster) eventually(what string, f func(ctx context.Context) error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 15*time.Second)
	defer cancel()
	for {
		err := f(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			c.t.Fatalf("%s: %v", what, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (c *cluster) conn(name string) *Conn {
	c.t.Helper()
	opened, err := c.target.Open(c.t.Context(), c.node(name))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = opened.Close() })
	return opened.(*Conn)
}

func (c *cluster) leader() string {
	var names []string
	c.eventually("find the leader", func(ctx context.Context) (err error) {
		names, err = c.target.(fallacy.Primaries).Primaries(ctx, c.nodes)
		if err == nil && len(names) != 1 {
			err = fmt.Errorf("leaders: %v", names)
		}
		return err
	})
	return names[0]
}

func (c *cluster) wantRead(name, key string, want int) {
	c.t.Helper()
	conn := c.conn(name)
	c.eventually(fmt.Sprintf("read %s at %s", key, name), func(ctx context.Context) error {
		got, found, err := conn.Read(ctx, key)
		if err == nil && (!found || got != want) {
			c.t.Fatalf("read %s at %s: got %d (%v), want %d", key, name, got, found, want)
		}
		return err
	})
}

func TestProcessesSurviveKillsAndRestarts(t *testing.T) {
	c := newCluster(t, 3, "")
	c.startAll()
	leader := c.leader()
	if err := c.conn(leader).Write(t.Context(), "x", 1); err != nil {
		t.Fatal(err)
	}
	for _, n := range c.nodes {
		c.wantRead(n.Name, "x", 1)
	}
	c.kill(leader)
	if _, _, err := c.conn(leader).Read(t.Context(), "x"); !errors.Is(err, fallacy.ErrFailed) {
		t.Errorf("read from a dead node: got %v, want %v", err, fallacy.ErrFailed)
	}
	if err := c.conn(leader).Write(t.Context(), "x", 9); !errors.Is(err, fallacy.ErrFailed) {
		t.Errorf("write to a dead node: got %v, want %v", err, fallacy.ErrFailed)
	}
	other := c.conn(c.leader())
	c.eventually("write after the leader's death", func(ctx context.Context) error { return other.Write(ctx, "x", 2) })
	c.start(leader)
	c.wantRead(leader, "x", 2)
	for _, n := range c.nodes {
		c.terminate(n.Name)
	}
	c.startAll()
	c.wantRead("n1", "x", 2)
}

func TestProcessesWithoutFsyncForget(t *testing.T) {
	c := newCluster(t, 3, BugNoFsync)
	c.startAll()
	if err := c.conn("n1").Write(t.Context(), "x", 1); err != nil {
		t.Fatal(err)
	}
	for _, n := range c.nodes {
		c.kill(n.Name)
	}
	c.startAll()
	c.eventually("read", func(ctx context.Context) error {
		_, found, err := c.conn("n2").Read(ctx, "x")
		if found {
			t.Fatal("a write survived that was never synced")
		}
		return err
	})
}

func TestEveryOperationOverTheWire(t *testing.T) {
	c := newCluster(t, 1, "")
	c.startAll()
	ctx, conn := t.Context(), c.conn("n1")
	check := func(what string, got, want any, err error) {
		t.Helper()
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, %v; want %v", what, got, err, want)
		}
	}
	_, found, err := conn.Read(ctx, "x")
	check("read of nothing", found, false, err)
	seen, err := conn.CompareAndSet(ctx, "x", 1, 2)
	if !errors.Is(err, fallacy.ErrFailed) || !seen.IsNil() {
		t.Errorf("cas of nothing: got %v, %v; want nil, a refusal", seen, err)
	}
	check("write", nil, nil, conn.Write(ctx, "x", 1))
	_, err = conn.CompareAndSet(ctx, "x", 1, 2)
	check("cas", nil, nil, err)
	seen, err = conn.CompareAndSet(ctx, "x", 1, 3)
	if !errors.Is(err, fallacy.ErrFailed) || seen.String() != "2" {
		t.Errorf("cas of another value: got %v, %v; want 2, a refusal", seen, err)
	}
	ops := []fallacy.MicroOp{
		{F: "append", Key: fallacy.Int(7), Value: fallacy.Int(1)}, {F: "r", Key: fallacy.Int(7)}, {F: "r", Key: fallacy.String("x")},
	}
	done, err := conn.Txn(ctx, ops)
	check("txn", fallacy.Txn(done...), `[["append",7,1],["r",7,[1]],["r","x",2]]`, err)
	check("add", nil, nil, errors.Join(conn.Add(ctx, 5), conn.Add(ctx, 3), conn.Add(ctx, 5)))
	elements, err := conn.Elements(ctx)
	check("elements", elements, []int{5, 3}, err)
	check("increment", nil, nil, errors.Join(conn.Increment(ctx, 5), conn.Increment(ctx, -2)))
	count, err := conn.Count(ctx)
	check("count", count, 3, err)
	for want := 1; want < 4; want++ {
		offset, err := conn.Send(ctx, "s", 10*want)
		check("send", offset, want, err)
	}
	for after, want := range []string{"[[1 10] [2 20] [3 30]]", "[[2 20] [3 30]]", "[[3 30]]", "[]"} {
		records, err := conn.Records(ctx, "s", after)
		check("records", records, want, err)
	}
	check("enqueue", nil, nil, errors.Join(conn.Enqueue(ctx, 4), conn.Enqueue(ctx, 0)))
	for _, want := range []string{"4 true", "0 true", "0 false"} {
		element, ok, err := conn.Dequeue(ctx)
		check("dequeue", fmt.Sprint(element, ok), want, err)
	}
	checkLock(t, conn)
}

func checkLock(t *testing.T, conn *Conn) {
	t.Helper()
	ctx := t.Context()
	token, err := conn.Acquire(ctx, "a")
	if err != nil || token != 1 {
		t.Fatalf("acquire: got %d, %v; want 1", token, err)
	}
	if _, err := conn.Acquire(ctx, "b"); !errors.Is(err, fallacy.ErrFailed) {
		t.Errorf("acquire what is held: got %v, want %v", err, fallacy.ErrFailed)
	}
	if err := conn.Guard(ctx, token, 10); err != nil {
		t.Errorf("guard: %v", err)
	}
	second := 0
	for second == 0 && ctx.Err() == nil { // until the lease has run out
		if second, err = conn.Acquire(ctx, "b"); err != nil && !errors.Is(err, fallacy.ErrFailed) {
			t.Fatal(err)
		}
	}
	if second != 2 {
		t.Errorf("second token is %d, want 2", second)
	}
	if err := conn.Guard(ctx, token, 11); !errors.Is(err, fallacy.ErrFailed) {
		t.Errorf("guard with a stale token: got %v, want %v", err, fallacy.ErrFailed)
	}
	if err := conn.Release(ctx, "b", second); err != nil {
		t.Errorf("release: %v", err)
	}
}

func TestMembershipChanges(t *testing.T) {
	c := newCluster(t, 3, "")
	c.startAll()
	if err := c.conn("n1").Write(t.Context(), "x", 1); err != nil {
		t.Fatal(err)
	}
	c.addNode("n4")
	fourth := c.node("n4")
	c.start("n4", "--join")
	change := func(q Request) {
		t.Helper()
		c.eventually("change membership", func(ctx context.Context) error {
			_, err := c.conn("n2").call(ctx, q)
			return err
		})
	}
	change(Request{Op: OpMember, Member: &Member{ID: 4, Name: "n4", PeerAddr: fourth.Listen["peer"]}})
	c.wantRead("n4", "x", 1)
	change(Request{Op: OpMember, Remove: true, Member: &Member{ID: 3, Name: "n3"}})
	c.kill("n3")
	c.eventually("write without n3", func(ctx context.Context) error { return c.conn("n4").Write(ctx, "x", 2) })
	status, err := askStatus(t.Context(), fourth)
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := json.Marshal(memberIDs(status.Members)); err != nil || string(ids) != "[1,2,4]" {
		t.Errorf("members are %s, want [1,2,4]", ids)
	}
}

package remotetest

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent"
)

// Part is the environment variable that says which part a test binary plays.
const Part = "FALLACY_TEST_PART"

// Orphans is the environment variable that makes a target leave orphans behind,
// where somebody is to reap them.
const Orphans = "FALLACY_TEST_ORPHANS"

// Play plays the part that the environment asks for, one of more or of its own,
// and tells whether there was one.
func Play(more map[string]func()) bool {
	part := os.Getenv(Part)
	switch part {
	case "":
		return false
	case "agent":
		playAgent()
	case "target":
		playTarget(os.Args[1])
	case "parent": // of orphans
		for range 3 {
			_ = start("orphan")
		}
	case "orphan":
		<-time.After(100 * time.Millisecond)
	default:
		more[part]()
	}
	return true
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// playAgent is what fallacy agent does; what the agent starts is the target.
func playAgent() {
	if os.Getpid() == 1 {
		fatal(agent.Init(context.Background()))
		return
	}
	var o agent.Options
	f := flag.NewFlagSet("agent", flag.ExitOnError)
	f.StringVar(&o.Dir, "dir", "", "")
	f.StringVar(&o.Host, "host", "127.0.0.1", "")
	f.StringVar(&o.Bin, "bin", "", "")
	f.IntVar(&o.FirstPort, "first-port", 0, "")
	f.BoolVar(&o.Packets, "packets", false, "")
	f.Func("image", "", func(text string) error { return json.Unmarshal([]byte(text), &o.Image) })
	_ = f.Parse(os.Args[1:]) // it exits
	fatal(os.Setenv(Part, "target"))
	fatal(agent.Serve(context.Background(), stdio{}, o))
}

type stdio struct{}

func (stdio) Read(p []byte) (int, error)  { return os.Stdin.Read(p) }
func (stdio) Write(p []byte) (int, error) { return os.Stdout.Write(p) }
func (stdio) Close() error                { return os.Stdin.Close() }

// start starts this program in another part.
func start(part string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), Part+"="+part)
	fatal(cmd.Start())
	return cmd
}

// playTarget listens, and tells whoever connects the time on its clock, how many
// processes it sees, and how many of them are dead and nobody reaped.
func playTarget(addr string) {
	l, err := net.Listen("tcp", addr)
	fatal(err)
	if os.Getenv(Orphans) != "" {
		_ = start("parent").Wait() // its exit status says nothing
	}
	fmt.Println("listening")
	go func() {
		for range time.Tick(10 * time.Millisecond) { // as servers do all the time
		}
	}()
	for {
		c, err := l.Accept()
		if err != nil {
			continue
		}
		processes, zombies := census()
		fmt.Fprintln(c, time.Now().UnixNano(), processes, zombies)
		c.Close()
	}
}

// census counts the processes that there are, and those among them that have ended.
func census() (processes, zombies int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is fine
	for _, path := range stats {
		stat, _ := os.ReadFile(path) // one that is gone has none
		if strings.Contains(string(stat), ") Z ") {
			zombies++
		}
	}
	return len(stats), zombies
}

// Target is the program as a target.
type Target struct{}

// Process is fallacy.Target's.
func (Target) Process(n fallacy.Node, _ []fallacy.Node) (fallacy.Process, error) {
	return fallacy.Process{
		Argv: []string{fallacy.Self, n.Listen["client"]}, Files: map[string]string{"etc/conf": "x"}, Logs: []string{"etc/conf"},
	}, nil
}

// Ready is fallacy.Target's.
func (Target) Ready(_ context.Context, n fallacy.Node) error {
	_, err := Ask(n)
	return err
}

// Open is fallacy.Target's, and not used.
func (Target) Open(context.Context, fallacy.Node) (fallacy.Conn, error) {
	return nil, errors.New("not used")
}

// Answer is what a node's target says of itself.
type Answer struct {
	Skew               time.Duration
	Processes, Zombies int
}

// Ask asks it.
func Ask(n fallacy.Node) (a Answer, err error) {
	c, err := net.DialTimeout("tcp", n.Public["client"], time.Second)
	if err != nil {
		return a, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return a, err
	}
	text, err := io.ReadAll(c)
	if err != nil {
		return a, err
	}
	var ns int64
	_, err = fmt.Sscan(string(text), &ns, &a.Processes, &a.Zombies)
	a.Skew = time.Duration(ns - time.Now().UnixNano())
	return a, err
}

package refstore

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Main is the command line of a node: fallacy refstore --id n1 … It runs until SIGTERM or SIGINT and
// returns the process's exit code: 0 after a graceful end, 1 when something failed, 2 for bad arguments.
func Main(args []string) int {
	opts, seed, err := parseFlags(args, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "refstore: %v\n", err)
		return 2
	}
	if seed != 0 {
		crand.Reader = seededReader(seed, opts.ID)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := Serve(ctx, opts, nil); err != nil {
		fmt.Fprintf(os.Stderr, "refstore: %v\n", err)
		return 1
	}
	return 0
}

// seededReader stands in for crypto/rand.Reader, from which raft draws its election timeouts. Each node
// gets numbers of its own, or all would stand for election at the same time, every time.
func seededReader(seed, id uint64) io.Reader {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], id)
	return rand.NewChaCha8(key)
}

func parseFlags(args []string, stderr io.Writer) (opts Options, seed uint64, err error) {
	flags := flag.NewFlagSet("refstore", flag.ContinueOnError)
	flags.SetOutput(stderr)
	id := flags.String("id", "", "this node's `name`, as in --peers")
	peers := flags.String("peers", "", "`name=host:port,…` of all nodes that found the cluster, and how to reach them from here")
	level := flags.String("log-level", "info", "least important lines to log: "+strings.Join(levels, ", "))
	flags.StringVar(&opts.ListenClient, "listen-client", "127.0.0.1:0", "`host:port` for clients")
	flags.StringVar(&opts.ListenPeer, "listen-peer", "127.0.0.1:0", "`host:port` for the other nodes")
	flags.StringVar(&opts.Dir, "dir", "", "`directory` for the log and snapshots")
	flags.BoolVar(&opts.Join, "join", false, "start empty and wait to be added, with --peers only to reach the others")
	flags.StringVar(&opts.Bug, "bug", "", "plant the bug of this `name`")
	flags.DurationVar(&opts.Tick, "tick", 20*time.Millisecond, "length of a tick")
	flags.IntVar(&opts.ElectionTicks, "election-ticks", 10, "ticks without a leader before an election")
	flags.IntVar(&opts.HeartbeatTicks, "heartbeat-ticks", 2, "ticks between heartbeats")
	flags.Uint64Var(&opts.SnapshotEvery, "snapshot-every", 5000, "entries between snapshots")
	flags.DurationVar(&opts.RequestTimeout, "request-timeout", 0, "answer that nobody knows after this; 0: 2s, or less if the planted bug needs it")
	flags.Uint64Var(&seed, "seed", 0, "draw election timeouts from this seed; 0: at random")
	if err := flags.Parse(args); err != nil {
		return opts, 0, err
	}
	opts.Stderr = stderr
	opts.LogLevel = slices.Index(levels, *level)
	if opts.Members, opts.Peers, err = parsePeers(*peers); err != nil {
		return opts, 0, err
	}
	opts.ID = nodeID(*id)
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case *id == "":
		err = errors.New("--id is missing")
	case opts.Dir == "":
		err = errors.New("--dir is missing")
	case opts.LogLevel < 0:
		err = fmt.Errorf("--log-level %q: want one of %s", *level, strings.Join(levels, ", "))
	case opts.Bug != "" && !isBug(opts.Bug):
		err = fmt.Errorf("--bug %q: unknown", opts.Bug)
	case !opts.Join && !slices.ContainsFunc(opts.Members, func(m Member) bool { return m.ID == opts.ID }):
		err = fmt.Errorf("--id %s is not among --peers", *id)
	}
	opts.Incarnation = incarnation()
	return opts, seed, err
}

// incarnation must differ from that of every earlier life of the node, whatever the clock says.
func incarnation() uint64 {
	var b [8]byte
	_, _ = crand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// parsePeers reads name=host:port,… The members come in order of their IDs.
func parsePeers(text string) ([]Member, map[uint64]string, error) {
	var members []Member
	addrs := map[uint64]string{}
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		name, addr, ok := strings.Cut(part, "=")
		if !ok || name == "" || addr == "" {
			return nil, nil, fmt.Errorf("--peers: %q is not name=host:port", part)
		}
		id := nodeID(name)
		if addrs[id] != "" {
			return nil, nil, fmt.Errorf("--peers: %s comes twice", name)
		}
		addrs[id] = addr
		members = append(members, Member{ID: id, Name: name})
	}
	slices.SortFunc(members, func(a, b Member) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return members, addrs, nil
}

// nodeID turns a node's name into raft's number for it: the number at its end when there is one, so that
// n3 is 3 in raft's log lines; else a hash, out of the way of such numbers.
func nodeID(name string) uint64 {
	digits := name[len(strings.TrimRight(name, "0123456789")):]
	if n, err := strconv.ParseUint(digits, 10, 32); err == nil && n > 0 {
		return n
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(name)) // never fails
	return hash.Sum64()>>2 | 1<<40
}

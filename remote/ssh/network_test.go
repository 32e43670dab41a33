package ssh_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy/remote/remotetest"
	gossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// The test binary plays all the parts, and runs its tests in a network of its
// own: one namespace for the controller, with a bridge in it, and one for each
// machine that is reached by SSH.
func TestMain(m *testing.M) {
	if remotetest.Play(map[string]func(){"controller": playController}) {
		return
	}
	inside := os.Getenv(namespace)
	if inside == "" {
		if names, err := makeNetwork(); err == nil {
			os.Exit(again(names))
		} else {
			lacking = err
		}
	}
	code := m.Run()
	_ = os.RemoveAll(built)
	os.Exit(code)
}

// namespace is the environment variable that names the controller's.
const namespace = "FALLACY_TEST_NAMESPACE"

var (
	lacking error  // why there is no network
	built   string // the directory that staticSelf makes
)

// machines are the names of the nodes, and their number is their address's last.
var machines = []string{"n1", "n2", "n3"}

func address(i int, six bool) string {
	if six {
		return fmt.Sprintf("fd98::%d", i+1)
	}
	return fmt.Sprintf("10.98.0.%d", i+1)
}

// makeNetwork returns the names of the namespaces, the controller's first.
func makeNetwork() ([]string, error) {
	if os.Getuid() != 0 {
		return nil, errors.New("only root makes network namespaces")
	}
	base := fmt.Sprintf("fallacy-ssh-%d-", os.Getpid())
	names := []string{base + "c"}
	c := names[0]
	commands := []string{
		"netns add " + c, "-n " + c + " link set lo up", "-n " + c + " link add br0 type bridge", "-n " + c + " link set br0 up",
		"-n " + c + " addr add 10.98.0.254/24 dev br0", "-n " + c + " addr add fd98::fe/64 dev br0 nodad",
	}
	for i, m := range machines {
		ns, port := base+m, "p"+strconv.Itoa(i)
		names = append(names, ns)
		commands = append(commands, "netns add "+ns, "-n "+ns+" link set lo up",
			"link add "+port+" netns "+c+" type veth peer name eth0 netns "+ns,
			"-n "+c+" link set "+port+" master br0", "-n "+c+" link set "+port+" up",
			"-n "+ns+" addr add "+address(i, false)+"/24 dev eth0", "-n "+ns+" addr add "+address(i, true)+"/64 dev eth0 nodad",
			"-n "+ns+" link set eth0 up")
	}
	for _, args := range commands {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			removeNetwork(names)
			return nil, fmt.Errorf("ip %s: %w: %s", args, err, out)
		}
	}
	return names, nil
}

func removeNetwork(names []string) {
	for _, n := range names {
		_ = exec.Command("ip", "netns", "del", n).Run() // it may not have been made
	}
}

// again runs this test in the controller's namespace.
func again(names []string) int {
	defer removeNetwork(names)
	cmd := exec.Command("ip", append([]string{"netns", "exec", names[0]}, os.Args...)...)
	cmd.Env = append(os.Environ(), namespace+"="+strings.TrimSuffix(names[0], "c"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return cmd.ProcessState.ExitCode()
}

// needNetwork skips the test where it does not run in a network of its own.
func needNetwork(t *testing.T) {
	t.Helper()
	_, err := os.Stat(sshd)
	if err == nil {
		err = lacking
	}
	switch required := os.Getenv("FALLACY_REQUIRE"); {
	case err != nil && (strings.Contains(required, "sshd") || strings.Contains(required, "root")):
		t.Fatal("FALLACY_REQUIRE asks for sshd and root: ", err)
	case err != nil:
		t.Skip("NOT TESTED: ", err)
	}
}

const sshd = "/usr/sbin/sshd"

// staticSelf is this test, built without cgo.
var staticSelf = sync.OnceValues(func() (string, error) {
	var err error
	if built, err = os.MkdirTemp("", "fallacy-ssh-test-"); err != nil {
		return "", err
	}
	path := filepath.Join(built, "fallacy")
	cmd := exec.Command("go", "test", "-c", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the agent: %w\n%s", err, out)
	}
	return path, nil
})

// site is servers with what a client needs to reach them.
type site struct {
	dir, key, known, config string
}

// newKey makes a key pair, and returns the file of the private one.
func newKey(t *testing.T, path string) (string, gossh.PublicKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := gossh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	pub, err := gossh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, pub
}

// newSite starts a real sshd on every machine, and waits until they listen.
func newSite(t *testing.T, six bool) site {
	t.Helper()
	needNetwork(t)
	s := site{dir: t.TempDir()}
	key, public := newKey(t, filepath.Join(s.dir, "id"))
	s.key, s.known, s.config = key, filepath.Join(s.dir, "known_hosts"), filepath.Join(s.dir, "config")
	write(t, filepath.Join(s.dir, "authorized"), string(gossh.MarshalAuthorizedKey(public)))
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // where sshd separates its privileges
		t.Fatal(err)
	}
	var known, config bytes.Buffer
	for i, m := range machines {
		hostKey, hostPublic := newKey(t, filepath.Join(s.dir, m+".key"))
		addr := net.JoinHostPort(address(i, six), "22")
		fmt.Fprintln(&known, knownhosts.Line([]string{addr}, hostPublic))
		fmt.Fprintf(&config, "Host %s\n  HostName %s\n  User root\n  IdentityFile %s\n  UserKnownHostsFile %s\n\n", m, address(i, six), s.key, s.known)
		s.serve(t, m, addr, hostKey)
	}
	fmt.Fprintf(&config, "Host far\n  HostName %s\n  User root\n  IdentityFile %s\n  UserKnownHostsFile %s\n  ProxyJump n1\n", address(1, six), s.key, s.known)
	write(t, s.known, known.String())
	write(t, s.config, config.String())
	return s
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// serve starts sshd in a machine's namespace.
func (s site) serve(t *testing.T, machine, addr, hostKey string) {
	t.Helper()
	file := filepath.Join(s.dir, machine+".conf")
	write(t, file, fmt.Sprintf("ListenAddress %s\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\nSetEnv XDG_CACHE_HOME=%s\n",
		addr, hostKey, filepath.Join(s.dir, "authorized"), filepath.Join(s.dir, "cache")))
	cmd := exec.Command("ip", "netns", "exec", os.Getenv(namespace)+machine, sshd, "-D", "-e", "-f", file)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("sshd of %s: %s", machine, &log)
		}
	})
	remotetest.Eventually(t, func() error {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return err
		}
		return c.Close()
	})
}

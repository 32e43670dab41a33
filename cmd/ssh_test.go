package cmd_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

const sshd = "/usr/sbin/sshd"

// haveSSHD tells whether this machine can be its own nodes by SSH; where
// FALLACY_REQUIRE says that it can, nobody asks.
func haveSSHD() bool {
	if strings.Contains(os.Getenv("FALLACY_REQUIRE"), "sshd") {
		return true
	}
	_, err := os.Stat(sshd)
	return err == nil && os.Getuid() == 0
}

// sshds starts a real sshd for each of n1, n2 and n3, all on the loopback, and
// writes ssh_config and all that it names.
func sshds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: sshds")
	}
	ts.Check(os.MkdirAll("/run/sshd", 0o755)) // where sshd separates its privileges
	public := newKey(ts, "id")
	write(ts, "authorized", string(ssh.MarshalAuthorizedKey(public)))
	var known, config strings.Builder
	for i := range 3 {
		name, host := fmt.Sprintf("n%d", i+1), fmt.Sprintf("127.0.0.%d", i+1)
		addr := freeAddr(ts, host)
		fmt.Fprintln(&known, knownhosts.Line([]string{addr}, newKey(ts, name)))
		_, port, _ := net.SplitHostPort(addr)
		fmt.Fprintf(&config, "Host %s\n  HostName %s\n  Port %s\n  User root\n  IdentityFile %s\n  UserKnownHostsFile %s\n", name, host, port, ts.MkAbs("id"), ts.MkAbs("known_hosts"))
		write(ts, name+".conf", fmt.Sprintf("ListenAddress %s\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nSetEnv XDG_CACHE_HOME=%s\n",
			addr, ts.MkAbs(name), ts.MkAbs("authorized"), ts.MkAbs("cache")))
		server := exec.Command(sshd, "-D", "-e", "-f", ts.MkAbs(name+".conf"))
		ts.Check(server.Start())
		ts.Defer(func() {
			_ = server.Process.Kill()
			_ = server.Wait()
		})
		awaitListener(ts, addr)
	}
	write(ts, "known_hosts", known.String())
	write(ts, "ssh_config", config.String())
}

func write(ts *testscript.TestScript, name, text string) {
	ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
}

// newKey writes a private key to a file and returns the public one.
func newKey(ts *testscript.TestScript, file string) ssh.PublicKey {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	ts.Check(err)
	block, err := ssh.MarshalPrivateKey(private, "")
	ts.Check(err)
	write(ts, file, string(pem.EncodeToMemory(block)))
	key, err := ssh.NewPublicKey(public)
	ts.Check(err)
	return key
}

func freeAddr(ts *testscript.TestScript, host string) string {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	ts.Check(err)
	defer l.Close()
	return l.Addr().String()
}

func awaitListener(ts *testscript.TestScript, addr string) {
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(20 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("sshd does not listen: %v", err)
		}
	}
}

package ssh

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

// signers reads the keys of a host, and asks ssh-agent for more.
func (o Options) signers(h host) ([]ssh.Signer, error) {
	var all []ssh.Signer
	for _, file := range h.keys {
		text, err := os.ReadFile(file)
		switch {
		case errors.Is(err, fs.ErrNotExist) && o.Key == "":
			continue
		case err != nil:
			return nil, fmt.Errorf("read the key: %w", err)
		}
		signer, err := ssh.ParsePrivateKey(text)
		var locked *ssh.PassphraseMissingError
		switch {
		case errors.As(err, &locked) && o.Key == "":
			continue // ssh-agent may have it
		case errors.As(err, &locked):
			return nil, fmt.Errorf("the key %s has a passphrase: add it to ssh-agent with ssh-add, and leave --ssh-key out", file)
		case err != nil:
			return nil, fmt.Errorf("%s is no private key: %w", file, err)
		}
		all = append(all, signer)
	}
	if socket := os.Getenv("SSH_AUTH_SOCK"); socket != "" && o.Key == "" {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return all, nil // an agent that is gone has no keys
		}
		// The connection is needed for as long as its keys are, and goes with the process.
		more, err := agent.NewClient(conn).Signers()
		if err == nil {
			all = append(all, more...)
		}
	}
	return all, nil
}

// methods are the ways to prove who we are.
func (o Options) methods(h host) ([]ssh.AuthMethod, error) {
	keys, err := o.signers(h)
	if err != nil {
		return nil, err
	}
	var all []ssh.AuthMethod
	if len(keys) > 0 {
		all = append(all, ssh.PublicKeys(keys...))
	}
	if o.Password != "" {
		all = append(all, ssh.Password(o.Password), ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
			return slices.Repeat([]string{o.Password}, len(questions)), nil
		}))
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there is neither a key nor a password for %s: name a key with --ssh-key", h.name)
	}
	return all, nil
}

// config is how to talk to h.
func (o Options) config(h host) (*ssh.ClientConfig, error) {
	methods, err := o.methods(h)
	if err != nil {
		return nil, err
	}
	known, err := newKnown(h)
	if err != nil {
		return nil, err
	}
	return &ssh.ClientConfig{
		User: h.user, Auth: methods, HostKeyCallback: known.check, HostKeyAlgorithms: known.algorithms(h.addr), Timeout: dialTimeout,
	}, nil
}

// known is the keys of hosts that somebody has seen before.
type known struct {
	host  host
	files []string
	look  ssh.HostKeyCallback
}

func newKnown(h host) (*known, error) {
	k := &known{host: h}
	for _, file := range h.knownHosts {
		if _, err := os.Stat(file); err == nil {
			k.files = append(k.files, file)
		}
	}
	if len(k.files) == 0 {
		return nil, k.unknown()
	}
	var err error
	if k.look, err = knownhosts.New(k.files...); err != nil {
		return nil, fmt.Errorf("read the known hosts: %w", err)
	}
	return k, nil
}

func (k *known) unknown() error {
	at, port, _ := net.SplitHostPort(k.host.addr)
	file := k.host.knownHosts[0]
	return fmt.Errorf("the host key of %s (%s) is not in %s: log in by hand once and compare, or add it with ssh-keyscan -p %s %s >> %s",
		k.host.name, k.host.addr, strings.Join(k.host.knownHosts, " nor in "), port, at, file)
}

// check is ssh.HostKeyCallback.
func (k *known) check(addr string, remote net.Addr, key ssh.PublicKey) error {
	err := k.look(addr, remote, key)
	var mismatch *knownhosts.KeyError
	switch {
	case errors.As(err, &mismatch) && len(mismatch.Want) == 0:
		return k.unknown()
	case errors.As(err, &mismatch):
		return fmt.Errorf("the host key of %s (%s) is not the one in %s, line %d: somebody may be in between, or the machine was made anew, and that line is to be removed",
			k.host.name, k.host.addr, mismatch.Want[0].Filename, mismatch.Want[0].Line)
	}
	return err
}

// nobody is a key that no host has.
type nobody struct{ ssh.PublicKey }

func (nobody) Type() string                        { return "none" }
func (nobody) Marshal() []byte                     { return []byte("none") }
func (nobody) Verify([]byte, *ssh.Signature) error { return errors.New("nobody's") }

// algorithms are those of the keys that are known of a host: another of its keys
// would look like a stranger's. None: any.
func (k *known) algorithms(addr string) []string {
	var mismatch *knownhosts.KeyError
	if !errors.As(k.look(addr, &net.TCPAddr{}, nobody{}), &mismatch) {
		return nil
	}
	var all []string
	for _, want := range mismatch.Want {
		switch kind := want.Key.Type(); kind {
		case ssh.KeyAlgoRSA:
			all = append(all, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		default:
			all = append(all, kind)
		}
	}
	return all
}

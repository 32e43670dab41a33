package ssh

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/kevinburke/ssh_config"
)

// host is a machine as ~/.ssh/config has it.
type host struct {
	name       string // as it was asked for
	addr       string // host:port
	user       string
	keys       []string // files that may hold one
	jump       []string // names of hosts to go through, the first first
	knownHosts []string // files
}

// resolve finds out what a name stands for: [USER@]HOST, by the configuration.
func (o Options) resolve(name string) (host, error) {
	login, alias, found := strings.Cut(name, "@")
	if !found {
		login, alias = "", name
	}
	config := &ssh_config.UserSettings{}
	if o.Config != "" {
		config.ConfigFinder(func() string { return o.Config })
	}
	get := func(key string) (string, error) {
		value, err := config.GetStrict(alias, key)
		if err != nil {
			return "", fmt.Errorf("read the configuration of ssh: %w", err)
		}
		return expand(value), nil
	}
	h := host{name: name, user: login}
	hostName, err := get("HostName")
	if err != nil {
		return h, err
	}
	port, err := get("Port")
	if err != nil {
		return h, err
	}
	if o.Port != 0 {
		port = strconv.Itoa(o.Port)
	}
	if hostName == "" {
		hostName = alias
	}
	h.addr = net.JoinHostPort(strings.ReplaceAll(hostName, "%h", alias), port)
	if h.user == "" {
		h.user = o.User
	}
	if h.user == "" {
		if h.user, err = get("User"); err != nil {
			return h, err
		}
	}
	if h.user == "" {
		if me, err := user.Current(); err == nil {
			h.user = me.Username
		}
	}
	if jump, _ := get("ProxyJump"); jump != "" && jump != "none" {
		h.jump = strings.Split(jump, ",")
	}
	if o.Jump != "" {
		h.jump = strings.Split(o.Jump, ",")
	}
	h.keys, h.knownHosts = o.keyFiles(config, alias), o.knownHostFiles(config, alias)
	return h, nil
}

// keyFiles are where keys may be; of those that nobody named some may not exist.
func (o Options) keyFiles(config *ssh_config.UserSettings, alias string) []string {
	if o.Key != "" {
		return []string{o.Key}
	}
	files := paths(config.GetAll(alias, "IdentityFile"))
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		files = append(files, expand("~/.ssh/"+name))
	}
	return files
}

func (o Options) knownHostFiles(config *ssh_config.UserSettings, alias string) []string {
	if o.KnownHosts != "" {
		return []string{o.KnownHosts}
	}
	var files []string
	for _, list := range append(config.GetAll(alias, "UserKnownHostsFile"), config.GetAll(alias, "GlobalKnownHostsFile")...) {
		files = append(files, paths(strings.Fields(list))...)
	}
	if len(files) == 0 {
		files = []string{expand("~/.ssh/known_hosts"), "/etc/ssh/ssh_known_hosts"}
	}
	return files
}

func paths(names []string) []string {
	all := slices.Clone(names)
	for i := range all {
		all[i] = expand(all[i])
	}
	return all
}

// expand replaces a leading ~ by the home directory.
func expand(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	home, err := os.UserHomeDir()
	if !ok || err != nil {
		return path
	}
	return filepath.Join(home, rest)
}

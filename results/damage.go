package results

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

// damage is what a fault did, by node's name, as a nemesis reports it.
type damage map[string]fallacy.Condition

// damageOf reads what a nemesis reported; nil if it is nothing that is known.
func damageOf(v fallacy.Value) damage {
	var d damage
	if v.IsNil() || json.Unmarshal(v.AppendJSON(nil), &d) != nil {
		return nil
	}
	return d
}

// kind is the mechanism, by which the page chooses colour and texture:
// "partition" for all that befalls links, "kill", "pause" or "clock"; empty if
// it is none of these.
func (d damage) kind() string {
	kind := ""
	for _, c := range d {
		switch {
		case c.Process >= fallacy.Terminated:
			return "kill"
		case c.Process == fallacy.Paused:
			kind = "pause"
		case c.Clock != fallacy.Skew{} && kind == "":
			kind = "clock"
		case len(c.Links) > 0 && kind == "":
			kind = "partition"
		}
	}
	return kind
}

// kindOf guesses the mechanism of a fault that reported no damage from its name.
func kindOf(nemesis string) string {
	family, _, _ := strings.Cut(nemesis, ":")
	switch family {
	case "kill", "restart", "terminate", "crash", "member":
		return "kill"
	case "pause":
		return "pause"
	case "clock":
		return "clock"
	case "disk", "slow-disk":
		return "disk"
	case "partition", "reset", "stall", "loss", "duplicate", "reorder", "delay", "rate", "corrupt", "packet", "mtu", "uneven":
		return "partition"
	}
	return "other"
}

// String says in words what was done: "n1 and n3 cut off from n2, n4 and n5".
func (d damage) String() string {
	byState := make(map[string][]string)
	for _, name := range slices.Sorted(maps.Keys(d)) {
		c := d[name]
		if c.Process != fallacy.Running {
			byState[c.Process.String()] = append(byState[c.Process.String()], name)
		}
		if c.Clock != (fallacy.Skew{}) {
			state := "clock " + skewWords(c.Clock)
			byState[state] = append(byState[state], name)
		}
		if c.Task != "" {
			byState[taskWords(c.Task)] = append(byState[taskWords(c.Task)], name)
		}
	}
	var parts []string
	for _, state := range slices.Sorted(maps.Keys(byState)) {
		if skew, ok := strings.CutPrefix(state, "clock "); ok {
			parts = append(parts, "clock of "+listing(byState[state])+" "+skew)
			continue
		}
		parts = append(parts, listing(byState[state])+" "+state)
	}
	return strings.Join(append(parts, d.linkWords()...), "; ")
}

// taskWords says what an administrator did to nodes, behind their names.
func taskWords(task string) string {
	switch task {
	case "compact":
		return "asked to compact the history"
	case "defrag":
		return "defragmented"
	}
	return "had “" + task + "” done to it"
}

// effects says what becomes of a link's traffic, an entry for each effect.
func effects(l fallacy.Link) []string {
	var all []string
	add := func(is bool, format string, args ...any) {
		if is {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	add(l.Cut, "cut off from")
	add(l.Reset, "reset towards")
	add(l.Stall, "stalled towards")
	switch {
	case l.Jitter > 0:
		add(true, "delayed by %s to %s towards", lasting(l.Delay), lasting(l.Delay+l.Jitter))
	case l.Delay > 0:
		add(true, "delayed by %s towards", lasting(l.Delay))
	}
	add(l.Rate > 0, "held to %s a second towards", some(l.Rate, "byte"))
	for _, w := range []struct {
		share fallacy.Share
		word  string
	}{{l.Loss, "losing"}, {l.Duplicate, "doubling"}, {l.Reorder, "reordering"}, {l.Corrupt, "corrupting"}} {
		add(w.share > 0, "%s %.3g%s%% of the packets towards", w.word, 100*float64(w.share), nbsp)
	}
	return all
}

// linkWords groups nodes that suffer the same towards the same peers.
func (d damage) linkWords() []string {
	type group struct{ effect, peers string }
	towards := make(map[string]map[string][]string) // effect, node, peers
	for name, c := range d {
		for _, peer := range slices.Sorted(maps.Keys(c.Links)) {
			for _, e := range effects(c.Links[peer]) {
				if towards[e] == nil {
					towards[e] = make(map[string][]string)
				}
				towards[e][name] = append(towards[e][name], peer)
			}
		}
	}
	var parts []string
	for _, effect := range slices.Sorted(maps.Keys(towards)) {
		nodes := towards[effect]
		same := make(map[group][]string)
		var order []group
		for _, name := range slices.Sorted(maps.Keys(nodes)) {
			g := group{effect, listing(nodes[name])}
			if same[g] == nil {
				order = append(order, g)
			}
			same[g] = append(same[g], name)
		}
		told := make(map[string]bool)
		for _, g := range order {
			from := listing(same[g])
			back := g.peers + "\x00" + from
			if told[back] { // the other side of what was said before
				continue
			}
			told[from+"\x00"+g.peers] = true
			these, those, both := same[g], g.peers, mutual(nodes, same[g])
			if peers := nodes[these[0]]; both && len(peers) < len(these) && same[group{effect, from}] != nil {
				these, those = peers, from // the fewer are named first
			}
			parts = append(parts, linkSentence(these, those, effect, both))
		}
	}
	return parts
}

func linkSentence(from []string, peers, effect string, mutual bool) string {
	if effect == "cut off from" && !mutual {
		return listing(from) + " cannot send to " + peers
	}
	return listing(from) + " " + effect + " " + peers
}

// mutual tells whether each peer suffers the same towards the nodes.
func mutual(nodes map[string][]string, from []string) bool {
	for _, name := range from {
		for _, peer := range nodes[name] {
			if !slices.Contains(nodes[peer], name) {
				return false
			}
		}
	}
	return true
}

func skewWords(s fallacy.Skew) string {
	var parts []string
	where := "ahead"
	offset := s.Offset
	if offset < 0 {
		where, offset = "behind", -offset
	}
	switch {
	case s.Strobe > 0:
		parts = append(parts, fmt.Sprintf("jumps %s %s and back every %s", lasting(offset), where, lasting(s.Strobe)))
	case offset != 0:
		parts = append(parts, lasting(offset)+" "+where)
	}
	if s.Drift != 0 {
		faster := "fast"
		drift := s.Drift
		if drift < 0 {
			faster, drift = "slow", -drift
		}
		parts = append(parts, fmt.Sprintf("%g%sppm too %s", drift, nbsp, faster))
	}
	if s.Frozen {
		parts = append(parts, "stands still")
	}
	return strings.Join(parts, ", ")
}

// on says what a fault means for one node, in few words; empty if nothing.
func (d damage) on(node string) string {
	var parts []string
	c := d[node]
	if c.Process != fallacy.Running {
		parts = append(parts, c.Process.String())
	}
	if c.Clock != (fallacy.Skew{}) {
		parts = append(parts, "clock "+skewWords(c.Clock))
	}
	if c.Task != "" {
		parts = append(parts, taskWords(c.Task))
	}
	out, in := d.links(node)
	switch {
	case len(out) > 0 && slices.Equal(out, in):
		parts = append(parts, "cut from "+strings.Join(out, " "))
	case len(out) > 0:
		parts = append(parts, "cannot send to "+strings.Join(out, " "))
	case len(in) > 0:
		parts = append(parts, "cannot hear "+strings.Join(in, " "))
	}
	for _, peer := range slices.Sorted(maps.Keys(c.Links)) {
		if l := c.Links[peer]; !l.Cut && l != (fallacy.Link{}) {
			parts = append(parts, effects(l)...)
			parts[len(parts)-1] += " " + peer
			if len(c.Links) > 1 {
				parts[len(parts)-1] += " …"
			}
			break
		}
	}
	return strings.Join(parts, ", ")
}

// links returns the peers that node's traffic does not reach, and those whose
// traffic does not reach it.
func (d damage) links(node string) (out, in []string) {
	for _, peer := range slices.Sorted(maps.Keys(d[node].Links)) {
		if d[node].Links[peer].Cut {
			out = append(out, peer)
		}
	}
	for _, other := range slices.Sorted(maps.Keys(d)) {
		if d[other].Links[node].Cut {
			in = append(in, other)
		}
	}
	return out, in
}

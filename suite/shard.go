package suite

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Shard is one part of a suite that several machines share.
type Shard struct {
	Index int `json:"index"` // from 1
	Of    int `json:"of"`
}

// ParseShard reads "2/5", or "auto/5", where the place is that which the
// environment tells: JOB_COMPLETION_INDEX of a Kubernetes Job, which counts
// from 0, or CI_NODE_INDEX of GitLab, which counts from 1.
func ParseShard(text string, env func(string) string) (Shard, error) {
	if text == "" {
		return Shard{1, 1}, nil
	}
	first, second, _ := strings.Cut(text, "/")
	of, err := strconv.Atoi(second)
	if err != nil || of < 1 {
		return Shard{}, fmt.Errorf("--shard %s: write it as in 2/5", text)
	}
	var index int
	if first == "auto" {
		if index, err = shardOfEnvironment(env); err != nil {
			return Shard{}, fmt.Errorf("--shard %s: %w", text, err)
		}
	} else if index, err = strconv.Atoi(first); err != nil {
		return Shard{}, fmt.Errorf("--shard %s: write it as in 2/5, or auto/5", text)
	}
	if index < 1 || index > of {
		return Shard{}, fmt.Errorf("--shard %s: there is no shard %d of %d", text, index, of)
	}
	return Shard{index, of}, nil
}

func shardOfEnvironment(env func(string) string) (int, error) {
	if env == nil {
		env = os.Getenv
	}
	for _, v := range []struct {
		name string
		from int
	}{{"JOB_COMPLETION_INDEX", 0}, {"CI_NODE_INDEX", 1}} {
		if text := env(v.name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				return 0, fmt.Errorf("%s is %q, which is no number", v.name, text)
			}
			return n - v.from + 1, nil
		}
	}
	return 0, fmt.Errorf("neither JOB_COMPLETION_INDEX nor CI_NODE_INDEX is set: say which shard it is, as in 2/5")
}

// String returns the shard as --shard takes it.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// surroundings is what a test takes beyond its own time, as a guess.
const surroundings = 8 * time.Second

// Take returns the shard's part of the cases, in their order. Every shard deals
// all cases out alike: the longest first, each to the shard that has least. How
// long a test takes is what it took in an earlier suite, by group, or else a guess.
func (s Shard) Take(cases []Case, past map[string]time.Duration) []Case {
	if s.Of <= 1 {
		return cases
	}
	order := make([]int, len(cases))
	for i := range order {
		order[i] = i
	}
	long := func(i int) time.Duration { return estimate(cases[i], past) }
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(long(b), long(a)), cmp.Compare(cases[a].ID(), cases[b].ID()))
	})
	load := make([]time.Duration, s.Of)
	var mine []int
	for _, i := range order {
		least := slices.Index(load, slices.Min(load))
		load[least] += long(i)
		if least == s.Index-1 {
			mine = append(mine, i)
		}
	}
	slices.Sort(mine)
	part := make([]Case, len(mine))
	for i, at := range mine {
		part[i] = cases[at]
	}
	return part
}

func estimate(c Case, past map[string]time.Duration) time.Duration {
	if took, ok := past[c.Group()]; ok {
		return took
	}
	own, err := time.ParseDuration(c.Params["time"])
	if err != nil {
		own = 20 * time.Second
	}
	return own + surroundings
}

package suite

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
)

// Merge joins the outcomes of shards. It refuses parts of different suites,
// and shards that were balanced differently; one that is missing shows as tests
// left undone. The runs' directories become relative to out.
func Merge(out string, dirs []*Dir) (Head, []Outcome, error) {
	if len(dirs) == 0 {
		return Head{}, nil, errors.New("there is nothing to merge")
	}
	head := dirs[0].Head
	head.Planned = 0
	var shards []int
	var all []Outcome
	for _, d := range dirs {
		switch h := d.Head; {
		case h.Hash != head.Hash:
			return head, nil, fmt.Errorf("%s holds another suite than %s, or another version of it", d.path, dirs[0].path)
		case h.Shard.Of != head.Shard.Of || h.Past != head.Past:
			return head, nil, fmt.Errorf("%s was divided otherwise than %s", d.path, dirs[0].path)
		case slices.Contains(shards, h.Shard.Index):
			return head, nil, fmt.Errorf("%s holds shard %s, which is there already", d.path, h.Shard)
		}
		shards = append(shards, d.Head.Shard.Index)
		head.Planned += d.Head.Planned
		outcomes, err := d.Outcomes()
		if err != nil {
			return head, nil, err
		}
		for _, o := range outcomes {
			if o.Dir != "" {
				o.Dir = relative(out, filepath.Join(d.path, o.Dir))
			}
			all = append(all, o)
		}
	}
	var missing []int
	for i := range head.Shard.Of {
		if !slices.Contains(shards, i+1) {
			missing = append(missing, i+1)
		}
	}
	if len(missing) > 0 {
		return head, nil, fmt.Errorf("of the %d shards these are missing: %v", head.Shard.Of, missing)
	}
	head.Shard = Shard{1, 1}
	return head, all, nil
}

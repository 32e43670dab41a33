package suite

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

// Case is one test of a suite.
type Case struct {
	Name   string            `json:"name"`                       // of its entry in the file
	Params map[string]string `json:"params"`                     // target, workload, and flags of a run; the seed among them
	Expect fallacy.Verdict   `json:"expect"`                     // what the run is to come to
	Among  []string          `json:"expect_anomalies,omitempty"` // of these anomalies at least one, if any are given
	Slots  int               `json:"slots"`                      // how many it takes

	at string // where it stands in the file
}

// What is the test's argument for a run: TARGET or TARGET/WORKLOAD.
func (c Case) What() string {
	if w := c.Params["workload"]; w != "" {
		return c.Params["target"] + "/" + w
	}
	return c.Params["target"]
}

// Args are a run's arguments for the test.
func (c Case) Args() []string {
	args := []string{c.What()}
	for _, k := range slices.Sorted(maps.Keys(c.Params)) {
		if k != "target" && k != "workload" {
			args = append(args, "--"+k+"="+c.Params[k])
		}
	}
	return args
}

// Group names the test without its seed: what is repeated, and compared.
func (c Case) Group() string { return c.text(func(key string) bool { return key != "seed" }) }

// ID names the test.
func (c Case) ID() string { return c.text(func(string) bool { return true }) }

func (c Case) text(with func(key string) bool) string {
	parts := []string{c.What()}
	for _, k := range slices.Sorted(maps.Keys(c.Params)) {
		if k != "target" && k != "workload" && with(k) {
			parts = append(parts, k+"="+c.Params[k])
		}
	}
	return strings.Join(parts, " ")
}

// Cases are all tests of the file, in its order.
func (f *File) Cases() ([]Case, error) {
	var all []Case
	seen := make(map[string]string)
	for _, t := range f.tests {
		cases, err := f.expand(t)
		if err != nil {
			return nil, err
		}
		for _, c := range cases {
			for i := range f.Repeat {
				one := c.repeated(f.Seed, i)
				if at, ok := seen[one.ID()]; ok {
					if c.Params["seed"] != "" && i > 0 {
						break // with a seed of its own there is nothing to repeat
					}
					return nil, f.errorAt(t.at, "the test %q stands there twice, first at%s", one.ID(), f.position(at))
				}
				seen[one.ID()] = t.at
				all = append(all, one)
			}
		}
	}
	return all, nil
}

// expand makes the tests of one entry.
func (f *File) expand(t test) ([]Case, error) {
	base := maps.Clone(f.defaults.values)
	maps.Copy(base, t.values)
	sets := []values{{}}
	for _, a := range t.matrix {
		var more []values
		for _, s := range sets {
			for _, v := range a.values {
				one := maps.Clone(s)
				one[a.key] = v
				more = append(more, one)
			}
		}
		sets = more
	}
	if len(t.matrix) == 0 && len(t.include) > 0 {
		sets = nil
	}
	for i, x := range t.exclude {
		before := len(sets)
		sets = slices.DeleteFunc(sets, func(s values) bool { return x.agrees(base, s) })
		if len(sets) == before {
			return nil, f.errorAt(fmt.Sprintf("%s.exclude[%d]", t.at, i), "it leaves nothing out: no combination agrees with it")
		}
	}
	var cases []Case
	for _, s := range append(sets, t.include...) {
		all := maps.Clone(base)
		maps.Copy(all, s)
		c, err := f.makeCase(all, t.at)
		if err != nil {
			return nil, err
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// agrees tells whether all that x says holds of a combination.
func (x values) agrees(base, s values) bool {
	for k, v := range x {
		is, ok := s[k]
		if !ok {
			is = base[k]
		}
		if is != v {
			return false
		}
	}
	return true
}

func (f *File) makeCase(all values, at string) (Case, error) {
	c := Case{Name: all["name"], Expect: fallacy.Valid, Slots: 1, Params: make(map[string]string), at: at}
	for k, v := range all {
		switch k {
		case "name":
		case "expect":
			if err := c.Expect.UnmarshalJSON([]byte(strconv.Quote(v))); err != nil {
				return c, f.errorAt(at+".expect", "%v", err)
			}
		case "anomalies":
			c.Among = strings.Split(v, ",")
		case "slots":
			c.Slots, _ = strconv.Atoi(v) // a whole number, by the schema
		default:
			c.Params[k] = v
		}
	}
	switch {
	case c.Params["target"] == "":
		return c, f.errorAt(at, "the test has no target")
	case len(c.Among) > 0 && c.Expect != fallacy.Invalid:
		return c, f.errorAt(at+".anomalies", "anomalies are expected of a test that is expected to be %s: say expect: invalid", c.Expect)
	case c.Slots > f.Parallel:
		return c, f.errorAt(at+".slots", "the test takes %d slots, and the suite has %d: see parallel", c.Slots, f.Parallel)
	}
	if c.Name == "" {
		c.Name = c.What()
	}
	return c, nil
}

// repeated is the test with a seed, if it has none: one drawn for the ith time.
func (c Case) repeated(seed uint64, i int) Case {
	if c.Params["seed"] != "" {
		return c
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s %d", seed, c.Group(), i)
	c.Params = maps.Clone(c.Params)
	c.Params["seed"] = strconv.FormatUint(1+h.Sum64()%999_999, 10)
	return c
}

// ErrorAt is an error about a case, with its place in the file.
func (f *File) ErrorAt(c Case, err error) error { return f.errorAt(c.at, "%s: %v", c.ID(), err) }

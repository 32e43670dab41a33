package cmd

import (
	"strings"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/nemesis"
	"github.com/fallacy-dev/fallacy/targets/external"
)

// usualWorkload is run unless another is named.
const usualWorkload = "register"

// named finds the target that was asked for, in the catalogue or as a file that
// describes it. It returns the workload that was named, if one was, and the
// target's usual one.
func (t *trial) named(c Catalogue) (workload, usual string, err error) {
	t.typed, workload = splitTest(t.what)
	if !isDescription(t.typed) {
		t.kind, err = c.target(t.typed)
		return workload, usualWorkload, err
	}
	file, err := external.Load(t.typed)
	if err != nil {
		return "", "", err
	}
	t.kind = file.Kind()
	if usual = file.Workload; usual == "" {
		usual = usualWorkload
	}
	return workload, usual, nil
}

// descriptions are how the names of files end that describe a target.
func descriptions() []string { return []string{".yaml", ".yml", ".json"} }

func isDescription(target string) bool {
	for _, end := range descriptions() {
		if strings.HasSuffix(target, end) {
			return true
		}
	}
	return false
}

// splitTest splits TARGET[/WORKLOAD], the target being a name or the path of a
// description.
func splitTest(what string) (target, workload string) {
	for _, end := range descriptions() {
		if i := strings.LastIndex(what, end+"/"); i >= 0 {
			return what[:i+len(end)], what[i+len(end)+1:]
		}
	}
	if isDescription(what) {
		return what, ""
	}
	target, workload, _ = strings.Cut(what, "/")
	return target, workload
}

// fault makes the nemesis of that name, one of the catalogue's own or of package nemesis.
func (c Catalogue) fault(name string, schedule nemesis.Schedule) (fallacy.Nemesis, error) {
	for _, n := range c.Faults {
		if n.Name == name {
			if n.Schedule == nil {
				n.Schedule = schedule.Generator()
			}
			return n, nil
		}
	}
	return nemesis.New(name, schedule)
}

// ownFaults are the manual pages of the catalogue's own faults.
func (c Catalogue) ownFaults() (entries []entry) {
	for _, n := range c.Faults {
		entries = append(entries, entry{name: n.Name, doc: n.Doc + "\n\nIt punishes the belief that " + n.Fallacy + "."})
	}
	return entries
}

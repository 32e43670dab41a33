package cmd

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/conduct"
	"github.com/fallacy-dev/fallacy/nemesis"
	"github.com/spf13/cobra"
)

// entry is something that can be looked up.
type entry struct {
	name, doc string
	columns   []string // of a table, instead of the doc's title
}

// section is a kind of entries.
type section struct {
	name    string
	header  []string // of the columns
	entries []entry
}

func (c Catalogue) sections() []section {
	return []section{
		{name: "targets", entries: entriesOf(c.Targets, func(t *fallacy.TargetKind) entry { return entry{name: t.Name, doc: t.Doc} })},
		{name: "workloads", entries: entriesOf(c.Workloads, func(w *fallacy.Workload) entry { return entry{name: w.Name, doc: w.Doc} })},
		{name: "faults", entries: append(faultEntries(), c.ownFaults()...)},
		{name: "checkers", entries: entriesOf(c.everyChecker(), func(k *fallacy.Checker) entry { return entry{name: k.Name, doc: k.Doc} })},
		{name: "bugs", header: []string{"BUG", "OF", "WORKLOAD", "FAULTS", "SHOWS AS"}, entries: c.bugEntries()},
	}
}

func entriesOf[T any](all []T, of func(T) entry) (entries []entry) {
	for _, one := range all {
		entries = append(entries, of(one))
	}
	return entries
}

func faultEntries() (entries []entry) {
	for _, f := range nemesis.Families() {
		doc := f.Doc + "\n\nIt punishes the belief that " + f.Fallacy + ".\n\nVariants:\n"
		for _, v := range f.Variants {
			doc += fmt.Sprintf("\n  %-22s %s", f.Name+":"+v.Name, v.Doc)
		}
		entries = append(entries, entry{name: f.Name, doc: doc})
	}
	return entries
}

func (c Catalogue) bugEntries() (entries []entry) {
	for _, t := range c.Targets {
		for _, b := range t.Bugs {
			faults := strings.Join(b.Faults, ",")
			if faults == "" {
				faults = "none"
			}
			shows := strings.Join(b.Anomalies, ", ")
			command := fmt.Sprintf("fallacy run %s/%s --bug %s", t.Name, b.Workload, b.Name)
			entries = append(entries, entry{
				name: b.Name, columns: []string{t.Name, b.Workload, faults, shows},
				doc: b.Doc + "\n\n  " + command + "\n\nIt shows under these faults: " + faults + "; as one of: " + shows + ".",
			})
		}
	}
	return entries
}

// everyChecker are the checkers of all workloads, those that judge every run, and
// the rest of the shelf.
func (c Catalogue) everyChecker() (all []*fallacy.Checker) {
	seen := make(map[string]bool)
	add := func(k *fallacy.Checker) {
		if !seen[k.Name] {
			seen[k.Name] = true
			all = append(all, k)
		}
	}
	for _, w := range c.Workloads {
		for _, k := range w.Checkers {
			add(k)
		}
	}
	for _, k := range slices.Concat(c.Checkers, conduct.General(nil)) {
		add(k)
	}
	for _, k := range checkers.All() {
		add(k)
	}
	return all
}

func (c Catalogue) names(section string) (names []string) {
	for _, s := range c.sections() {
		if s.name == section {
			for _, e := range s.entries {
				names = append(names, e.name)
			}
		}
	}
	return names
}

func (c Catalogue) workloadNames() []string { return c.names("workloads") }
func (c Catalogue) checkerNames() []string  { return c.names("checkers") }
func (c Catalogue) bugNames() []string      { return c.names("bugs") }

// everyTest is every target with every workload.
func (c Catalogue) everyTest() (tests []string) {
	for _, t := range c.Targets {
		for _, w := range c.Workloads {
			tests = append(tests, t.Name+"/"+w.Name)
		}
	}
	return tests
}

func faultNames() []string { return append([]string{"all", "none"}, nemesis.Names()...) }

func listCommand(c Catalogue) *cobra.Command {
	return &cobra.Command{
		Use:     "list [targets|workloads|faults|checkers|bugs [NAME]]",
		Short:   "show what there is, and the manual page of each",
		Long:    "Show what can be tested, how, under what, and judged by whom; with a NAME, its manual page.",
		Example: "  fallacy list\n  fallacy list faults\n  fallacy list faults partition\n  fallacy list bugs",
		Args:    cobra.MaximumNArgs(2),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return []string{"targets", "workloads", "faults", "checkers", "bugs"}, cobra.ShellCompDirectiveNoFileComp
			}
			return c.names(args[0]), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			if len(args) == 0 {
				for i, s := range c.sections() {
					if i > 0 {
						fmt.Fprintln(out)
					}
					fmt.Fprintln(out, strings.ToUpper(s.name))
					if err := s.print(out, "  "); err != nil {
						return err
					}
				}
				return nil
			}
			s, err := find("section", args[0], c.sections(), func(s section) string { return s.name })
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return s.print(out, "")
			}
			e, err := find(strings.TrimSuffix(s.name, "s"), args[1], s.entries, func(e entry) string { return e.name })
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%s: %s\n", e.name, e.doc)
			return nil
		},
	}
}

// print prints the section as a table.
func (s section) print(w io.Writer, indent string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if s.header != nil {
		fmt.Fprintln(table, indent+strings.Join(s.header, "\t"))
	}
	for _, e := range s.entries {
		columns := e.columns
		if columns == nil {
			title, _, _ := strings.Cut(e.doc, "\n")
			columns = []string{title}
		}
		fmt.Fprintln(table, indent+strings.Join(append([]string{e.name}, columns...), "\t"))
	}
	return table.Flush()
}

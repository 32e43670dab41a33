package results

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Spaces that do not break a line.
const (
	thin = "\u202f" // between thousands
	nbsp = "\u00a0" // between a number and its unit
)

// count writes a number with its thousands apart.
func count(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + thin + digits[i:]
	}
	return sign + digits
}

// some writes a number with a noun, in the plural where it is not one.
func some(n int, noun string) string {
	switch {
	case n == 1:
		return "1" + nbsp + noun
	case strings.HasSuffix(noun, "y"):
		return count(n) + nbsp + strings.TrimSuffix(noun, "y") + "ies"
	}
	return count(n) + nbsp + noun + "s"
}

// lasting writes a duration with three digits that matter.
func lasting(d time.Duration) string {
	if d < 0 {
		return "−" + lasting(-d)
	}
	unit, name := time.Second, "s"
	switch {
	case d == 0:
		return "0" + nbsp + "s"
	case d >= 10*time.Minute:
		return d.Round(time.Second).String()
	case d < time.Microsecond:
		unit, name = time.Nanosecond, "ns"
	case d < time.Millisecond:
		unit, name = time.Microsecond, "µs"
	case d < time.Second:
		unit, name = time.Millisecond, "ms"
	}
	x := float64(d) / float64(unit)
	digits := 2
	if x >= 100 {
		digits = 0
	} else if x >= 10 {
		digits = 1
	}
	text := strconv.FormatFloat(x, 'f', digits, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text + nbsp + name
}

// moment writes a time since the run began, in seconds.
func moment(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) + nbsp + "s" }

// listing joins names as a sentence does: "n1, n2 and n3".
func listing(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// shorten cuts text to at most n bytes, and says so.
func shorten(text string, n int) string {
	if len(text) <= n {
		return text
	}
	cut := n
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return fmt.Sprintf("%s… (%s)", text[:cut], some(len(text), "byte"))
}

// sentence makes text begin with a capital and end with a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	// A name such as n1 keeps its letter.
	if next := text[size:]; first < utf8.RuneSelf && (next == "" || next[0] < '0' || next[0] > '9') {
		text = strings.ToUpper(string(first)) + next
	}
	if !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}

// quoted writes argv as a shell takes it.
func quoted(argv []string) string {
	words := make([]string, len(argv))
	for i, a := range argv {
		words[i] = a
		if a == "" || strings.ContainsFunc(a, needsQuotes) {
			words[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// flags splits a command where it may be broken into lines: before each flag.
func flags(command string) []string {
	parts := strings.Split(command, " --")
	for i := range parts[1:] {
		parts[i+1] = "--" + parts[i+1]
	}
	return parts
}

// passage is a piece of a sentence, which may name an op.
type passage struct {
	Text string
	Op   string // its index, "" if the piece names none
}

var opNamed = regexp.MustCompile(`\bop (\d{1,12})\b`)

// passages splits a sentence so that the ops in it can be led to.
func passages(text string) []passage {
	var all []passage
	from := 0
	for _, m := range opNamed.FindAllStringSubmatchIndex(text, 100) {
		all = append(all, passage{Text: text[from:m[0]]}, passage{text[m[0]:m[1]], text[m[2]:m[3]]})
		from = m[1]
	}
	return append(all, passage{Text: text[from:]})
}

func needsQuotes(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_./:,=+@%", r)
}

func itoa(n int) string { return strconv.Itoa(n) }

func fmtFloat(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }

func fmtUint(n uint64) string { return strconv.FormatUint(n, 10) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

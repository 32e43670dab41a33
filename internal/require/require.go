// Package require lets tests be left out where a machine lacks what they take,
// and fail there if FALLACY_REQUIRE says that nothing may be lacking.
package require

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Absent ends a test whose machine lacks something: it is skipped, loudly, or
// fails if FALLACY_REQUIRE, a list such as "docker,root,chromium", names what.
func Absent(t testing.TB, what string, why ...any) {
	t.Helper()
	if Required(what) {
		t.Fatalf("FALLACY_REQUIRE asks for %s, which cannot be had: %s", what, fmt.Sprint(why...))
	}
	t.Skipf("NOT TESTED for want of %s: %s", what, fmt.Sprint(why...))
}

// Required tells whether FALLACY_REQUIRE names what.
func Required(what string) bool {
	return slices.Contains(strings.Split(os.Getenv("FALLACY_REQUIRE"), ","), what)
}

// Program returns the path of a program, or ends the test as [Absent] does.
func Program(t testing.TB, what, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Absent(t, what, err)
	}
	return path
}

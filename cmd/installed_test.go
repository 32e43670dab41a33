package cmd_test

import (
	"fmt"
	"os/exec"

	"github.com/fallacy-dev/fallacy/internal/require"
)

// installed tells whether a program is there; it is an error if it is not and must be.
func installed(what, program string) (bool, error) {
	_, err := exec.LookPath(program)
	if err != nil && require.Required(what) {
		return false, fmt.Errorf("FALLACY_REQUIRE asks for %s: %w", what, err)
	}
	return err == nil, nil
}

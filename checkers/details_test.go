package checkers_test

import (
	"encoding/json"
	"testing"

	"github.com/fallacy-dev/fallacy"
)

func details(t *testing.T, f fallacy.Finding) string {
	t.Helper()
	out, err := json.MarshalIndent(f.Details, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out) + "\n"
}

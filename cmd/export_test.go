package cmd

import (
	"bytes"
	"strings"
	"testing"
)

// exportOf runs the command export on a run that results keeps for its tests.
func exportOf(t *testing.T, bug, format string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	c := exportCommand()
	c.SetArgs([]string{"../results/testdata/bugs/" + bug, "--format", format})
	c.SetOut(&out)
	c.SetErr(&out)
	c.SilenceUsage = true
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

func TestExportPorcupine(t *testing.T) {
	for _, bug := range []string{"stale-read", "no-fsync", "lost-message", "double-apply"} {
		page, err := exportOf(t, bug, porcupine)
		if err != nil || !strings.HasPrefix(page, "<!doctype html>") || !strings.Contains(page, "Porcupine") {
			t.Errorf("%s: %v, %.80q", bug, err, page)
		}
	}
	if _, err := exportOf(t, "write-skew", porcupine); err == nil || !strings.Contains(err.Error(), `"append" is none of them`) {
		t.Errorf("transactions: %v", err)
	}
}

func TestExportOtherFormats(t *testing.T) {
	for format, begins := range map[string]string{"parquet": "PAR1", "sarif": "{", "junit": "<?xml", "jsonl": `{"index":0`} {
		text, err := exportOf(t, "stale-read", format)
		if err != nil || !strings.HasPrefix(text, begins) {
			t.Errorf("%s: %v, %.40q", format, err, text)
		}
	}
}

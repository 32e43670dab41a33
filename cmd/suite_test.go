package cmd

import (
	"bytes"
	"os"
	"testing"

	"github.com/fallacy-dev/fallacy/suite"
)

// The published schema is the one that files are held against.
func TestSuiteSchemaIsPublished(t *testing.T) {
	published, err := os.ReadFile("../docs/suite.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(published, suite.Schema(Builtin().suiteFlags())) {
		t.Error("docs/suite.schema.json is stale: make it anew by fallacy suite --schema")
	}
}

package local_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/fallacy-dev/fallacy"
)

// Nemeses work side by side, and so does what they ask of a cluster.
func TestFaultsComeAndGoSideBySide(t *testing.T) {
	c := open(t, "n1", "n2")
	var all sync.WaitGroup
	for i := range 4 {
		fault := fmt.Sprintf("pause%d", i)
		all.Go(func() {
			for range 5 {
				for _, conds := range []map[string]fallacy.Condition{{"n1": {Process: fallacy.Paused}}, nil} {
					if err := c.Impose(t.Context(), fault, conds); err != nil {
						t.Error(err)
					}
					for range 10 {
						if evidence, err := c.Verify(t.Context(), fault); err != nil {
							t.Errorf("%s: %v (%v)", fault, err, evidence)
						}
					}
				}
			}
		})
	}
	all.Wait()
	if _, err := c.Verify(t.Context(), ""); err != nil {
		t.Error(err)
	}
}

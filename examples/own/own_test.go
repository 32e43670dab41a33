package main

import (
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/fallacytest"
)

func TestMain(m *testing.M) { fallacytest.Main(m) }

func TestGapless(t *testing.T) {
	fallacytest.Checker(t, Gapless,
		fallacytest.Case{Name: "gap", Want: fallacy.Invalid, Anomaly: "gap", History: `
			0 invoke generate null
			0 ok     generate 1
			1 invoke generate null
			1 ok     generate 3`},
		fallacytest.Case{Name: "in doubt", Want: fallacy.Valid, History: `
			0 invoke generate null
			0 ok     generate 1
			1 invoke generate null
			1 info   generate null # timed out
			2 invoke generate null
			2 ok     generate 3`},
	)
}

func TestRolling(t *testing.T) { fallacytest.Fault(t, Rolling) }

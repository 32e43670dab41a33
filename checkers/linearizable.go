package checkers

import (
	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
)

// Linearizable returns the checker that holds a history against a model: a value
// of this module, or one of one's own. It needs no cluster and no run:
//
//	finding, err := checkers.Linearizable(model).Check(ctx, history)
//
// Package linearizable has models, faster checkers for registers and sets, and
// takes models that were written for Porcupine.
func Linearizable(model linearizable.Model) *fallacy.Checker { return linearizable.Check(model) }

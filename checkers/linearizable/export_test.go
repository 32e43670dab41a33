package linearizable

import "github.com/fallacy-dev/fallacy"

// RegisterByStretches is RegisterWith, by stretches of the length.
func RegisterByStretches(options Options, length int) *fallacy.Checker {
	return byStretches(options, length)
}

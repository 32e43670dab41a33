package jepsen

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
	"olympos.io/encoding/edn"
)

// valueOf makes a value of what the EDN library reads.
func valueOf(v any) (fallacy.Value, error) {
	switch v := v.(type) {
	case nil:
		return fallacy.Nil(), nil
	case bool:
		return fallacy.Bool(v), nil
	case int64:
		return fallacy.Int(int(v)), nil
	case float64:
		if n := math.Trunc(v); n == v && math.Abs(v) < 1<<53 {
			return fallacy.Int(int(v)), nil
		}
		return fallacy.Nil(), fmt.Errorf("%v is not a whole number", v)
	case string:
		return fallacy.String(v), nil
	case edn.Keyword:
		return fallacy.String(string(v)), nil
	case edn.Symbol:
		return fallacy.String(string(v)), nil
	case edn.Tag:
		return valueOf(v.Value)
	case time.Time:
		return fallacy.String(v.UTC().Format(time.RFC3339Nano)), nil
	case []any:
		return listOf(v)
	case map[any]bool:
		return setOf(v)
	case map[any]any:
		return objectOf(v)
	}
	return fallacy.Nil(), fmt.Errorf("a %T has no form here", v)
}

func listOf(elements []any) (fallacy.Value, error) {
	values := make([]fallacy.Value, len(elements))
	for i, e := range elements {
		var err error
		if values[i], err = valueOf(e); err != nil {
			return fallacy.Nil(), err
		}
	}
	return fallacy.List(values...), nil
}

// setOf makes a list of a set, in the order of numbers, then of text.
func setOf(set map[any]bool) (fallacy.Value, error) {
	var values []fallacy.Value
	for e := range set {
		v, err := valueOf(e)
		if err != nil {
			return fallacy.Nil(), err
		}
		values = append(values, v)
	}
	slices.SortFunc(values, func(a, b fallacy.Value) int {
		n, isInt := a.Int()
		m, areInts := b.Int()
		if isInt && areInts {
			return n - m
		}
		if s, t := a.String(), b.String(); s < t {
			return -1
		}
		return 1
	})
	return fallacy.List(values...), nil
}

func objectOf(fields map[any]any) (fallacy.Value, error) {
	var all []fallacy.Field
	for k, e := range fields {
		key, err := valueOf(k)
		if err != nil {
			return fallacy.Nil(), err
		}
		name, ok := key.Str()
		if !ok {
			name = key.String()
		}
		v, err := valueOf(e)
		if err != nil {
			return fallacy.Nil(), err
		}
		all = append(all, fallacy.Field{Name: name, Value: v})
	}
	return fallacy.Object(all...), nil
}

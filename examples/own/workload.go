package main

import (
	"context"
	"fmt"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/generator"
)

// Numbers asks for invoice numbers.
var Numbers = &fallacy.Workload{
	Name: "numbers",
	Doc: `invoice numbers, each given out once and none left out

All workers ask for the next number, again and again.`,
	Client:    numbersClient,
	Generator: generator.Repeat(generator.Op("generate", fallacy.Nil())),
	Checkers:  []*fallacy.Checker{Gapless, checkers.UniqueIDs()},
}

// NumbersConn is what the workload asks of a connection.
type NumbersConn interface {
	fallacy.Conn

	// Next returns the next number. The error wraps fallacy.ErrFailed only if none
	// was given out.
	Next(ctx context.Context) (int, error)
}

func numbersClient(conn fallacy.Conn) (fallacy.Client, error) {
	c, ok := conn.(NumbersConn)
	if !ok {
		return nil, fmt.Errorf("a %T has no Next", conn)
	}
	return numbers{c}, nil
}

type numbers struct{ NumbersConn }

// Invoke asks for a number.
func (n numbers) Invoke(ctx context.Context, _ fallacy.Op) (fallacy.Value, error) {
	number, err := n.Next(ctx)
	return fallacy.Int(number), err
}

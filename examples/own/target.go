package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/fallacy-dev/fallacy"
)

// Invoices is the service in the directory invoices, a node of it.
var Invoices = &fallacy.TargetKind{
	Name: "invoices",
	Doc: `a small HTTP service that gives out invoice numbers

Build it with CGO_ENABLED=0 go build ./invoices, and say --nodes 1 --binary ./invoices.
With --on docker the node is a container with nothing but that program.`,
	New: func(opts fallacy.TargetOptions) (fallacy.Target, error) {
		if opts.Nodes != 1 {
			return nil, fmt.Errorf("the service has one node: say --nodes 1, not %d", opts.Nodes)
		}
		return invoices{block: map[bool]string{false: "1", true: "10"}[opts.Bug == "blocks"]}, nil
	},
	Bugs: []fallacy.Bug{{
		Name: "blocks", Doc: "numbers are reserved in blocks of ten, and the rest of a block is lost in a restart",
		Workload: "numbers", Faults: []string{"rolling"}, Anomalies: []string{"gap"},
	}},
}

type invoices struct{ block string }

// Image says which program the service is.
func (invoices) Image() fallacy.Image { return fallacy.Image{Programs: []string{"invoices"}} }

// Process says how to run it.
func (i invoices) Process(n fallacy.Node, _ []fallacy.Node) (fallacy.Process, error) {
	return fallacy.Process{Argv: []string{"invoices", "-listen", n.Listen["client"], "-file", n.Dir + "/number", "-block", i.block}}, nil
}

// Ready returns nil once it answers.
func (invoices) Ready(ctx context.Context, n fallacy.Node) error {
	_, err := ask(ctx, http.DefaultClient, http.MethodGet, n)
	return err
}

// Open returns a client of its own for each process.
func (invoices) Open(_ context.Context, n fallacy.Node) (fallacy.Conn, error) {
	return conn{n, &http.Client{Transport: &http.Transport{MaxIdleConns: 1}}}, nil
}

type conn struct {
	node   fallacy.Node
	client *http.Client
}

// Next asks for a number, after it has asked for nothing: what accepts a
// connection may be a proxy in front of a service that is down, and so far
// nothing has happened.
func (c conn) Next(ctx context.Context) (int, error) {
	if _, err := ask(ctx, c.client, http.MethodGet, c.node); err != nil {
		return 0, fmt.Errorf("%w: %w", fallacy.ErrFailed, err)
	}
	return ask(ctx, c.client, http.MethodPost, c.node)
}

// Close hangs up.
func (c conn) Close() error {
	c.client.CloseIdleConnections()
	return nil
}

func ask(ctx context.Context, client *http.Client, method string, n fallacy.Node) (number int, err error) {
	q, err := http.NewRequestWithContext(ctx, method, "http://"+n.Public["client"], nil)
	if err != nil {
		return 0, err
	}
	answer, err := client.Do(q)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return 0, errors.New(answer.Status)
	}
	return number, json.NewDecoder(answer.Body).Decode(&number)
}

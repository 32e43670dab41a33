package controller

import (
	"time"

	"github.com/fallacy-dev/fallacy"
)

// recovering is a workload that goes on until every node has answered an op
// that was invoked after it began, or until its time is over.
type recovering struct {
	gen    fallacy.Generator
	until  time.Duration
	nodes  int
	serves string // by node: '1' when it has answered; a string, as a generator is a value
}

// recovered returns the workload gen as it goes on from now for at most limit.
func recovered(gen fallacy.Generator, now, limit time.Duration, nodes, concurrency int) fallacy.Generator {
	serves := make([]byte, min(nodes, concurrency))
	for i := range serves {
		serves[i] = '0'
	}
	return recovering{gen: gen, until: now + limit, nodes: nodes, serves: string(serves)}
}

// Next returns the workload's next op while there is a node to wait for.
func (r recovering) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if now.Time >= r.until || r.all() {
		return nil, nil
	}
	op, rest := r.gen.Next(now)
	if rest == nil {
		return op, nil
	}
	r.gen = rest
	return op, r
}

func (r recovering) all() bool {
	for i := range len(r.serves) {
		if r.serves[i] != '1' {
			return false
		}
	}
	return true
}

// Update notes which node has answered. All ops of before the heal have come
// back when this phase begins, so whatever completes was invoked in it.
func (r recovering) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	r.gen = r.gen.Update(now, event)
	if event.Type == fallacy.OK {
		node := event.Process % now.Concurrency % r.nodes
		r.serves = r.serves[:node] + "1" + r.serves[node+1:]
	}
	return r
}

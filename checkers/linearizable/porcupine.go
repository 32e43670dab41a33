package linearizable

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/anishathalye/porcupine"

	"github.com/fallacy-dev/fallacy"
)

// PorcupineModel is a model written for Porcupine, with what it takes to hold a
// history against it. All fields but Model may be left out.
type PorcupineModel struct {
	Name  string // "porcupine" if empty
	Doc   string
	Model porcupine.Model

	// Operation returns what the model is to see of a call; ok is false for calls
	// that it is not to see. Nil: input and output are both the call's [Action],
	// and what failed is left out.
	//
	// A call of unknown outcome is taken to end last of all. The model must be able
	// to step over it whatever the state is: at the end it is as if it had never happened.
	Operation func(c fallacy.Call) (input, output any, ok bool)

	Budget Budget
}

// Porcupine returns the checker that holds a history against a model written for
// Porcupine, by Porcupine's own search. What exceeds the budget is unknown.
func Porcupine(m PorcupineModel) *fallacy.Checker {
	if m.Name == "" {
		m.Name = "porcupine"
	}
	if m.Doc == "" {
		m.Doc = "the history fits a model of one's own\n\nAn order of the calls exists that the model can step through.\n\nSource: Porcupine, by A. Athalye."
	}
	if m.Operation == nil {
		m.Operation = actionOperation
	}
	return &fallacy.Checker{
		Name: m.Name,
		Doc:  m.Doc,
		Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
			budget := m.Budget.orUsual()
			ctx, cancel := budget.context(ctx)
			defer cancel()
			operations, calls := m.operations(h)
			p := part{size: calls, searched: true}
			ok, err := guardedPorcupine(ctx, m.Model, operations, budget.Memory)
			if p.err = err; !ok && err == nil {
				p.bad = &violation{why: fmt.Sprintf("no order of the %d calls fits the model", len(operations))}
			}
			return together(ctx, []part{p}), nil
		},
	}
}

func actionOperation(c fallacy.Call) (input, output any, ok bool) {
	a := actionOf(c)
	return a, a, a.Type != fallacy.Fail
}

func (m *PorcupineModel) operations(h fallacy.History) (operations []porcupine.Operation, calls int) {
	for c := range h.Calls() {
		calls++
		if in, out, ok := m.Operation(c); ok {
			operations = append(operations, porcupine.Operation{
				ClientId: c.Invoke.Process, Input: in, Output: out, Call: int64(c.Invoke.Index), Return: int64(endOf(c)),
			})
		}
	}
	return operations, calls
}

// ByPorcupine returns the checker that holds a history against a model by
// Porcupine: the second opinion on [Check].
func ByPorcupine(m Model) *fallacy.Checker {
	budget := Budget{}.orUsual()
	return m.checker(budget, func(ctx context.Context, o *object, memory int) part {
		p := part{name: o.name, size: len(o.calls), searched: true}
		ok, err := guardedPorcupine(ctx, m.porcupine(), o.operations(), memory)
		if p.err = err; !ok && err == nil {
			p.bad = &violation{why: inKey(o.name, "no order of the calls explains all answers, says Porcupine")}
		}
		return p
	})
}

// porcupine returns the model as Porcupine has models. Inputs are actions.
func (m *Model) porcupine() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return m.Init },
		Step: func(state, input, _ any) (bool, any) {
			a := input.(Action)
			next, ok := m.Step(state.(fallacy.Value), a)
			if !ok && a.Type == fallacy.Info {
				return true, state // it has not happened, or was refused
			}
			return ok, next
		},
		Equal:             func(a, b any) bool { return a.(fallacy.Value).Equal(b.(fallacy.Value)) },
		DescribeOperation: func(input, _ any) string { return input.(Action).String() },
		DescribeState:     func(state any) string { return state.(fallacy.Value).String() },
	}
}

func (o *object) operations() []porcupine.Operation {
	operations := make([]porcupine.Operation, len(o.calls))
	for i, a := range o.actions {
		at := o.interval(i)
		operations[i] = porcupine.Operation{
			ClientId: o.calls[i].Invoke.Process, Input: a, Call: int64(at.begin), Return: int64(at.end),
		}
	}
	return operations
}

// guardedPorcupine has Porcupine judge operations. It cannot be stopped, but gives up at
// once if no step succeeds any more.
func guardedPorcupine(ctx context.Context, m porcupine.Model, operations []porcupine.Operation, memory int) (bool, error) {
	// Each step that succeeds may be remembered with a bit for every call.
	const overhead = 160
	var left, steps atomic.Int64
	left.Store(int64(memory / (len(operations)/8 + overhead)))
	var trouble atomic.Pointer[error]
	stop := func(err error) { trouble.CompareAndSwap(nil, &err) }
	step := m.StepContext
	if step == nil {
		plain := m.Step
		step = func(_ context.Context, state, input, output any) (bool, any) { return plain(state, input, output) }
	}
	m.Step, m.StepContext = nil, func(_ context.Context, state, input, output any) (ok bool, next any) {
		defer func() { // it runs in a goroutine of Porcupine's
			if p := recover(); p != nil {
				stop(fmt.Errorf("the model panics: %v", p))
				ok, next = false, state
			}
		}()
		if steps.Add(1)%256 == 0 && ctx.Err() != nil {
			stop(context.Cause(ctx))
		}
		if trouble.Load() != nil {
			return false, state
		}
		if ok, next = step(ctx, state, input, output); ok && left.Add(-1) < 0 {
			stop(errMemory)
		}
		return ok, next
	}
	ok := porcupine.CheckOperations(m, operations)
	if err := trouble.Load(); err != nil {
		return false, fmt.Errorf("searching for an order of %d calls: %w", len(operations), *err)
	}
	return ok, nil
}

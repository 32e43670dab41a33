// Package generator says what a test does next: small plans, put together to
// large ones.
//
// In a nutshell: a plan is a value that, asked at some moment, returns the next
// op and the plan for what comes after. There are plans of one op, endless plans,
// and functions that take plans and return one. A call reads as a sentence:
//
//	generator.Phases(generator.Limit(200, adds), generator.Once(read))
//
// # Examples, of rising size
//
// One op, performed by whichever client is free:
//
//	read := generator.Op("read", fallacy.Nil())
//
// Endless ones: the same op again and again, or made by a function, which gets
// a Chance to draw from and how many ops it made before:
//
//	reads := generator.Repeat(read)
//	writes := generator.From(func(c fallacy.Chance, n int) (string, fallacy.Value) {
//		return "write", fallacy.Int(n)
//	})
//
// Nine reads to a write, a hundred ops a second in all, for half a minute:
//
//	generator.TimeLimit(30*time.Second, generator.Rate(100,
//		generator.Weighted(generator.Weigh(9, reads), generator.Weigh(1, writes))))
//
// Readers that no slow writer can hold up:
//
//	generator.Reserve(generator.Workers(5, writes), generator.Others(reads))
//
// Many registers rather than one, each with five workers and a hundred ops:
//
//	generator.Independent(5,
//		func(i int) fallacy.Value { return fallacy.Int(i) },
//		func(key fallacy.Value) fallacy.Generator { return generator.Limit(100, generator.Mix(reads, writes)) })
//
// Clients and faults side by side, then a heal, then a read by every worker:
//
//	generator.Phases(
//		generator.TimeLimit(time.Minute, generator.Any(
//			generator.OnClients(generator.Rate(100, generator.Mix(reads, writes))),
//			generator.OnNemesis("partition", generator.Cycle(generator.Seq(
//				generator.Sleep(10*time.Second), generator.Op("inject", fallacy.Nil()),
//				generator.Sleep(10*time.Second), generator.Op("heal", fallacy.Nil())))))),
//		generator.OnNemesis("partition", generator.Op("heal", fallacy.Nil())),
//		generator.OnClients(generator.EachWorker(generator.Once(reads))))
//
// # What there is
//
//	one op, or many       Op, From, FromMoment, Log, Nothing
//	one after the other   Seq, Series, Phases, Then, Synchronize
//	side by side          Any, ShortestAny
//	taking turns          Mix, Weighted, FlipFlop, CycleTimes
//	so many               Limit, Once, Repeat, Cycle, Times, UntilOK
//	when                  Rate, Stagger, Delay, Sleep, TimeLimit
//	who                   OnClients, OnNemesis, Reserve, EachWorker, EachProcess,
//	                      ProcessLimit, ConcurrencyLimit
//	on which key          Independent, Keyed
//	other ops             Map, Rename, Filter
//	events                OnUpdate, IgnoreUpdates
//	looking on            Trace, Validate, Simulate
//
// # Trying one out
//
// [Simulate] runs a plan in virtual time against a [World] that answers ok, or
// fails, or crashes. No cluster is needed, a simulated hour takes no time, and the
// same seed gives the same history. The examples of this package do so.
//
// # The contract
//
// fallacy.Generator has it; this is what follows from it for plans made here.
//
// Values, not actors. Next and Update return a new state and leave the old one
// alone, so a plan can be used in several places and asked twice. nil is the
// plan with nothing left. Functions handed to a combinator must depend on their
// arguments only, or asking twice gives two answers.
//
// Who asks keeps the state before an op until the op is performed, and the state
// after when there was none. An op for later may thus be asked for many times,
// and others may come before it.
//
// Who. A combinator that restricts narrows the moment: inside OnClients
// there are no nemeses, inside OnNemesis no workers, inside Reserve the share's
// workers only. An op goes to a free process, each as likely as the other, and
// where there are no workers to an idle nemesis. Where there is nobody at all a
// plan is exhausted rather than stuck. Those that divide workers (Reserve,
// Independent) know which ones they have by having seen them free: within another
// of their kind, a worker belongs to the first share that had room when it was
// first seen, for as long as that plan lasts.
//
// Chance. Every choice is drawn from the moment's Chance by the place in
// the plan where it is made and a count kept there. The same seed makes the same
// choices, and taking an alternative out of a Mix or an Any (with [Nothing] in
// its place) changes none of the others. A wrapper that neither chooses nor has
// several children, such as Limit or OnClients, passes Chance on as it is: to put
// one on or to take it off shifts nothing.
//
// Events reach every part of a plan that is under way and whose workers or
// nemesis they concern. What has not begun, the later parts of a Seq or what is
// behind a Synchronize, does not hear of them.
//
// Notes, ops of type Info, are performed by nobody. They pass through all
// combinators and are neither counted, delayed, filtered nor changed.
package generator

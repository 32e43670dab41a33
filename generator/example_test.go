package generator_test

import (
	"fmt"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/generator"
)

// show prints a history with its virtual times.
func show(h fallacy.History) {
	for _, op := range h {
		fmt.Println(op.Time, op)
	}
}

// asked prints what was invoked, and by whom.
func asked(h fallacy.History) {
	for _, op := range h {
		if op.Type == fallacy.Invoke {
			fmt.Println(op.Time, op)
		}
	}
}

func Example() {
	reads := generator.Repeat(generator.Op("read", fallacy.Nil()))
	writes := generator.From(func(_ fallacy.Chance, n int) (string, fallacy.Value) {
		return "write", fallacy.Int(n)
	})
	partition := generator.Cycle(generator.Seq(
		generator.Sleep(10*time.Second), generator.Op("inject", fallacy.Nil()),
		generator.Sleep(10*time.Second), generator.Op("heal", fallacy.Nil())))

	plan := generator.Phases(
		generator.TimeLimit(25*time.Second, generator.Any(
			generator.OnClients(generator.Rate(0.2, generator.Mix(reads, writes))),
			generator.OnNemesis("partition", partition))),
		generator.Log("the last heal"),
		generator.OnNemesis("partition", generator.Op("heal", fallacy.Nil())),
		generator.OnClients(generator.EachWorker(generator.Once(reads))))

	asked(generator.Simulate(plan, generator.World{
		Workers: 2, Nemeses: []string{"partition"}, Latency: time.Millisecond,
	}))
	// Output:
	// 0s 1 invoke write 0
	// 168.215924ms 1 invoke read null
	// 3.355436149s 0 invoke read null
	// 8.547377553s 1 invoke read null
	// 10s nemesis/partition invoke inject null
	// 15.436362153s 0 invoke write 1
	// 18.021044909s 1 invoke read null
	// 20.001s nemesis/partition invoke heal null
	// 24.147642195s 0 invoke read null
	// 25.000642195s nemesis/partition invoke heal null
	// 25.001642195s 1 invoke read null
	// 25.001642195s 0 invoke read null
}

func ExamplePhases() {
	adds := generator.From(func(_ fallacy.Chance, n int) (string, fallacy.Value) { return "add", fallacy.Int(n) })
	read := generator.Op("read", fallacy.Nil())

	show(generator.Simulate(generator.Phases(generator.Limit(3, adds), generator.Once(read)), generator.World{Workers: 2}))
	// Output:
	// 0s 1 invoke add 0
	// 0s 0 invoke add 1
	// 10ns 1 ok add 0
	// 10ns 0 ok add 1
	// 10ns 1 invoke add 2
	// 20ns 1 ok add 2
	// 20ns 0 invoke read null
	// 30ns 0 ok read null
}

func ExampleSeq() {
	show(generator.Simulate(generator.Seq(
		generator.Op("create", fallacy.Nil()),
		generator.Sleep(time.Second),
		generator.Op("drop", fallacy.Nil()),
	), generator.World{Workers: 1}))
	// Output:
	// 0s 0 invoke create null
	// 10ns 0 ok create null
	// 1.00000001s 0 invoke drop null
	// 1.00000002s 0 ok drop null
}

func ExampleMix() {
	a := generator.Repeat(generator.Op("a", fallacy.Nil()))
	b := generator.Repeat(generator.Op("b", fallacy.Nil()))
	asked(generator.Simulate(generator.Limit(6, generator.Mix(a, b)), generator.World{Workers: 1, Seed: 1}))
	// Output:
	// 0s 0 invoke a null
	// 10ns 0 invoke b null
	// 20ns 0 invoke b null
	// 30ns 0 invoke a null
	// 40ns 0 invoke b null
	// 50ns 0 invoke b null
}

func ExampleFrom() {
	cas := generator.From(func(c fallacy.Chance, n int) (string, fallacy.Value) {
		return "cas", fallacy.Ints(c.IntN(5), n)
	})
	asked(generator.Simulate(generator.Limit(3, cas), generator.World{Workers: 1}))
	// Output:
	// 0s 0 invoke cas [1,0]
	// 10ns 0 invoke cas [0,1]
	// 20ns 0 invoke cas [3,2]
}

func ExampleRate() {
	ticks := generator.Repeat(generator.Op("tick", fallacy.Nil()))
	asked(generator.Simulate(generator.Limit(5, generator.Rate(10, ticks)), generator.World{}))
	// Output:
	// 0s 2 invoke tick null
	// 77.341318ms 1 invoke tick null
	// 228.691372ms 1 invoke tick null
	// 293.499477ms 1 invoke tick null
	// 492.834104ms 1 invoke tick null
}

func ExampleDelay() {
	ticks := generator.Repeat(generator.Op("tick", fallacy.Nil()))
	asked(generator.Simulate(generator.Limit(3, generator.Delay(time.Second, ticks)), generator.World{Workers: 1}))
	// Output:
	// 0s 0 invoke tick null
	// 1s 0 invoke tick null
	// 2s 0 invoke tick null
}

func ExampleReserve() {
	a := generator.Repeat(generator.Op("write", fallacy.Nil()))
	b := generator.Repeat(generator.Op("read", fallacy.Nil()))
	asked(generator.Simulate(generator.Limit(6, generator.Reserve(
		generator.Workers(1, a),
		generator.Others(b),
	)), generator.World{}))
	// Output:
	// 0s 1 invoke read null
	// 0s 2 invoke read null
	// 0s 0 invoke write null
	// 10ns 1 invoke read null
	// 10ns 2 invoke read null
	// 10ns 0 invoke write null
}

func ExampleEachProcess() {
	asked(generator.Simulate(generator.Limit(6, generator.EachProcess(generator.Seq(
		generator.Op("hello", fallacy.Nil()),
		generator.Op("bye", fallacy.Nil()),
	))), generator.World{Workers: 2, Answer: generator.Imperfect, Seed: 1}))
	// Output:
	// 0s 1 invoke hello null
	// 0s 0 invoke hello null
	// 22ns 2 invoke hello null
	// 30ns 1 invoke bye null
	// 39ns 2 invoke bye null
}

func ExampleOnNemesis() {
	show(generator.Simulate(generator.OnNemesis("kill", generator.Seq(
		generator.Op("inject", fallacy.String("minority")),
		generator.Sleep(5*time.Second),
		generator.Op("heal", fallacy.Nil()),
	)), generator.World{Nemeses: []string{"kill", "pause"}, Latency: time.Second}))
	// Output:
	// 0s nemesis/kill invoke inject "minority"
	// 1s nemesis/kill info inject "minority"
	// 6s nemesis/kill invoke heal null
	// 7s nemesis/kill info heal null
}

func ExampleAny() {
	slow := generator.Delay(3*time.Second, generator.Repeat(generator.Op("slow", fallacy.Nil())))
	fast := generator.Delay(2*time.Second, generator.Repeat(generator.Op("fast", fallacy.Nil())))
	asked(generator.Simulate(generator.Limit(5, generator.Any(slow, fast)), generator.World{Workers: 1}))
	// Output:
	// 0s 0 invoke slow null
	// 10ns 0 invoke fast null
	// 2.00000001s 0 invoke fast null
	// 3s 0 invoke slow null
	// 4.00000001s 0 invoke fast null
}

func ExampleUntilOK() {
	read := generator.Repeat(generator.Op("read", fallacy.Nil()))
	show(generator.Simulate(generator.UntilOK(read), generator.World{Workers: 1, Answer: generator.Imperfect, Seed: 2}))
	// Output:
	// 0s 0 invoke read null
	// 18ns 0 info read null (no answer)
	// 18ns 1 invoke read null
	// 40ns 1 fail read null (refused)
	// 40ns 1 invoke read null
	// 63ns 1 ok read null
}

func ExampleFlipFlop() {
	inject := generator.Repeat(generator.Op("inject", fallacy.Nil()))
	heal := generator.Repeat(generator.Op("heal", fallacy.Nil()))
	asked(generator.Simulate(
		generator.OnNemesis("kill", generator.Limit(4, generator.Delay(10*time.Second, generator.FlipFlop(inject, heal)))),
		generator.World{Nemeses: []string{"kill"}}))
	// Output:
	// 0s nemesis/kill invoke inject null
	// 10s nemesis/kill invoke heal null
	// 20s nemesis/kill invoke inject null
	// 30s nemesis/kill invoke heal null
}

func ExampleCycleTimes() {
	write := generator.Delay(time.Second, generator.Repeat(generator.Op("write", fallacy.Nil())))
	read := generator.Delay(time.Second, generator.Repeat(generator.Op("read", fallacy.Nil())))
	asked(generator.Simulate(generator.Limit(6, generator.CycleTimes(
		generator.During(2*time.Second, write),
		generator.During(time.Second, read),
	)), generator.World{Workers: 1}))
	// Output:
	// 0s 0 invoke write null
	// 1s 0 invoke write null
	// 2s 0 invoke read null
	// 3s 0 invoke write null
	// 3.00000001s 0 invoke write null
	// 4s 0 invoke write null
}

func ExampleMap() {
	writes := generator.From(func(_ fallacy.Chance, n int) (string, fallacy.Value) { return "write", fallacy.Int(n) })
	even := generator.Filter(func(op fallacy.Op) bool { n, _ := op.Value.Int(); return n%2 == 0 }, writes)
	named := generator.Map(func(op fallacy.Op) fallacy.Op { op.F = "put"; return op }, even)
	asked(generator.Simulate(generator.Limit(3, named), generator.World{Workers: 1}))
	// Output:
	// 0s 0 invoke put 0
	// 10ns 0 invoke put 2
	// 20ns 0 invoke put 4
}

func ExampleIndependent() {
	keys := func(i int) fallacy.Value {
		if i == 3 {
			return fallacy.Nil() // no more
		}
		return fallacy.String(string(rune('x' + i)))
	}
	register := func(fallacy.Value) fallacy.Generator {
		reads := generator.Repeat(generator.Op("read", fallacy.Nil()))
		writes := generator.From(func(_ fallacy.Chance, n int) (string, fallacy.Value) { return "write", fallacy.Int(n) })
		return generator.Limit(3, generator.Mix(reads, writes))
	}
	asked(generator.Simulate(generator.Independent(2, keys, register), generator.World{Workers: 4}))
	// Output:
	// 0s 0 invoke read ["x",null]
	// 0s 3 invoke write ["y",0]
	// 0s 2 invoke read ["y",null]
	// 0s 1 invoke read ["x",null]
	// 10ns 3 invoke write ["y",1]
	// 10ns 0 invoke write ["x",0]
	// 10ns 1 invoke write ["z",0]
	// 20ns 1 invoke write ["z",1]
	// 20ns 0 invoke write ["z",2]
}

func ExampleSimulate() {
	// A register that a test can read and write, and that is down at first.
	register, calls := fallacy.Nil(), 0
	answer := func(_ fallacy.Chance, op fallacy.Op) fallacy.Op {
		if calls++; calls < 3 {
			op.Type, op.Error = fallacy.Fail, "down"
			return op
		}
		if op.F == "write" {
			register = op.Value
		}
		op.Type, op.Value = fallacy.OK, register
		return op
	}
	plan := generator.Then(
		generator.UntilOK(generator.Repeat(generator.Op("write", fallacy.Int(4)))),
		generator.Op("read", fallacy.Nil()))
	show(generator.Simulate(plan, generator.World{Workers: 1, Answer: answer}))
	// Output:
	// 0s 0 invoke write 4
	// 10ns 0 fail write 4 (down)
	// 10ns 0 invoke write 4
	// 20ns 0 fail write 4 (down)
	// 20ns 0 invoke write 4
	// 30ns 0 ok write 4
	// 30ns 0 invoke read null
	// 40ns 0 ok read 4
}

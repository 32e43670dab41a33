package generator

import (
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Answer is how the clients and nemeses of a [World] complete what they were asked:
// it returns the completion of an invocation, of which Type, Value and Error
// count. A Time later than the invocation's is when it completes; otherwise
// that is after the world's latency. c is the op's own Chance. An Answer may
// keep state, as a small fake of the system under test does: it is called once
// for each invocation, in order.
type Answer func(c fallacy.Chance, invoke fallacy.Op) fallacy.Op

// Perfect answers that everything happened.
func Perfect(_ fallacy.Chance, invoke fallacy.Op) fallacy.Op {
	invoke.Type = fallacy.OK
	return invoke
}

// Failing answers that nothing happened.
func Failing(_ fallacy.Chance, invoke fallacy.Op) fallacy.Op {
	invoke.Type, invoke.Error = fallacy.Fail, "refused"
	return invoke
}

// Crashing never knows: each process is retired after one op.
func Crashing(_ fallacy.Chance, invoke fallacy.Op) fallacy.Op {
	invoke.Type, invoke.Error = fallacy.Info, "no answer"
	return invoke
}

// Imperfect answers ok, fail or info, each as likely as the other, and takes up
// to 20 ns longer than the world's latency would have it, at random.
func Imperfect(c fallacy.Chance, invoke fallacy.Op) fallacy.Op {
	answers := [...]Answer{Perfect, Failing, Crashing}
	op := answers[c.At("type").IntN(len(answers))](c, invoke)
	op.Time = invoke.Time + defaultLatency + time.Duration(c.At("latency").IntN(21))
	return op
}

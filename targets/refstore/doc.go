// Package refstore is a replicated store that keeps its promises, or breaks one of them on request.
//
//	fallacy refstore --id n1 --peers n1=127.0.0.1:7101,n2=127.0.0.1:7102,n3=127.0.0.1:7103 \
//	        --listen-client 127.0.0.1:7001 --listen-peer 127.0.0.1:7101 --dir /tmp/n1
//	curl -d '{"key":"x","value":5}' http://127.0.0.1:7001/v1/write
//	curl -d '{"key":"x"}'           http://127.0.0.1:7001/v1/read
//	curl http://127.0.0.1:7001/v1/status
//
// # What it promises
//
// Every operation is linearizable, every transaction strictly serializable, whatever the network, the
// processes and the clocks do. Writes go through Raft's log; reads ask the leader how far the node's own
// state must have got (ReadIndex). Any node serves any client. A named request (client and sequence
// number) takes effect once, however often it is sent. Tokens of a lock only grow, and a write guarded by
// a token is refused once a higher one has been granted.
//
// Answers: 200 it happened; 409 refused, 400 senseless, 503 not proposed: it did not happen and will not;
// 504 or a closed connection: nobody knows. An entry that was proposed counts as not having happened only
// when another term's entry has been applied at its index.
//
// # How it is made
//
// Replica is the store as a state machine on raft.RawNode: inputs in, effects out, no goroutine, no
// clock, no chance. Serve drives it with sockets, files and timers; a simulation can drive the same code.
// Raft draws election timeouts from crypto/rand.Reader. To have them repeatable, replace that variable
// before the first Replica is made (the --seed flag does); it is one for the whole process.
//
// Bugs lists what can be broken. What breaks is marked in the code by the bug's name.
//
// # Limits
//
// A node whose directory is lost must not come back under its name: it would have forgotten its votes.
// Remove it and add another. Damage to the very last write in the log cannot be told from a write that a
// crash has torn, and is cut off; damage anywhere before makes the node refuse to start. There is no
// encryption and no authentication: this is for tests.
package refstore

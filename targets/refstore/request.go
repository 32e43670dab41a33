package refstore

import (
	"encoding/json"
	"fmt"
)

// Operations a client can ask for, by the name in the URL: POST /v1/write.
const (
	OpRead      = "read"      // Key -> Value
	OpWrite     = "write"     // Key, Value
	OpCAS       = "cas"       // Key, From, Value -> Value seen when refused
	OpTxn       = "txn"       // Ops -> Ops
	OpAdd       = "add"       // Key (the set), Value
	OpElements  = "elements"  // Key (the set) -> Ints
	OpIncrement = "increment" // Key (the counter), Value
	OpCount     = "count"     // Key (the counter) -> Value
	OpEnqueue   = "enqueue"   // Key (the queue), Value
	OpDequeue   = "dequeue"   // Key (the queue) -> Value, absent when the queue is empty
	OpAcquire   = "acquire"   // Key (the lock), Owner, TTL -> Token
	OpRelease   = "release"   // Key (the lock), Owner, Token
	OpGuard     = "guard"     // Key (the lock), Token, Value: a write fenced by the token
	OpGuarded   = "guarded"   // Key (the lock) -> Value, Token: what guard wrote last
	OpMember    = "member"    // Member, Remove: change the membership

	opExpire = "expire" // Key (the lock), Token: proposed by the leader when a lease has run out
)

// Request is what a client asks for. Client and Seq name it: a request that comes again with the same
// name takes effect once. A client has one request under way at a time and counts Seq up; a client
// without a name is never retried, by nobody.
type Request struct {
	Client string    `json:"client,omitempty"`
	Seq    uint64    `json:"seq,omitempty"`
	Op     string    `json:"op,omitempty"`
	Key    string    `json:"key,omitempty"`
	Value  int       `json:"value,omitempty"`
	From   int       `json:"from,omitempty"`
	Ops    []MicroOp `json:"ops,omitempty"`
	Owner  string    `json:"owner,omitempty"`
	Token  int       `json:"token,omitempty"`
	TTL    int       `json:"ttl_ms,omitempty"`
	Member *Member   `json:"member,omitempty"`
	Remove bool      `json:"remove,omitempty"`
}

// ReadOnly says whether the request changes nothing, so that it needs no place in the log.
func (q *Request) ReadOnly() bool {
	switch q.Op {
	case OpRead, OpElements, OpCount, OpGuarded:
		return true
	case OpTxn:
		for _, m := range q.Ops {
			if m.F != "r" {
				return false
			}
		}
		return true
	}
	return false
}

// Validate says what is wrong with a request before anything is done about it.
func (q *Request) Validate() error {
	switch q.Op {
	case OpRead, OpWrite, OpCAS, OpAdd, OpElements, OpIncrement, OpCount, OpEnqueue, OpDequeue, OpRelease, OpGuard, OpGuarded:
		return nil
	case OpAcquire:
		if q.TTL <= 0 {
			return fmt.Errorf("acquire %q: ttl_ms must be positive", q.Key)
		}
		return nil
	case OpTxn:
		for _, m := range q.Ops {
			if _, isInt := m.Value.Int(); m.F != "r" && (m.F != "w" && m.F != "append" || !isInt) {
				return fmt.Errorf("txn: bad micro-op %q on %q", m.F, m.Key)
			}
		}
		return nil
	case OpMember:
		if q.Member == nil || q.Member.ID == 0 {
			return fmt.Errorf("member: no member given")
		}
		return nil
	}
	return fmt.Errorf("unknown operation %q", q.Op)
}

// Result is what an operation observed.
type Result struct {
	Refused string    `json:"refused,omitempty"` // why nothing was changed; empty: it was done
	Value   Datum     `json:"value"`
	Ops     []MicroOp `json:"ops,omitempty"`
	Ints    []int     `json:"ints,omitempty"`
	Token   int       `json:"token,omitempty"`
}

// Code sorts answers by what the client may conclude from them.
type Code uint8

// The codes, with the HTTP status each travels under.
const (
	Done        Code = iota // 200: it happened
	Refused                 // 409: it did not happen; Result says why
	Invalid                 // 400: it did not happen; the request makes no sense
	Unavailable             // 503: it did not happen; nothing was proposed, or what was is proven dead
	Unknown                 // 504: nobody knows
)

// Reply answers the request with the same ID.
type Reply struct {
	ID     uint64
	Code   Code
	Result Result
	Error  string
}

// Member is a node of the cluster as everybody knows it. PeerAddr serves those who were not told a way
// of their own to reach it.
type Member struct {
	ID       uint64 `json:"id"`
	Name     string `json:"name"`
	PeerAddr string `json:"peer_addr,omitempty"`
}

// command is a request with its place: what an entry of the log holds.
type command struct {
	Request
	Origin      uint64 `json:"o"`           // node that the client asked
	Incarnation uint64 `json:"i"`           // and which life of it
	ID          uint64 `json:"n"`           // and its number for the request
	Born        uint64 `json:"b,omitempty"` // applied index at the origin when the request came
	Part        int    `json:"p,omitempty"` // torn-txn: which piece of the request this is
	Snapshot    uint64 `json:"s,omitempty"` // write-skew: applied index that the reads were taken at
}

func (c *command) encode() []byte {
	text, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("encode command: %v", err)) // only plain fields: cannot happen
	}
	return text
}

func decodeCommand(text []byte) (*command, error) {
	c := new(command)
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("decode command: %w", err)
	}
	return c, nil
}

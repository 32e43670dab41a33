package results

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"

	"github.com/klauspost/compress/flate"

	"github.com/fallacy-dev/fallacy"
)

// deflateLevel takes a third of the time of the best, and 7 % more room.
const deflateLevel = 5

// valueMax is how much of a value or an error the charts carry. The history has all of it.
const valueMax = 300

// header is what the script of the page reads before the columns.
type header struct {
	N         int             `json:"n"`
	End       float64         `json:"end"` // seconds
	Nodes     []string        `json:"nodes"`
	Lanes     []int           `json:"lanes"` // the node of each lane, -1: not known
	Functions []string        `json:"functions"`
	Keyed     bool            `json:"keyed"` // each call has one key, apart from its value
	Keys      []string        `json:"keys"`
	KeySets   [][]int         `json:"keysets"`
	Texts     []string        `json:"texts"`
	Faults    []headerFault   `json:"faults"`
	Anomalies []headerAnomaly `json:"anomalies"`
	Logs      headerLogs      `json:"logs"`
	Leads     []headerLead    `json:"leads"`
	Usage     []headerUsage   `json:"usage"`
}

type headerFault struct {
	Name     string         `json:"name"`
	Kind     string         `json:"kind"`
	What     string         `json:"what"`
	From     float64        `json:"from"`
	To       float64        `json:"to"`
	Verified bool           `json:"verified"`
	Nodes    map[int]string `json:"nodes"`  // what it means for each
	Clocks   map[int]clock  `json:"clocks"` // how far off each is to go
	Read     []headerRead   `json:"read"`   // what each was seen to show
}

// headerRead is a clock as a node's process was seen to read it.
type headerRead struct {
	Node   int     `json:"node"`
	At     float64 `json:"at"`
	Offset float64 `json:"offset"` // seconds
}

type clock struct {
	Offset float64 `json:"offset"` // seconds
	Drift  float64 `json:"drift"`  // seconds a second
	Strobe float64 `json:"strobe"` // seconds
	Frozen bool    `json:"frozen"`
}

type headerAnomaly struct {
	Name  string `json:"name"`
	Calls []int  `json:"calls"`
}

// columnNames are the columns in their order, for those who read this file: all
// are varints, one for each call.
//
//	start    zigzag, microseconds since the call before
//	took     microseconds and one; 0: never answered
//	process  as it is
//	function its place in functions
//	type     1 ok, 2 fail, 3 info
//	keyset   its place in keysets, and one; 0: none
//	asked    0: nothing; odd: a number, zigzag, behind the last bit; even: twice its place in texts, and two
//	got      0: nothing; 1: what was asked; else the same as asked, and one
//	error    its place in texts, and one
//	node     its place in nodes, and one
//	invoke   zigzag, index of the invocation since that of the call before
//	complete index of the completion minus that of the invocation; 0: none
const columns = 12

// table gives equal texts one place.
type table struct {
	at    map[string]int
	texts []string
}

func (t *table) place(text string) int {
	if at, ok := t.at[text]; ok {
		return at
	}
	if t.at == nil {
		t.at = make(map[string]int)
	}
	t.at[text] = len(t.texts)
	t.texts = append(t.texts, text)
	return len(t.texts) - 1
}

// packer builds the columns.
type packer struct {
	calls                                *calls
	columns                              [columns][]byte
	functions, keys, sets, texts, places table
	keySets                              [][]int
	lanes                                []int
	last                                 int64
	lastIndex                            int
}

// dataOf returns the data of the page: header and columns, deflated, in base64.
func dataOf(c *calls, episodes []*episode, stories []*story, files []*logFile, used []usage) (string, error) {
	p := &packer{calls: c, lanes: make([]int, c.lanes)}
	for i := range p.lanes {
		p.lanes[i] = -1
	}
	var nodes []string
	for _, n := range c.nodes {
		p.places.place(n)
		nodes = append(nodes, shown(n))
	}
	for _, call := range c.all {
		p.add(call)
	}
	head := header{
		N: len(c.all), End: c.end.Seconds(), Nodes: nodes, Lanes: p.lanes,
		Functions: p.functions.texts, Keyed: c.keyed, Keys: p.keys.texts, KeySets: p.keySets, Texts: p.texts.texts,
	}
	for _, e := range episodes {
		head.Faults = append(head.Faults, p.fault(e))
	}
	for _, s := range stories {
		head.Anomalies = append(head.Anomalies, headerAnomaly{s.Name, s.places})
	}
	head.Logs, head.Leads, head.Usage = p.logs(files), p.leads(files), p.usage(used)
	return p.deflate(head)
}

func (p *packer) put(column, n int) {
	p.columns[column] = binary.AppendUvarint(p.columns[column], uint64(max(n, 0)))
}

func zigzag(n int64) int { return int(uint64(n)<<1 ^ uint64(n>>63)) }

func (p *packer) add(call fallacy.Call) {
	at := call.Invoke
	keys, asked, got := p.calls.parts(call)
	start := at.Time.Microseconds()
	p.put(0, zigzag(start-p.last))
	p.put(2, at.Process)
	p.put(3, p.functions.place(shown(at.F)))
	p.put(4, int(call.Type()))
	p.put(5, p.keySet(keys))
	p.put(6, p.text(asked, at.F))
	switch {
	case got.IsNil():
		p.put(7, 0)
	case got.Equal(asked): // said once
		p.put(7, 1)
	default:
		p.put(7, p.text(got, "")+1)
	}
	p.put(10, zigzag(int64(at.Index-p.lastIndex)))
	p.last, p.lastIndex = start, at.Index
	problem := 0
	if call.Complete == nil {
		p.put(1, 0)
		p.put(11, 0)
	} else {
		p.put(1, int(call.Complete.Time.Microseconds()-start)+1)
		p.put(11, call.Complete.Index-at.Index)
		if e := call.Complete.Error; e != "" {
			problem = p.texts.place(shown(e)) + 1
		}
	}
	p.put(8, problem)
	node := 0
	if name := nodeOf(call); name != "" {
		node = p.places.place(name) + 1
		if lane := p.calls.laneOf(at.Process); p.lanes[lane] < 0 {
			p.lanes[lane] = node - 1
		}
	}
	p.put(9, node)
}

// shown is a text of the run as the charts show it.
func shown(text string) string { return shorten(printable(text), valueMax) }

// numberMax bounds the numbers that are written as such.
const numberMax = 1 << 29

// text returns a value that f was asked with as the columns have it.
func (p *packer) text(v fallacy.Value, f string) int {
	if v.IsNil() {
		return 0
	}
	if n, ok := v.Int(); ok && n > -numberMax && n < numberMax {
		return zigzag(int64(n))<<1 | 1
	}
	return 2 * (p.texts.place(shown(askedWords(f, v, fallacy.Value.String))) + 1)
}

func (p *packer) keySet(keys []fallacy.Value) int {
	if len(keys) == 0 {
		return 0
	}
	var set []int
	var name []byte
	for _, k := range keys {
		at := p.keys.place(shown(plain(k)))
		set = append(set, at)
		name = binary.AppendUvarint(name, uint64(at))
	}
	at := p.sets.place(string(name))
	if at == len(p.keySets) {
		p.keySets = append(p.keySets, set)
	}
	return at + 1
}

func (p *packer) fault(e *episode) headerFault {
	f := headerFault{
		Name: shown(e.Name()), Kind: e.Kind, What: shown(e.What), From: e.From.Seconds(), To: e.To.Seconds(), Verified: e.Verified(),
		Nodes: make(map[int]string), Clocks: make(map[int]clock),
	}
	for i, n := range p.calls.nodes {
		if on := e.Damage.on(n); on != "" {
			f.Nodes[i] = shown(on)
		}
		if s := e.Damage[n].Clock; s != (fallacy.Skew{}) {
			f.Clocks[i] = clock{Offset: s.Offset.Seconds(), Drift: s.Drift / 1e6, Strobe: s.Strobe.Seconds(), Frozen: s.Frozen}
		}
		if offset, ok := e.Read[n]; ok {
			f.Read = append(f.Read, headerRead{i, e.ReadAt.Seconds(), offset.Seconds()})
		}
	}
	return f
}

// deflate packs the header's length, the header, and the columns one after another.
func (p *packer) deflate(head header) (string, error) {
	text, err := json.Marshal(head)
	if err != nil {
		return "", err
	}
	var packed bytes.Buffer
	z, err := flate.NewWriter(&packed, deflateLevel)
	if err != nil {
		return "", err
	}
	parts := append([][]byte{binary.AppendUvarint(nil, uint64(len(text))), text}, p.columns[:]...)
	for _, part := range parts {
		if _, err := z.Write(part); err != nil {
			return "", err
		}
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	var out strings.Builder
	out.Grow(base64.StdEncoding.EncodedLen(packed.Len()))
	out.WriteString(base64.StdEncoding.EncodeToString(packed.Bytes()))
	return out.String(), nil
}

package linearizable

// slot is where a pending call is kept.
type slot struct{ stretch, call int32 }

// Slots of processes that wait for nothing.
var (
	idle   = slot{stretch: none}
	unseen = slot{stretch: none - 1} // and did nothing so far
)

// processes remembers what each process waits for. Their numbers are small as a
// rule, and then a slice does.
type processes struct {
	dense  []slot
	sparse map[int]slot
	count  int
}

func (p *processes) put(process int, s slot) {
	if process < len(p.dense) {
		p.dense[process] = s
		return
	}
	if p.count++; process < dense*p.count+1024 && len(p.sparse) == 0 {
		for len(p.dense) <= process {
			p.dense = append(p.dense, unseen)
		}
		p.dense[process] = s
		return
	}
	if p.sparse == nil {
		p.sparse = make(map[int]slot)
	}
	p.sparse[process] = s
}

// take returns what the process waits for, which it then does no more, and
// whether it was heard of at all.
func (p *processes) take(process int) (s slot, known bool) {
	if process < len(p.dense) {
		s = p.dense[process]
		p.dense[process] = idle
		return s, s != unseen
	}
	if s, known = p.sparse[process]; !known {
		s = unseen
	}
	p.put(process, idle)
	return s, known
}

package linearizable

// slot is where a pending call is kept.
type slot struct{ register, call int32 }

// processes remembers what each process waits for. Their numbers are small as a
// rule, and then a slice does.
type processes struct {
	dense  []slot // register less than 0: none
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
			p.dense = append(p.dense, slot{none, none})
		}
		p.dense[process] = s
		return
	}
	if p.sparse == nil {
		p.sparse = make(map[int]slot)
	}
	p.sparse[process] = s
}

// take returns what the process waits for, which it then does no more.
func (p *processes) take(process int) (s slot, ok bool) {
	if process < len(p.dense) {
		s = p.dense[process]
		p.dense[process] = slot{none, none}
		return s, s.register >= 0
	}
	if s, ok = p.sparse[process]; ok {
		delete(p.sparse, process)
	}
	return s, ok
}

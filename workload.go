package fallacy

// Workload is a question put to a target: what to ask of it, how, and what the
// answers must be like.
type Workload struct {
	Name      string
	Doc       string                     // first a title line, then a blank line, then the manual page
	Client    func(Conn) (Client, error) // an error names the methods that the conn lacks
	Generator Generator                  // for the clients, during the faults; endless
	Final     Generator                  // for the clients, after recovery; nil: nothing
	Checkers  []*Checker
}

// ClientOver returns the workload's client over conn. A conn that is itself a
// [Client] is that client: it answers operations as the history has them.
func (w *Workload) ClientOver(conn Conn) (Client, error) {
	if c, ok := conn.(Client); ok {
		return c, nil
	}
	return w.Client(conn)
}

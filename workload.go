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

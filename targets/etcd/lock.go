package etcd

// held is the lock that a connection holds, if any.
type held struct{}

func (h *held) forget() {}

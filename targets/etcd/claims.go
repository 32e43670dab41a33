package etcd

// Where etcd's manual says what it promises.
const (
	guarantees = "https://etcd.io/docs/v3.6/learning/api_guarantees/"
	reference  = "https://etcd.io/docs/v3.6/dev-guide/api_reference_v3/"
	locks      = "https://etcd.io/docs/v3.6/learning/why/#notes-on-the-usage-of-lock-and-lease"
)

// Claims returns what etcd's manual says of that which a workload checks.
func (*target) Claims(workload string) []string {
	switch workload {
	case "watch":
		return []string{
			"watches are ordered, unique, atomic, reliable, resumable and bookmarkable: " + guarantees,
			"a watch that begins in what was compacted is cancelled, and told where it may begin: " + reference,
		}
	case "lease":
		return []string{"a lease expires if no keep-alive is received within its time, and then its keys are deleted: " + reference}
	case "mutex", "lock":
		return []string{"a lock is not safe without checking its key in the transaction that it protects: " + locks}
	}
	return []string{"all key-value operations are strictly serializable, and what was acknowledged is durable: " + guarantees}
}

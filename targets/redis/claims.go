package redis

// Where Redis's manual says what it promises.
const (
	persistence  = "https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/"
	ofSentinel   = "https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/"
	ofCluster    = "https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/"
	ofStreams    = "https://redis.io/docs/latest/develop/data-types/streams/"
	ofExpires    = "https://redis.io/docs/latest/commands/expire/"
	ofRedlock    = "https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/"
	acknowledged = "what a server alone has acknowledged it does not lose if its append-only file is always synced"
)

// Claims returns what Redis's manual says of a workload in this topology.
func (t *target) Claims(workload string) []string {
	claims := []string{t.durability()}
	if workload == "stream" {
		claims = append(claims,
			"the IDs of a stream's entries grow, even if the server's clock goes back: "+ofStreams+"#entry-ids",
			"streams are kept and replicated as all data are: an entry that XADD has acknowledged may be missing after a failover: "+
				ofStreams+"#persistence-replication-and-message-safety")
	}
	if workload == "lease" {
		claims = append(claims, "expires are kept as absolute times of the wall clock, and for them to work well that must be stable: "+ofExpires)
	}
	if t.name == independent {
		claims = []string{"Redlock has one holder at a time as long as clocks run at about the same rate: " + ofRedlock}
	}
	return claims
}

// durability is what is said of acknowledged writes.
func (t *target) durability() string {
	switch t.name {
	case sentinel:
		return "replication is asynchronous, so acknowledged writes can be lost in a partition or a failover: " + ofSentinel
	case clustered:
		return "replication is asynchronous, so acknowledged writes can be lost in a partition or a failover: " + ofCluster
	case single:
		return acknowledged + ", as here: " + persistence
	}
	return acknowledged + "; synced every second, as here, it may lose a second of them: " + persistence
}

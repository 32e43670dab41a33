// Package redis tests Redis: alone, with replicas and Sentinel, as a Cluster, and
// as independent servers under Redlock.
//
// The client is go-redis with its retries turned off: one call is one request, or one transaction sent in one piece.
// A request that a server refused because another serves it (MOVED) is sent to that one, as the refusal proves that
// nothing happened.
//
// Servers and Sentinels tell each other one address for each of them. Where nodes have different ways to a peer, that
// is a line of internal/exchange, and each process calls from an address of its own (bind-source-addr, Redis 7.0).
package redis

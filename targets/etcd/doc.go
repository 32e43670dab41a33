// Package etcd tests etcd: registers, transactions, a set, a counter, locks,
// watches and leases, over the gRPC API itself.
//
// etcd's own client sends some requests again by itself, and then an error, or a success, proves less than it could.
// So this client uses what the API's definition generates, and nothing above it: one request is one operation. What
// gRPC itself may send again is only what it can prove never to have been processed.
//
// Members reach each other by names, which are the same on all nodes, as etcd replicates them. Where nodes have
// different ways to a peer, an exchange of ours (internal/exchange) looks the names up.
package etcd

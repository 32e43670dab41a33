// Package remote gets fallacy's agent onto nodes and makes a cluster of them.
//
// [Open] dials an agent on every node and connects them by links; [Cluster] then
// starts the target, carries out conditions and verifies them, and collects
// logs. How a node is reached is a [Dialer]'s business: the byte stream to an
// agent is all that it has to provide. Package remote/local runs agents as
// child processes of this one.
package remote

// Package nemesis holds the faults that fallacy knows, with their schedules.
//
// A family is a way to misbehave, "partition" or "kill"; most have variants,
// written behind a colon: "partition:bridge", "kill:leader", "clock:freeze:n2".
// [New] makes the nemesis that such a name asks for, [Families] lists them all.
//
// A fault here decides what is to be wrong with whom and imposes that on the
// cluster as whole conditions; the nodes' agents carry them out. So every fault
// is healed by imposing nothing, whatever became of its injection, and verified
// by looking at what the conditions say. Two, "compact" and "defrag", are what an
// administrator does by means of the target: they are over when they are done.
package nemesis

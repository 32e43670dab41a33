// Package external is targets that a file describes, and whose clients are
// programs in any language.
//
// The file says how a node is started, when it serves, and which program is the
// client:
//
//	node:   {argv: [python3, kv.py, --listen, "{{.Listen.client}}"], copy: [kv.py]}
//	ready:  {http: "http://{{.Public.client}}/health"}
//	client: {argv: [python3, client.py, "{{.Public.client}}"]}
//
// A client is started for each process of the workload. It says that it is ready,
// reads operations on standard input, a JSON object a line, and answers each with
// a line on standard output; here those of the client are marked:
//
//	> {"type":"ready"}
//	  {"id":7,"f":"read","value":["r1",null]}
//	> {"id":7,"type":"ok","value":["r1",5]}
//	  {"id":8,"f":"write","value":["r1",6]}
//	> {"id":8,"type":"info","error":"timed out"}
//
// ok has happened; fail has not and will not, of which the client must have
// proof; info is everything else, and what fallacy makes of a client that
// crashes, takes too long or talks nonsense. Instead of a type an answer may
// carry one of Maelstrom's error codes, which are definite or not:
// {"id":8,"code":22,"error":"expected 5, saw 6"}.
package external

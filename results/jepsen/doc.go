// Package jepsen reads histories that Jepsen recorded: EDN, one op a line as in
// history.edn or all in one vector.
//
// Keywords and symbols become strings (:append is "append"), sets become lists
// in order, records their fields. The process :nemesis is a nemesis; its ops are
// all info, as Jepsen has them. What Jepsen adds to an op, such as :exception,
// is kept among the unknown fields where it can be written as JSON.
package jepsen

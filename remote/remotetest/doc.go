// Package remotetest is what every remote has to pass: a cluster that was opened
// over it does what is imposed on it, is seen to do it, and heals.
//
// A test binary plays all the parts. Its TestMain calls [Play], which is the
// agent or the target when the binary was started as one; [Target] is that
// program as a target, and [Conform] the steps. A remote's own tests are about
// what it alone has.
package remotetest

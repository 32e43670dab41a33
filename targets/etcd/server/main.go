// Command server is etcd itself, as its project releases it: a static binary of
// whatever version go.mod names, for machines that reach no registry.
//
//	cd targets/etcd/server
//	CGO_ENABLED=0 go build -o etcd .
//
// For another version, beside a copy of this file, with nothing that this version asks for:
//
//	go mod init etcd
//	go get go.etcd.io/etcd/server/v3@v3.6.12
//	CGO_ENABLED=0 go build -o etcd .
//
// It is a module of its own, so that fallacy does not depend on etcd's server.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }

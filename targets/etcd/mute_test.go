package etcd

import (
	"context"
	"net"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
)

// muteServer greets as gRPC does, takes every request and answers none.
type muteServer struct {
	etcdserverpb.UnimplementedKVServer
	etcdserverpb.UnimplementedLeaseServer
	addr  string
	asked chan struct{}
	over  chan struct{}
}

func (s *muteServer) say() error {
	s.asked <- struct{}{}
	<-s.over
	return context.Canceled
}

func (s *muteServer) Put(context.Context, *etcdserverpb.PutRequest) (*etcdserverpb.PutResponse, error) {
	return nil, s.say()
}

func (s *muteServer) Range(context.Context, *etcdserverpb.RangeRequest) (*etcdserverpb.RangeResponse, error) {
	return nil, s.say()
}

func (s *muteServer) LeaseKeepAlive(stream etcdserverpb.Lease_LeaseKeepAliveServer) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	return s.say()
}

func newMute(t *testing.T) *muteServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	mute := &muteServer{addr: l.Addr().String(), asked: make(chan struct{}), over: make(chan struct{})}
	etcdserverpb.RegisterKVServer(s, mute)
	etcdserverpb.RegisterLeaseServer(s, mute)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		close(mute.over)
		s.Stop()
		<-served
	})
	return mute
}

func connect(t *testing.T, addr string) *Conn {
	t.Helper()
	c, err := open(fallacy.Node{Name: "n1", Public: map[string]string{"client": addr}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

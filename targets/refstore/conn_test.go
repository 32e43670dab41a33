package refstore

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"testing"

	"github.com/fallacy-dev/fallacy"
)

// A greeting may be answered with the last of the time: the connection is closed
// by then, and the call has certainly not happened.
func TestGreetingAtTheEndOfTheTime(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			return
		}
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{"))
		cancel() // between the last byte but one and the last
		_, _ = c.Write([]byte("}"))
	}()
	c := newConn(l.Addr().String())
	if _, err := c.call(ctx, Request{Op: OpRead, Key: "k"}); !errors.Is(err, fallacy.ErrFailed) {
		t.Errorf("got %v, want proof that nothing happened", err)
	}
	if _, err := askStatus(ctx, fallacy.Node{Name: "n1", Public: map[string]string{"client": l.Addr().String()}}); err == nil {
		t.Error("a node was asked for its status after the time was over")
	}
}

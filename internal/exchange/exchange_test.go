package exchange_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy/internal/exchange"
)

// member answers every request with its name.
func member(t *testing.T, name string) (addr string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) }))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func get(t *testing.T, transport *http.Transport, url string) (string, error) {
	t.Helper()
	defer transport.CloseIdleConnections()
	r, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return string(body), err
}

func TestSocksKnowsNames(t *testing.T) {
	s, err := exchange.NewSocks("127.0.0.1", map[string]string{"n1.invalid:2380": member(t, "one"), "192.0.2.7:80": member(t, "seven")})
	if err != nil {
		t.Fatal(err)
	}
	proxy := func() *http.Transport {
		return &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "socks5", Host: s.Addr()})}
	}
	for asked, want := range map[string]string{"http://n1.invalid:2380": "one", "http://192.0.2.7": "seven"} {
		if got, err := get(t, proxy(), asked); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", asked, got, err, want)
		}
	}
	if got, err := get(t, proxy(), "http://n2.invalid:2380"); err == nil {
		t.Errorf("a name that nobody knows was answered with %q", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := get(t, proxy(), "http://n1.invalid:2380"); err == nil {
		t.Error("a proxy that was closed connects")
	}
}

func TestLineTellsCallersApart(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED: only Linux has all of 127.0.0.0/8")
	}
	l, err := exchange.NewLine("127.0.0.1", map[string]string{"127.0.0.1": member(t, "for all"), "127.0.7.1": member(t, "for seven")})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for from, want := range map[string]string{"127.0.0.1": "for all", "127.0.7.1": "for seven", "127.0.8.1": ""} {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		got, err := get(t, &http.Transport{DialContext: dialer.DialContext}, "http://"+l.Addr())
		if got != want || (err == nil) != (want != "") {
			t.Errorf("from %s: got %q, %v, want %q", from, got, err, want)
		}
	}
}

package results

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// NewToken returns a token that nobody can guess.
func NewToken() string { return rand.Text() }

// tokenCookie holds the token in a browser that has given it once.
const tokenCookie = "fallacy-token"

// Guarded lets those through who know the token: as ?token=…, which a browser
// need give only once, or as a header, "Authorization: Bearer …".
func Guarded(h http.Handler, token string) http.Handler {
	want := sha256.Sum256([]byte(token))
	knows := func(given string) bool {
		got := sha256.Sum256([]byte(given))
		return given != "" && subtle.ConstantTimeCompare(got[:], want[:]) == 1
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if given := r.URL.Query().Get("token"); given != "" && knows(given) {
			http.SetCookie(w, &http.Cookie{Name: tokenCookie, Value: given, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
			q := r.URL.Query()
			q.Del("token") // not to be kept in the history, nor in what is sent on
			http.Redirect(w, r, (&url.URL{Path: "/" + strings.TrimLeft(r.URL.Path, "/"), RawQuery: q.Encode()}).String(), http.StatusSeeOther)
			return
		}
		bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		cookie, err := r.Cookie(tokenCookie)
		if knows(bearer) || err == nil && knows(cookie.Value) {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "a token is needed: open the address that fallacy serve printed", http.StatusUnauthorized)
	})
}

// Local lets only requests through that call this machine by a name of its own,
// so that no page from elsewhere can read the runs by giving its own name this
// machine's address.
func Local(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !IsLoopback(r.Host) {
			http.Error(w, "this server is for this machine only: call it by 127.0.0.1 or localhost", http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// IsLoopback tells whether an address, with a port or without, is this machine's own.
func IsLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = strings.Trim(addr, "[]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

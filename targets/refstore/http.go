package refstore

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// statuses are the HTTP statuses that codes travel under.
var statuses = map[Code]int{
	Done: http.StatusOK, Refused: http.StatusConflict, Invalid: http.StatusBadRequest,
	Unavailable: http.StatusServiceUnavailable, Unknown: http.StatusGatewayTimeout,
}

// statusForm is what GET /v1/status tells.
type statusForm struct {
	Status
	Wall    time.Time `json:"wall"` // as the process sees it
	Bug     string    `json:"bug,omitempty"`
	Version string    `json:"version"`
}

// version is that of the module that the store is a part of, or the commit that
// it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := cmp.Or(info.Main.Version, "(devel)")
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && !strings.Contains(v, s.Value[:min(len(s.Value), 12)]) {
			v += " " + s.Value[:min(len(s.Value), 12)]
		}
	}
	return v
}

// errorForm is the body of every answer but 200 and 409.
type errorForm struct {
	Error string `json:"error"`
}

// handler serves clients: POST /v1/{op} with a Request, GET /v1/status, GET /v1/ping.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/ping", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /v1/status", s.serveStatus)
	mux.HandleFunc("POST /v1/{op}", s.serveOp)
	return mux
}

func (s *server) serveStatus(w http.ResponseWriter, r *http.Request) {
	answer := make(chan statusForm, 1)
	s.input(r.Context(), func(now Moment) error {
		answer <- statusForm{Status: s.replica.Status(), Wall: now.Wall, Bug: s.opts.Bug, Version: version()}
		return nil
	})
	select {
	case form := <-answer:
		writeJSON(w, http.StatusOK, form)
	case <-r.Context().Done():
	}
}

func (s *server) serveOp(w http.ResponseWriter, r *http.Request) {
	var q Request
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&q); err != nil {
		writeJSON(w, http.StatusBadRequest, errorForm{fmt.Sprintf("read request: %v", err)})
		return
	}
	q.Op = r.PathValue("op")
	reply, err := s.ask(r.Context(), q)
	if err != nil {
		return // the client is gone, or this node stops: the connection closes, nobody knows
	}
	if reply.Code == Done || reply.Code == Refused {
		writeJSON(w, statuses[reply.Code], reply.Result)
		return
	}
	writeJSON(w, statuses[reply.Code], errorForm{reply.Error})
}

// ask puts a request to the replica and waits for its reply, which comes within Settings.RequestTimeout.
func (s *server) ask(ctx context.Context, q Request) (Reply, error) {
	id := s.nextID.Add(1)
	answer := make(chan Reply, 1)
	s.mu.Lock()
	s.replies[id] = answer
	s.mu.Unlock()
	s.input(ctx, func(now Moment) error { s.replica.Request(id, q, now); return nil })
	select {
	case reply := <-answer:
		return reply, nil
	case <-ctx.Done():
		s.mu.Lock()
		delete(s.replies, id)
		s.mu.Unlock()
		return Reply{}, ctx.Err()
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that has gone away cannot be told so.
	_ = json.NewEncoder(w).Encode(body)
}

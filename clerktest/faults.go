package clerktest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"
)

// Fault makes an endpoint fail. It is middleware around the honest endpoint, which it may call. Down, Hang, Garbage,
// EmptySet and HugeBody are faults; Slow, Status and Redirect return one. You can write others.
type Fault func(honest http.Handler) http.Handler

type faults struct {
	mu sync.Mutex
	by map[Endpoint]Fault
}

func (f *faults) of(name Endpoint) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.by[name]
}

// Fault sets the fault of an endpoint, instead of the one before; nil removes it. Requests that have begun are not
// affected. Fault panics if there is no such endpoint.
func (in *Instance) Fault(name Endpoint, fault Fault) {
	in.URL(name)
	in.faults.mu.Lock()
	defer in.faults.mu.Unlock()
	if in.faults.by == nil {
		in.faults.by = map[Endpoint]Fault{}
	}
	in.faults.by[name] = fault
}

// Down breaks the connection without an answer.
func Down(http.Handler) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

// Hang never answers: it waits until the client has given up.
func Hang(http.Handler) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
}

// Slow answers honestly after d, unless the client gives up first.
func Slow(d time.Duration) Fault {
	return func(honest http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-timer.C:
				honest.ServeHTTP(w, r)
			case <-r.Context().Done():
				panic(http.ErrAbortHandler)
			}
		})
	}
}

// Garbage answers 200 with an HTML page, as a captive portal does.
func Garbage(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><title>Hello</title><p>Not what you asked for.\n")
	})
}

// EmptySet answers 200 with an empty set of keys.
func EmptySet(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"keys":[]}`)
	})
}

// HugeBody answers honestly, followed by a MiB of white space: only the size is wrong.
func HugeBody(honest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Without these headers, the honest answer is complete: no 304 and no part.
		r = r.Clone(r.Context())
		r.Header.Del("If-None-Match")
		r.Header.Del("Range")
		honest.ServeHTTP(lengthless{w}, r)
		_, _ = w.Write(bytes.Repeat([]byte{' '}, 1<<20))
	})
}

// lengthless sends no Content-Length.
type lengthless struct{ http.ResponseWriter }

func (w lengthless) WriteHeader(status int) {
	w.Header().Del("Content-Length")
	w.ResponseWriter.WriteHeader(status)
}

// Status answers with a status, and with the header (for example Retry-After) if it is not nil, as Clerk does when it
// fails.
func Status(status int, header http.Header) Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			maps.Copy(w.Header(), header)
			refuse(w, status, "clerktest_fault", fmt.Sprintf("%d %s", status, http.StatusText(status)))
		})
	}
}

// Redirect redirects the client to location with 302. If that is the URL of another endpoint, a client that follows the
// redirect gets an honest answer there.
func Redirect(location string) Fault {
	return func(http.Handler) http.Handler { return http.RedirectHandler(location, http.StatusFound) }
}

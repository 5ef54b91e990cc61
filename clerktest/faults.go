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

// Fault is something wrong with an endpoint: it stands before the honest one, which it may use. Down, Hang, Garbage,
// EmptySet and HugeBody are faults; Slow, Status and Redirect make one; any other middleware will do as well.
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

// Fault puts a fault on an endpoint, in the place of the one it had; nil ends it. Requests under way are not touched.
// It panics if there is no such endpoint.
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

// Garbage answers 200 with a page of HTML, as a captive portal does.
func Garbage(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><title>Hello</title><p>Not what you asked for.\n")
	})
}

// EmptySet answers 200 with a set of no keys.
func EmptySet(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"keys":[]}`)
	})
}

// HugeBody answers honestly, with a MiB of white space after it: only its size is wrong.
func HugeBody(honest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Without these the honest answer has neither a length nor the choice of being short.
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

// Status answers with a status, and with the header if it is not nil (Retry-After, say), as a failing Clerk does.
func Status(status int, header http.Header) Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			maps.Copy(w.Header(), header)
			refuse(w, status, "clerktest_fault", fmt.Sprintf("%d %s", status, http.StatusText(status)))
		})
	}
}

// Redirect sends the client elsewhere with 302. With the URL of another endpoint as location, a client that follows
// gets an honest answer there.
func Redirect(location string) Fault {
	return func(http.Handler) http.Handler { return http.RedirectHandler(location, http.StatusFound) }
}

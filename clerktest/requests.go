package clerktest

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Request is a request to the instance, answered or not.
type Request struct {
	Endpoint Endpoint // empty: no endpoint of the instance, perhaps not even one of its hosts
	Method   string
	Host     string
	Path     string
	Query    url.Values
	Header   http.Header // with the secret key, wherever it is, replaced by "sk_…"
	Body     []byte      // at most the first MiB

	// SecretKey reports that the instance's secret key was somewhere in the request. Only the Backend API may receive it.
	SecretKey bool
}

func newRequest(name Endpoint, r *http.Request, secret string) Request {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20)) // what was read before an error is recorded
	r.Body = io.NopCloser(bytes.NewReader(body))
	header := r.Header.Clone()
	for _, values := range header {
		for i, v := range values {
			values[i] = strings.ReplaceAll(v, secret, "sk_…")
		}
	}
	return Request{
		Endpoint:  name,
		Method:    r.Method,
		Host:      r.Host,
		Path:      r.URL.Path,
		Query:     r.URL.Query(),
		Header:    header,
		Body:      body,
		SecretKey: showsSecret(r, secret) || bytes.Contains(body, []byte(secret)),
	}
}

// showsSecret looks for the secret key everywhere except in the body.
func showsSecret(r *http.Request, secret string) bool {
	if strings.Contains(r.RequestURI, secret) {
		return true
	}
	for _, values := range r.Header {
		if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, secret) }) {
			return true
		}
	}
	return false
}

type requestLog struct {
	mu   sync.Mutex
	seen []Request
}

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = append(l.seen, r)
}

// Requests returns the requests since the start or the last ResetRequests, oldest first, each once its body has been read.
func (in *Instance) Requests() []Request {
	in.requests.mu.Lock()
	defer in.requests.mu.Unlock()
	return slices.Clone(in.requests.seen)
}

// ResetRequests discards the recorded requests.
func (in *Instance) ResetRequests() {
	in.requests.mu.Lock()
	defer in.requests.mu.Unlock()
	in.requests.seen = nil
}

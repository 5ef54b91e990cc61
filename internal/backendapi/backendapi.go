// Package backendapi calls Clerk's Backend API for browser sessions: it exchanges the nonce of a handshake, and refreshes
// an expired session. It sends the secret key.
//
// Strangers can cause these calls, so each kind has its own limits: calls at the same time, failed calls, and waiting time.
package backendapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/clerkauth/clerkauth/internal/limits"
	"github.com/clerkauth/clerkauth/internal/transport"
)

const (
	// Version is the version of Clerk's APIs that is used.
	Version = transport.APIVersion

	pathNonces = "/v1/clients/handshake_payload"

	timeout   = 5 * time.Second
	maxAnswer = 256 << 10 // bytes
)

// Client calls the Backend API of one instance. It is safe for concurrent use.
type Client struct {
	http      *http.Client
	base      string // without a trailing slash
	secret    string
	now       func() time.Time
	warn      func(*transport.OutageError)
	nonces    lane
	allowance *limits.Allowance // for nonces, which anybody can make up
	refreshes lane
	renewals  renewals
}

// New returns a client for the Backend API at base. client must not follow redirects. now is the clock. warn is called for
// every call that was not answered, on any goroutine.
func New(client *http.Client, base, secret string, now func() time.Time, warn func(*transport.OutageError)) *Client {
	return &Client{
		http: client, base: base, secret: secret, now: now, warn: warn,
		nonces: newLane(base+pathNonces, now), allowance: limits.NewAllowance(now),
		refreshes: newLane(base+"/v1/sessions/…/refresh", now),
	}
}

// HandshakePayload exchanges the nonce of a handshake for Set-Cookie values. It waits five seconds at most. The call continues
// when ctx is done before, so that a Backend API that hangs is noticed also where nobody waits that long.
func (c *Client) HandshakePayload(ctx context.Context, nonce string) ([]string, error) {
	leave, ok := c.nonces.Enter()
	if !ok {
		return nil, c.nonces.notCalled()
	}
	if !c.allowance.Take() {
		leave()
		return nil, unanswered{errTooMany, nil}
	}
	w := limits.Start(c.now())
	var answer struct {
		Directives []string `json:"directives"`
	}
	done := make(chan error, 1)
	go func() { // it ends within timeout
		err := ErrUnreachable // also where a transport of the application ends this goroutine
		defer func() { leave(); done <- err }()
		err = c.ask(context.WithoutCancel(ctx), &c.nonces, w, http.MethodGet, pathNonces, url.Values{"nonce": {nonce}}, nil, &answer)
	}()
	select {
	case <-ctx.Done():
		return nil, ErrUnreachable
	case err := <-done:
		switch {
		case err != nil:
			return nil, err
		case answer.Directives == nil:
			return nil, errMalformed
		}
		return answer.Directives, nil
	}
}

// ask makes one call, which ends within timeout, and decodes its answer. ctx must not end with the request: a client that
// hangs up says nothing about the server.
func (c *Client) ask(ctx context.Context, l *lane, w limits.Stopwatch, method, path string, query url.Values, body []byte, answer any) error {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	status, content, err := c.send(bounded, method, path, query, body)
	l.record(err != nil || limits.Overloaded(status), w.Now())
	result := ErrUnreachable
	if err == nil {
		result = read(status, content, answer)
	}
	cause, result := outage(result, l.address, status, err)
	if cause != nil {
		l.last.Store(cause)
		c.warn(cause)
	}
	return result
}

func (c *Client) send(ctx context.Context, method, path string, query url.Values, body []byte) (int, []byte, error) {
	address := c.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("backendapi: %w", err)
	}
	authorize(r, c.secret)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Clerk-Api-Version", Version)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("backendapi: %w", err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(content) > maxAnswer {
		err = errMalformed
	}
	return resp.StatusCode, content, err
}

// read decodes an answer, or returns the error that it is.
func read(status int, content []byte, answer any) error {
	switch {
	case status != http.StatusOK:
		return readError(status, content)
	case !json.Valid(content) || string(bytes.TrimSpace(content)) == "null":
		return ErrUnreachable
	case json.Unmarshal(content, answer) != nil:
		return errMalformed
	}
	return nil
}

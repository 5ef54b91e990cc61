// Package backendapi asks Clerk's Backend API for what a browser session needs. It is the only place, beside
// the keys, that opens connections, and the only one that sends the secret key.
package backendapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"
)

const (
	// Version is the version of Clerk's APIs that is spoken.
	Version = "2026-05-12"

	timeout   = 5 * time.Second
	maxAnswer = 256 << 10 // bytes
	maxOpen   = 32        // questions at the same time
)

// Client asks the Backend API of one instance. It is safe for concurrent use.
type Client struct {
	http    *http.Client
	base    string // without a trailing slash
	secret  string
	open    chan struct{} // holds one element for each question under way
	breaker breaker
}

// New returns a client for the Backend API at base. client must not follow redirects. now is the clock.
func New(client *http.Client, base, secret string, now func() time.Time) *Client {
	return &Client{http: client, base: base, secret: secret, open: make(chan struct{}, maxOpen), breaker: breaker{now: now}}
}

// Why a question has no answer. Refresh and HandshakePayload return nothing else, or an APIError.
var (
	ErrUnreachable = errors.New("fetch-error")           // no answer, or none that is JSON
	ErrUnexpected  = errors.New("unexpected-bapi-error") // an answer without what was asked for
	ErrMalformed   = errors.New("unexpected-sdk-error")  // an answer of another shape
)

// APIError is the code of an error that the Backend API names.
type APIError string

func (e APIError) Error() string { return string(e) }

// code is what a code may look like: it goes into a header and a redirect.
var code = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// RefreshRequest is what Refresh sends.
type RefreshRequest struct {
	Format         string              `json:"format"`
	ExpiredToken   string              `json:"expired_token"`
	RefreshToken   string              `json:"refresh_token"`
	RequestOrigin  string              `json:"request_origin"`
	RequestHeaders map[string][]string `json:"request_headers"`
}

// Refresh exchanges an expired session token for Set-Cookie values with a new one.
func (c *Client) Refresh(ctx context.Context, session string, suffixed bool, body RefreshRequest) ([]string, error) {
	content, err := json.Marshal(body) //nolint:gosec // sending the refresh token is the purpose
	if err != nil {
		return nil, ErrMalformed
	}
	query := url.Values{}
	if suffixed {
		query.Set("suffixed_cookies", "true")
	}
	var answer struct {
		Cookies []string `json:"cookies"`
	}
	if err := c.ask(ctx, http.MethodPost, "/v1/sessions/"+url.PathEscape(session)+"/refresh", query, content, &answer); err != nil {
		return nil, err
	}
	if len(answer.Cookies) == 0 {
		return nil, ErrMalformed
	}
	return answer.Cookies, nil
}

// HandshakePayload exchanges the nonce of a handshake for Set-Cookie values.
func (c *Client) HandshakePayload(ctx context.Context, nonce string) ([]string, error) {
	var answer struct {
		Directives []string `json:"directives"`
	}
	err := c.ask(ctx, http.MethodGet, "/v1/clients/handshake_payload", url.Values{"nonce": {nonce}}, nil, &answer)
	if err == nil && answer.Directives == nil {
		err = ErrMalformed
	}
	return answer.Directives, err
}

// ask sends one question and decodes its answer. A Backend API that keeps failing is not asked for a while.
func (c *Client) ask(ctx context.Context, method, path string, query url.Values, body []byte, answer any) error {
	select {
	case c.open <- struct{}{}:
		defer func() { <-c.open }()
	default:
		return ErrUnreachable
	}
	if !c.breaker.closed() {
		return ErrUnreachable
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	status, content, err := c.send(bounded, method, path, query, body)
	if ctx.Err() == nil { // a client that hangs up says nothing about the server
		c.breaker.record(err != nil || status >= http.StatusInternalServerError)
	}
	if err != nil {
		return ErrUnreachable
	}
	return read(status, content, answer)
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
		err = ErrMalformed
	}
	return resp.StatusCode, content, err
}

// read tells an answer from an error, and an error that has a name from one that has none.
func read(status int, content []byte, answer any) error {
	if status == http.StatusNoContent {
		return ErrUnexpected
	}
	if status != http.StatusOK {
		return readError(content)
	}
	if !json.Valid(content) || string(bytes.TrimSpace(content)) == "null" {
		return ErrUnreachable
	}
	if json.Unmarshal(content, answer) != nil {
		return ErrMalformed
	}
	return nil
}

func readError(content []byte) error {
	var body struct {
		Errors []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	if json.Unmarshal(content, &body) != nil || len(body.Errors) == 0 {
		return ErrUnexpected
	}
	switch name := body.Errors[0].Code; {
	case name == "":
		return ErrMalformed
	case name == "unexpected_error":
		return ErrUnreachable
	case !code.MatchString(name):
		return ErrUnexpected
	default:
		return APIError(name)
	}
}

package e2e_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// reply is an answer that was read completely.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// location returns the redirect's target; nil: there is none.
func (r reply) location(t *testing.T) *url.URL {
	t.Helper()
	raw := r.header.Get("Location")
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (r reply) cookies(t *testing.T) []*http.Cookie {
	t.Helper()
	var all []*http.Cookie
	for _, line := range r.header["Set-Cookie"] {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			t.Fatalf("Set-Cookie %q: %v", line, err)
		}
		all = append(all, c)
	}
	return all
}

// send sends a request and follows no redirect.
func send(t *testing.T, method, target, body string, header http.Header) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, content}
}

// changed returns a header with cookies set and deleted.
func changed(h http.Header, by []*http.Cookie) http.Header {
	kept := map[string]string{}
	for _, c := range (&http.Request{Header: h}).Cookies() {
		kept[c.Name] = c.Value
	}
	for _, c := range by {
		switch {
		case !deletes(c):
			kept[c.Name] = c.Value
		case c.Domain == "" || !slices.ContainsFunc(by, func(o *http.Cookie) bool { return o.Name == c.Name && !deletes(o) }):
			delete(kept, c.Name)
		}
	}
	h = h.Clone()
	h.Del("Cookie")
	for name, value := range kept {
		h = cookie(h, name+"="+value)
	}
	return h
}

func deletes(c *http.Cookie) bool {
	return c.MaxAge < 0 || !c.Expires.IsZero() && c.Expires.Before(time.Now())
}

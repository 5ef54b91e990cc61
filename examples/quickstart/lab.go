package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

var errNeedsInstance = errors.New("this needs the built-in instance: start without CLERK_PUBLISHABLE_KEY")

// can reports whether this app can send t: it has no keys of an external instance.
func (a *app) can(t trial) bool { return t.mint == nil || a.clerk != nil }

// exchange is a request and its response, as they are shown.
type exchange struct {
	answer
	Want    answer   `json:"want"`
	Request []string `json:"request"`
	Header  []string `json:"header"`
	Body    string   `json:"body"`
}

// try sends a trial over the network, on behalf of p.
func (a *app) try(ctx context.Context, t trial, p clerktest.Person) (exchange, error) {
	if !a.can(t) {
		return exchange{}, errNeedsInstance
	}
	r, shown, err := a.request(ctx, t, p)
	if err != nil {
		return exchange{}, err
	}
	resp, err := a.client.Do(r)
	if err != nil {
		return exchange{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		return exchange{}, err
	}
	return exchange{
		answer:  answer{resp.StatusCode, refusal(body)},
		Want:    t.Want,
		Request: shown,
		Header:  lines(resp.Header),
		Body:    strings.TrimSpace(string(body)),
	}, nil
}

// refusal is the reason in a response's body, if there is one. The header X-Clerk-Auth-Reason has it too, and for an
// expired token also why it was not refreshed.
func refusal(body []byte) clerkauth.Reason {
	var said struct {
		Errors []struct {
			Code clerkauth.Reason `json:"code"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &said) != nil || len(said.Errors) == 0 {
		return ""
	}
	return said.Errors[0].Code
}

// request is the request of a trial, and its text: with the token's name in place of the token.
func (a *app) request(ctx context.Context, t trial, p clerktest.Person) (*http.Request, []string, error) {
	r, err := http.NewRequestWithContext(ctx, t.method, a.base+t.path, http.NoBody)
	if err != nil {
		return nil, nil, err
	}
	if t.from != nil {
		from := t.from(a)
		r.Header.Set("Origin", from)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if from != a.base {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}
	}
	shown := append([]string{t.method + " " + t.path, "Host: " + r.URL.Host}, lines(r.Header)...)
	if t.mint == nil {
		return r, shown, nil
	}
	token := t.mint(a, a.claims(p, lifetime))
	if !t.cookies {
		r.Header.Set("Authorization", "Bearer "+token)
		return r, append(shown, "Authorization: Bearer ("+t.shownAs+")"), nil
	}
	for _, c := range a.clerk.Cookies(token) {
		r.AddCookie(c)
		value := c.Value
		if value == token {
			value = "(" + t.shownAs + ")"
		}
		shown = append(shown, "Cookie: "+c.Name+"="+value)
	}
	return r, shown, nil
}

// lines are the lines of a header, in order.
func lines(h http.Header) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			all = append(all, name+": "+value)
		}
	}
	return all
}

// lab sends a trial on behalf of the visitor and shows the result.
func (a *app) lab(w http.ResponseWriter, r *http.Request) {
	t, ok := a.trial(r.PathValue("trial"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	x, err := a.try(r.Context(), t, visitor(r))
	switch {
	case errors.Is(err, errNeedsInstance):
		writeJSON(w, http.StatusConflict, map[string]string{"problem": err.Error()})
	case err != nil:
		writeJSON(w, http.StatusBadGateway, map[string]string{"problem": "the request could not be sent: " + err.Error()})
	default:
		writeJSON(w, http.StatusOK, x)
	}
}

// visitor is the person who is signed in; if nobody is, the first of the people.
func visitor(r *http.Request) clerktest.Person {
	if s, ok := clerkauth.FromContext(r.Context()); ok {
		if p, ok := personOf(s.UserID); ok {
			return p
		}
	}
	return people[0]
}

// token is the token of a trial, for people who send it themselves. The keys behind it protect nothing.
func (a *app) token(w http.ResponseWriter, r *http.Request) {
	t, ok := a.trial(r.PathValue("trial"))
	if !ok || t.mint == nil || !a.can(t) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprintln(w, t.mint(a, a.claims(people[0], lifetime)))
}

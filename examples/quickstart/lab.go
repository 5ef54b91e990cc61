package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// trial is one request to a protected route, and what must come of it.
type trial struct {
	Name         string // in URLs
	Title, Story string
	Want         answer

	method, path string
	mint         func(a *app, c clerktest.Claims) string // nil: no token is sent
	told         string                                  // what to call the token where the request is shown
	cookies      bool                                    // the token travels in cookies; false: in the Authorization header
	from         func(a *app) string                     // the origin of the page that sends it; nil: none
}

// answer is what an app says about a request.
type answer struct {
	Status int              `json:"status"`
	Reason clerkauth.Reason `json:"reason"` // empty: let through
}

func (w answer) String() string {
	if w.Reason == "" {
		return fmt.Sprintf("%d %s", w.Status, http.StatusText(w.Status))
	}
	return fmt.Sprintf("%d %s", w.Status, w.Reason)
}

func refused(reason clerkauth.Reason) answer { return answer{http.StatusUnauthorized, reason} }

var trials = []trial{
	{
		Name: "valid", Title: "A valid call", Story: "An honest token, minted for this origin.",
		Want:   answer{http.StatusOK, ""},
		method: http.MethodGet, path: "/me", told: "valid", mint: honest,
	},
	{
		Name: "no-token", Title: "No token", Story: "Nobody says who they are.",
		Want:   refused(clerkauth.ReasonSessionTokenAndUATMissing),
		method: http.MethodGet, path: "/me",
	},
	{
		Name: "expired", Title: "An expired token", Story: "It was honest until a minute ago.",
		Want:   refused(clerkauth.ReasonTokenExpired),
		method: http.MethodGet, path: "/me", told: "expired",
		mint: func(a *app, c clerktest.Claims) string {
			c.ExpiresAt = c.IssuedAt.Add(-time.Minute)
			c.IssuedAt = c.ExpiresAt.Add(-lifetime)
			return a.clerk.Token(c)
		},
	},
	{
		Name: "sibling", Title: "A token from a sibling subdomain",
		Story:  "The same instance minted it, for a page on another subdomain. Its signature is good; the allowlist stops it.",
		Want:   refused(clerkauth.ReasonTokenInvalidParties),
		method: http.MethodGet, path: "/me", told: "azp of a sibling",
		mint: func(a *app, c clerktest.Claims) string {
			c.AuthorizedParty = a.sibling
			return a.clerk.Token(c)
		},
	},
	{
		Name: "forged", Title: "A forged signature", Story: "The right claims and the right key ID, signed with somebody else's key.",
		Want:   refused(clerkauth.ReasonTokenSignature),
		method: http.MethodGet, path: "/me", told: "forged",
		mint: func(a *app, c clerktest.Claims) string { return a.clerk.Forge(c) },
	},
	{
		Name: "no-azp", Title: "A token without azp", Story: "It does not say for which origin it was minted.",
		Want:   refused(clerkauth.ReasonTokenMissingAzp),
		method: http.MethodGet, path: "/me", told: "no azp",
		mint: func(a *app, c clerktest.Claims) string {
			c.Extra = map[string]any{"azp": clerktest.Absent}
			return a.clerk.Token(c)
		},
	},
	{
		Name: "same-origin", Title: "A POST from this page", Story: "The cookies of somebody signed in, and our own Origin.",
		Want:   answer{http.StatusOK, ""},
		method: http.MethodPost, path: "/waves", told: "valid", mint: honest, cookies: true,
		from: func(a *app) string { return a.base },
	},
	{
		Name: "cross-origin", Title: "A cross-origin POST", Story: "The same cookies, sent along by a page of another site.",
		Want:   answer{http.StatusForbidden, clerkauth.ReasonCrossOriginRequest},
		method: http.MethodPost, path: "/waves", told: "valid", mint: honest, cookies: true,
		from: func(*app) string { return "https://elsewhere.example" },
	},
}

func honest(a *app, c clerktest.Claims) string { return a.clerk.Token(c) }

func trialOf(name string) (trial, bool) {
	i := slices.IndexFunc(trials, func(t trial) bool { return t.Name == name })
	if i < 0 {
		return trial{}, false
	}
	return trials[i], true
}

var errNeedsInstance = errors.New("this needs the built-in instance: start without CLERK_PUBLISHABLE_KEY")

// can reports whether this app can send t: the keys of an instance elsewhere are not ours to mint with.
func (a *app) can(t trial) bool { return t.mint == nil || a.clerk != nil }

// exchange is a request that was sent, and its answer, as it is shown.
type exchange struct {
	answer
	Want    answer   `json:"want"`
	Request []string `json:"request"`
	Header  []string `json:"header"`
	Body    string   `json:"body"`
}

// try sends a trial over the network, on behalf of p.
func (a *app) try(ctx context.Context, t trial, p person) (exchange, error) {
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
		answer:  answer{resp.StatusCode, clerkauth.Reason(resp.Header.Get("X-Clerk-Auth-Reason"))},
		Want:    t.Want,
		Request: shown,
		Header:  lines(resp.Header),
		Body:    strings.TrimSpace(string(body)),
	}, nil
}

// request is the request of a trial, and the same to look at: with the token's name for the token.
func (a *app) request(ctx context.Context, t trial, p person) (*http.Request, []string, error) {
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
	token := t.mint(a, a.claims(p, a.base, lifetime))
	if !t.cookies {
		r.Header.Set("Authorization", "Bearer "+token)
		return r, append(shown, "Authorization: Bearer ("+t.told+")"), nil
	}
	for _, c := range a.clerk.Cookies(token) {
		r.AddCookie(c)
		value := c.Value
		if value == token {
			value = "(" + t.told + ")"
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

// lab sends a trial on behalf of the visitor and tells what came of it.
func (a *app) lab(w http.ResponseWriter, r *http.Request) {
	t, ok := trialOf(r.PathValue("trial"))
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

// visitor is who is signed in; nobody is the first of the people.
func visitor(r *http.Request) person {
	if s, ok := clerkauth.FromContext(r.Context()); ok {
		if p, ok := personOf(s.UserID); ok {
			return p
		}
	}
	return people[0]
}

// token is the token of a trial, for those who send it themselves. The keys behind it guard nothing.
func (a *app) token(w http.ResponseWriter, r *http.Request) {
	t, ok := trialOf(r.PathValue("trial"))
	if !ok || t.mint == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprintln(w, t.mint(a, a.claims(people[0], a.base, lifetime)))
}

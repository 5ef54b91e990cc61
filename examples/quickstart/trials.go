package main

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// trial is one request to a protected route, and its expected result.
type trial struct {
	Name         string // in URLs
	Title, Story string
	Want         answer

	method, path string
	mint         func(a *app, c clerktest.Claims) string // nil: no token is sent
	told         string                                  // the name of the token where the request is shown
	cookies      bool                                    // the token is sent in cookies; false: in the Authorization header
	from         func(a *app) string                     // the origin of the page that sends it; nil: none
}

// answer is an app's response to a request.
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

// trials are all trials. An instance with test keys has a different reason for a browser that it does not know.
func trials(test bool) []trial {
	nothing, story := clerkauth.ReasonSessionTokenAndUATMissing, "Nobody says who they are."
	if test {
		nothing, story = clerkauth.ReasonDevBrowserMissing, "Nobody says who they are, and a development instance has to know the browser first."
	}
	return slices.Concat(calls(nothing, story), badTokens(), posts(), machines())
}

func calls(nothing clerkauth.Reason, story string) []trial {
	return []trial{
		{
			Name: "valid", Title: "A valid call", Story: "An honest token, minted for this origin.",
			Want:   answer{http.StatusOK, ""},
			method: http.MethodGet, path: "/me", told: "valid", mint: honest,
		},
		{
			Name: "no-token", Title: "No token", Story: story,
			Want:   refused(nothing),
			method: http.MethodGet, path: "/me",
		},
	}
}

func badTokens() []trial {
	return []trial{
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
			method: http.MethodGet, path: "/me", told: "azp of a sibling subdomain",
			mint: func(a *app, c clerktest.Claims) string {
				c.AuthorizedParty = a.subdomainOrigin
				return a.clerk.Token(c)
			},
		},
		{
			Name: "forged", Title: "A forged signature", Story: "The right claims and the right key ID, signed with a key of another.",
			Want:   refused(clerkauth.ReasonTokenSignature),
			method: http.MethodGet, path: "/me", told: "forged",
			mint: func(a *app, c clerktest.Claims) string { return a.clerk.Forge(c) },
		},
		{
			Name: "no-azp", Title: "A token without azp", Story: "It does not say for which origin it was minted. Clerk mints such tokens; a sibling subdomain may have planted it.",
			Want:   refused(clerkauth.ReasonTokenMissingAZP),
			method: http.MethodGet, path: "/me", told: "no azp", cookies: true,
			mint: func(a *app, c clerktest.Claims) string {
				c.Extra = map[string]any{"azp": clerktest.Absent}
				return a.clerk.Token(c)
			},
		},
	}
}

func posts() []trial {
	return []trial{
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
}

func machines() []trial {
	return []trial{
		{
			Name: "api-key", Title: "An API key on a route for machines", Story: "A program calls in somebody's name. The Backend API says that the key holds, and has the scope.",
			Want:   answer{http.StatusOK, ""},
			method: http.MethodGet, path: "/machine", told: "API key", mint: apiKey,
		},
		{
			Name: "api-key-person", Title: "The same on a route for people", Story: "A key is no person: what was written for people refuses it.",
			Want:   refused(clerkauth.ReasonTokenTypeMismatch),
			method: http.MethodGet, path: "/me", told: "API key", mint: apiKey,
		},
	}
}

func apiKey(a *app, c clerktest.Claims) string {
	return a.clerk.APIKey(clerktest.MachineClaims{Name: "lab", Subject: c.Subject, Scopes: []string{"lab:read"}})
}

func honest(a *app, c clerktest.Claims) string { return a.clerk.Token(c) }

func (a *app) trial(name string) (trial, bool) {
	i := slices.IndexFunc(a.trials, func(t trial) bool { return t.Name == name })
	if i < 0 {
		return trial{}, false
	}
	return a.trials[i], true
}

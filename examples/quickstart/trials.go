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
	shownAs      string                                  // what is shown instead of the token
	cookies      bool                                    // the token is sent in cookies; false: in the Authorization header
	from         func(a *app) string                     // the origin of the page that sends it; nil: none
}

// answer is an app's response to a request.
type answer struct {
	Status int              `json:"status"`
	Reason clerkauth.Reason `json:"reason"` // empty: accepted
}

func (w answer) String() string {
	if w.Reason == "" {
		return fmt.Sprintf("%d %s", w.Status, http.StatusText(w.Status))
	}
	return fmt.Sprintf("%d %s", w.Status, w.Reason)
}

func refused(reason clerkauth.Reason) answer { return answer{http.StatusUnauthorized, reason} }

// trials returns all trials. An instance with test keys has a different reason for a browser
// without a development token.
func trials(test bool) []trial {
	nothing, story := clerkauth.ReasonSessionTokenAndUATMissing, "The request has no session token."
	if test {
		nothing, story = clerkauth.ReasonDevBrowserMissing, "The request has no session token, and a development instance must identify the browser first."
	}
	return slices.Concat(calls(nothing, story), badTokens(), posts(), machines())
}

func calls(nothing clerkauth.Reason, story string) []trial {
	return []trial{
		{
			Name: "valid", Title: "A valid call", Story: "A valid token that was issued for this origin.",
			Want:   answer{http.StatusOK, ""},
			method: http.MethodGet, path: "/me", shownAs: "valid", mint: honest,
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
			Name: "expired", Title: "An expired token", Story: "It was valid until a minute ago.",
			Want:   refused(clerkauth.ReasonTokenExpired),
			method: http.MethodGet, path: "/me", shownAs: "expired",
			mint: func(a *app, c clerktest.Claims) string {
				c.ExpiresAt = c.IssuedAt.Add(-time.Minute)
				c.IssuedAt = c.ExpiresAt.Add(-lifetime)
				return a.clerk.Token(c)
			},
		},
		{
			Name: "sibling", Title: "A token from a sibling subdomain",
			Story:  "The same instance issued it for a page on another subdomain. Its signature is valid, but its origin is not on the allowlist.",
			Want:   refused(clerkauth.ReasonTokenInvalidParties),
			method: http.MethodGet, path: "/me", shownAs: "azp of a sibling subdomain",
			mint: func(a *app, c clerktest.Claims) string {
				c.AuthorizedParty = a.subdomainOrigin
				return a.clerk.Token(c)
			},
		},
		{
			Name: "forged", Title: "A forged signature", Story: "The claims and the key ID are right, but another key signed it.",
			Want:   refused(clerkauth.ReasonTokenSignature),
			method: http.MethodGet, path: "/me", shownAs: "forged",
			mint: func(a *app, c clerktest.Claims) string { return a.clerk.Forge(c) },
		},
		{
			Name: "no-azp", Title: "A token without azp", Story: "It does not say for which origin it was issued. Clerk issues such tokens, but a sibling subdomain may have planted it.",
			Want:   refused(clerkauth.ReasonTokenMissingAZP),
			method: http.MethodGet, path: "/me", shownAs: "no azp", cookies: true,
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
			Name: "same-origin", Title: "A POST from this page", Story: "The cookies of a signed-in person, and this app's own Origin.",
			Want:   answer{http.StatusOK, ""},
			method: http.MethodPost, path: "/waves", shownAs: "valid", mint: honest, cookies: true,
			from: func(a *app) string { return a.base },
		},
		{
			Name: "cross-origin", Title: "A cross-origin POST", Story: "The same cookies, in a request from a page of another site.",
			Want:   answer{http.StatusForbidden, clerkauth.ReasonCrossOriginRequest},
			method: http.MethodPost, path: "/waves", shownAs: "valid", mint: honest, cookies: true,
			from: func(*app) string { return "https://elsewhere.example" },
		},
	}
}

func machines() []trial {
	return []trial{
		{
			Name: "api-key", Title: "An API key on a route for machines", Story: "A program calls on behalf of a person. The Backend API confirms that the key is valid and has the scope.",
			Want:   answer{http.StatusOK, ""},
			method: http.MethodGet, path: "/machine", shownAs: "API key", mint: apiKey,
		},
		{
			Name: "api-key-person", Title: "The same on a route for people", Story: "An API key is not a session: routes for people refuse it.",
			Want:   refused(clerkauth.ReasonTokenTypeMismatch),
			method: http.MethodGet, path: "/me", shownAs: "API key", mint: apiKey,
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

package main

import (
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth"
)

// pass answers 204 with the identity, which the gateway passes on to the app. Every header is set, to an empty value if
// need be, so that a gateway that copies headers replaces what the client sent.
func pass(w http.ResponseWriter, r *http.Request) {
	status := clerkauth.StatusSignedOut
	var s clerkauth.Session
	if found, ok := clerkauth.FromContext(r.Context()); ok {
		s, status = *found, clerkauth.StatusSignedIn
	}
	h := w.Header()
	h.Set("X-Clerk-Auth-Status", status.String())
	h.Set("X-Clerk-User-Id", s.UserID)
	h.Set("X-Clerk-Session-Id", s.ID)
	h.Set("X-Clerk-Org-Id", s.Organization.ID)
	h.Set("X-Clerk-Org-Slug", s.Organization.Slug)
	h.Set("X-Clerk-Org-Role", s.Organization.Role)
	h.Set("X-Clerk-Permissions", strings.Join(s.Permissions(), ","))
	keepCredentials(h, r.Header)
	w.WriteHeader(http.StatusNoContent)
}

// keepCredentials answers with the client's cookies and Authorization, without Clerk's. The app does not need a session
// token, and whoever reads the app's logs or memory could use it elsewhere. A gateway replaces what the client sent with
// these.
func keepCredentials(answer, sent http.Header) {
	var kept []string
	for _, line := range sent["Cookie"] {
		for cookie := range strings.SplitSeq(line, ";") {
			cookie = strings.Trim(cookie, " \t")
			name, _, _ := strings.Cut(cookie, "=")
			if cookie != "" && !clerkCookie(strings.Trim(name, " \t")) {
				kept = append(kept, cookie)
			}
		}
	}
	if kept != nil {
		answer.Set("Cookie", strings.Join(kept, "; "))
	}
	for _, value := range sent["Authorization"] {
		if scheme, _, found := strings.Cut(strings.Trim(value, " \t"), " "); found && !strings.EqualFold(scheme, "Bearer") {
			answer.Add("Authorization", value)
		}
	}
}

// clerkCookie reports whether a cookie belongs to Clerk or to clerkauth. For a browser, names that differ only in case are
// different cookies, but not for every app.
func clerkCookie(name string) bool {
	name = strings.ToLower(name)
	name = strings.TrimPrefix(strings.TrimPrefix(name, "__host-"), "__secure-")
	for _, own := range [...]string{"__session", "__client", "__client_uat", "__refresh", "__dev_session"} {
		if name == own || strings.HasPrefix(name, own+"_") {
			return true
		}
	}
	return strings.HasPrefix(name, "__clerk") || strings.HasPrefix(name, "clerkauth_")
}

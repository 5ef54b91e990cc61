package main

import (
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth"
)

// pass answers 204 with who is signed in, as the gateway hands it to the app. Every header is there, and empty where
// there is nothing to say, so that a gateway which copies headers replaces what the client sent.
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

// keepCredentials answers with the client's cookies and Authorization but for those that are Clerk's. The app has no use
// for a session token, and whoever reads the app's logs or memory could use it elsewhere. A gateway puts these in the place of
// what the client sent.
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

// clerkCookie reports whether a cookie belongs to Clerk or to clerkauth. Names that differ in case only are other
// cookies to a browser, but not to every app.
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

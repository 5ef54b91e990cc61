package mcp

import (
	"net/http"
	"slices"

	"github.com/clerkauth/clerkauth"
)

// metadata is where a resource describes itself: its own path goes behind this (RFC 9728 section 3.1).
const metadata = "/.well-known/oauth-protected-resource"

// ErrorHandler is for Config.ErrorHandler. A 401 or 403 with a challenge says where the server at origin describes what was
// asked for (RFC 9728 section 5.1).
func ErrorHandler(origin string) clerkauth.ErrorHandler {
	return func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
		more := ""
		if resources[r.URL.Path] {
			more = `, resource_metadata="` + origin + metadata + r.URL.Path + `"`
		}
		clerkauth.DefaultErrorHandler(challenge{w, more}, r, err)
	}
}

// resources are the paths of the servers. What is not among them does not get into a header.
var resources = map[string]bool{"/mcp": true, "/mcp/admin": true}

// challenge adds to the WWW-Authenticate that is there when the header is written.
type challenge struct {
	http.ResponseWriter
	more string
}

func (c challenge) WriteHeader(status int) {
	if already := c.Header().Get("WWW-Authenticate"); already != "" {
		c.Header().Set("WWW-Authenticate", already+c.more)
	}
	c.ResponseWriter.WriteHeader(status)
}

// onlyFor refuses access tokens that were made for another resource (RFC 8707 section 2): a server that was sent one could
// send it on, and call these tools as its user. Clerk documents no aud in its access tokens, so that one without it is
// accepted: what bounds those is their scopes. If your instance's tokens have it, set Config.MachineAudience, too, to the
// resources that you serve; then it must be there.
func onlyFor(origin string, next http.Handler) http.Handler {
	refuse := ErrorHandler(origin)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, ok := clerkauth.MachineFromContext(r.Context())
		if ok && len(m.Audience) > 0 && !slices.Contains(m.Audience, origin+r.URL.Path) {
			refuse(w, r, &clerkauth.Error{Reason: clerkauth.ReasonTokenVerificationFailed})
			return
		}
		next.ServeHTTP(w, r)
	})
}

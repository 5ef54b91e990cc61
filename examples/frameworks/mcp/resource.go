package mcp

import (
	"net/http"
	"slices"

	"github.com/clerkauth/clerkauth"
)

// metadata is where a resource is described: its own path is appended (RFC 9728 section 3.1).
const metadata = "/.well-known/oauth-protected-resource"

// ErrorHandler is for Config.ErrorHandler. A 401 or 403 with a challenge says where the server at origin describes the
// requested resource (RFC 9728 section 5.1).
func ErrorHandler(origin string) clerkauth.ErrorHandler {
	return func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
		more := ""
		if resources[r.URL.Path] {
			more = `, resource_metadata="` + origin + metadata + r.URL.Path + `"`
		}
		clerkauth.DefaultErrorHandler(challenge{w, more}, r, err)
	}
}

// resources are the paths of the servers. No other path is written into a header.
var resources = map[string]bool{"/mcp": true, "/mcp/admin": true}

// challenge adds to the WWW-Authenticate header when the headers are written.
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

// onlyFor refuses access tokens that were issued for another resource (RFC 8707 section 2): a server that receives one
// could send it on, and call these tools as its user. Clerk documents no aud in its access tokens, so one without it is
// accepted: scopes are the only limit for those. If your instance's tokens have aud, also set Config.MachineAudience to the
// resources that you serve; then it is required.
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

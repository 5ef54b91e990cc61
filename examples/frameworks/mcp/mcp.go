// Package mcp is a server of github.com/modelcontextprotocol/go-sdk whose tools know who calls them.
//
// Callers send an OAuth access token, which a person has given an assistant of their choice, or the session token of an app
// of yours: an assistant in its own pages, say. An assistant that comes without one is told where to get it (RFC 9728).
package mcp

import (
	"context"
	"net/http"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/clerkauth/clerkauth"
)

// metadata is where a resource describes itself: its own path goes behind this (RFC 9728 section 3.1).
const metadata = "/.well-known/oauth-protected-resource"

// scope is what an access token must have.
const scope = "profile"

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

// Routes are two servers: /mcp for access tokens and whoever is signed in, and /mcp/admin for admins of the active
// organization in person, whom no access token stands for. issuer is the URL of the Clerk instance, which is the
// authorization server.
func Routes(clerk *clerkauth.Authenticator, origin, issuer string) http.Handler {
	mux := http.NewServeMux()
	for path := range resources {
		mux.Handle(metadata+path, auth.ProtectedResourceMetadataHandler(&oauthex.ProtectedResourceMetadata{
			Resource:               origin + path,
			AuthorizationServers:   []string{issuer},
			ScopesSupported:        []string{scope},
			BearerMethodsSupported: []string{"header"},
		}))
	}
	// Stateless: a session of MCP's own would go on without its token, and with whoever learns its ID.
	handler := mcp.NewStreamableHTTPHandler(serverFor, &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true})
	mux.Handle("/mcp", clerk.Accept(clerkauth.OAuthTokens(scope), clerkauth.Sessions())(onlyFor(origin, handler)))
	mux.Handle("/mcp/admin", clerk.Authorize(clerkauth.Role("org:admin"))(handler))
	return mux
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

// serverFor is asked once per request: the tools are those of its caller.
func serverFor(r *http.Request) *mcp.Server {
	user := ""
	if m, ok := clerkauth.MachineFromContext(r.Context()); ok {
		user = m.UserID
	} else if session, ok := clerkauth.FromContext(r.Context()); ok {
		user = session.UserID
	}
	if user == "" {
		return nil // the SDK answers 400
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "whoami", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "whoami", Description: "says who is signed in"},
		func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: user}}}, nil, nil
		})
	return server
}

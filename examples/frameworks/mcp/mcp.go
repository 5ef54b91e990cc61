// Package mcp is a server of github.com/modelcontextprotocol/go-sdk whose tools know who calls them.
//
// Callers send the session token of an app of yours: an assistant in its own pages, say. OAuth access tokens, which
// assistants of other people sign in for, are refused (token-type-mismatch), and the metadata names no authorization
// server to get them from.
package mcp

import (
	"context"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/clerkauth/clerkauth"
)

const metadata = "/.well-known/oauth-protected-resource"

// ErrorHandler is for Config.ErrorHandler. A 401 says how to identify oneself (RFC 6750 section 3), and where this
// server, at origin, describes itself (RFC 9728 section 5.1).
func ErrorHandler(origin string) clerkauth.ErrorHandler {
	return func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
		clerkauth.DefaultErrorHandler(challenge{w, `, resource_metadata="` + origin + metadata + `"`}, r, err)
	}
}

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

// Routes are two servers: /mcp for whoever is signed in, and /mcp/admin for admins of the active organization.
func Routes(clerk *clerkauth.Authenticator, origin string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(metadata, auth.ProtectedResourceMetadataHandler(&oauthex.ProtectedResourceMetadata{
		Resource:               origin + "/mcp",
		BearerMethodsSupported: []string{"header"},
	}))
	// Stateless: a session of MCP's own would go on without its token, and with whoever learns its ID.
	handler := mcp.NewStreamableHTTPHandler(serverFor, &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true})
	mux.Handle("/mcp", clerk.Require(handler))
	mux.Handle("/mcp/admin", clerk.Authorize(clerkauth.Role("org:admin"))(handler))
	return mux
}

// serverFor is asked once per request: the tools are those of its session.
func serverFor(r *http.Request) *mcp.Server {
	session, ok := clerkauth.FromContext(r.Context())
	if !ok {
		return nil // the SDK answers 400
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "whoami", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "whoami", Description: "says who is signed in"},
		func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: session.UserID}}}, nil, nil
		})
	return server
}

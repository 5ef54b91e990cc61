// Package mcp is a server of github.com/modelcontextprotocol/go-sdk whose tools know who calls them.
//
// Callers send an OAuth access token, which a person has given an assistant of their choice, or the session token of an app
// of yours: an assistant in its own pages, say. An assistant that comes without one is told where to get it (RFC 9728).
package mcp

import (
	"context"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/clerkauth/clerkauth"
)

// scope is what an access token must have.
const scope = "profile"

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

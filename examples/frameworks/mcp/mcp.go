// Package mcp is a server of github.com/modelcontextprotocol/go-sdk whose tools know who calls them.
//
// Callers send an OAuth access token, which a person has given an assistant, or the session token of your own app, for
// example of an assistant in its pages. An assistant without a token is told where to get one (RFC 9728).
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

// Routes are two servers: /mcp for access tokens and signed-in people, and /mcp/admin for admins of the active
// organization, who must be signed in themselves. issuer is the URL of the Clerk instance, which is the authorization
// server.
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
	// Stateless: a session of MCP would outlive its token, and anybody who learns its ID could use it.
	handler := mcp.NewStreamableHTTPHandler(serverFor, &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true})
	mux.Handle("/mcp", clerk.Accept(clerkauth.OAuthTokens(scope), clerkauth.Sessions())(onlyFor(origin, handler)))
	mux.Handle("/mcp/admin", clerk.Authorize(clerkauth.Role("org:admin"))(handler))
	return mux
}

// serverFor is called once per request: the tools are for its caller.
func serverFor(r *http.Request) *mcp.Server {
	user := ""
	if m, ok := clerkauth.MachineFromContext(r.Context()); ok {
		user = m.UserID
	} else if session, ok := clerkauth.FromContext(r.Context()); ok {
		user = session.UserID
	}
	if user == "" {
		return nil // the SDK responds with 400
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "whoami", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "whoami", Description: "says who is signed in"},
		func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: user}}}, nil, nil
		})
	return server
}

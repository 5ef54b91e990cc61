package mcp_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
	"github.com/clerkauth/clerkauth/examples/frameworks/mcp"
)

// authorizationServer grants every request, with access tokens of clerk.
func authorizationServer(t *testing.T, clerk *clerktest.Instance) (issuer string, query *url.Values) {
	t.Helper()
	query = &url.Values{}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": server.URL, "authorization_endpoint": server.URL + "/authorize", "token_endpoint": server.URL + "/token",
			"response_types_supported": []string{"code"}, "code_challenge_methods_supported": []string{"S256"},
			"token_endpoint_auth_methods_supported": []string{"client_secret_post"},
		})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		token := clerk.OAuth(clerktest.MachineClaims{Subject: "user_ada", Scopes: []string{query.Get("scope")}, Audience: []string{r.FormValue("resource")}})
		answer(w, map[string]any{"access_token": token, "token_type": "bearer", "expires_in": 60})
	})
	return server.URL, query
}

// The SDK's own client needs only the server's URL to get an access token.
func TestAuthorizationOfTheSDK(t *testing.T) {
	var routes http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { routes.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	clerk, authenticator := contract.App(t, func(cfg *clerkauth.Config) { cfg.ErrorHandler = mcp.ErrorHandler(server.URL) })
	issuer, query := authorizationServer(t, clerk)
	routes = mcp.Routes(authenticator, server.URL, issuer)
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		PreregisteredClient: &oauthex.ClientCredentials{ClientID: "assistant", ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: "secret"}},
		RedirectURL:         "http://127.0.0.1/back",
		AuthorizationCodeFetcher: func(_ context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			u, err := url.Parse(args.URL)
			if err != nil {
				return nil, err
			}
			*query = u.Query()
			return &auth.AuthorizationResult{Code: "code", State: query.Get("state")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	client := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &sdk.StreamableClientTransport{Endpoint: server.URL + "/mcp", OAuthHandler: handler}, nil)
	if err != nil {
		t.Fatal(err)
	}
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "whoami"})
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := result.Content[0].(*sdk.TextContent); !ok || text.Text != "user_ada" {
		t.Errorf("the tool says %+v, want user_ada", result.Content[0])
	}
	if query.Get("resource") != server.URL+"/mcp" || query.Get("scope") != "profile" {
		t.Errorf("got the query %v, want the resource %s/mcp and the scope profile", *query, server.URL)
	}
	if err := session.Close(); err != nil {
		t.Error(err)
	}
}

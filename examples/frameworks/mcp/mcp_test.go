package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
	"github.com/clerkauth/clerkauth/examples/frameworks/mcp"
)

const origin = "https://example.com"

func app(t *testing.T) (*clerktest.Instance, http.Handler) {
	t.Helper()
	clerk, auth := contract.App(t, func(cfg *clerkauth.Config) { cfg.ErrorHandler = mcp.ErrorHandler(origin) })
	return clerk, mcp.Routes(auth, origin, clerk.Issuer())
}

// call calls the tool, as a client that has just started: every request is independent.
func call(t *testing.T, app http.Handler, path, token string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{}}}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	return w
}

func TestAnswers(t *testing.T) {
	clerk, up := app(t)
	down, out := app(t)
	down.Fault(clerktest.BackendJWKS, clerktest.Down)
	const where = `, resource_metadata="https://example.com/.well-known/oauth-protected-resource/mcp`
	access := clerktest.MachineClaims{Subject: "user_ada", Scopes: []string{"profile"}}
	tests := []struct {
		name        string
		app         http.Handler
		path, token string
		status      int
		challenge   string
		want        string // in the body
	}{
		{"nobody", up, "/mcp", "", http.StatusUnauthorized, `Bearer realm="clerk"` + where + `"`, "session-token-and-uat-missing"},
		{
			"forged", up, "/mcp/admin", clerk.Forge(contract.Ada), http.StatusUnauthorized,
			`Bearer realm="clerk", error="invalid_token", error_description="The signature of the session token is not valid."` + where + `/admin"`, "token-invalid-signature",
		},
		{
			"made-up access token", up, "/mcp", "oat_0123456789", http.StatusUnauthorized,
			`Bearer realm="clerk", error="invalid_token", error_description="The token is malformed or not valid."` + where + `"`, "token-invalid",
		},
		{
			"access token without the scope", up, "/mcp", clerk.OAuth(clerktest.MachineClaims{}), http.StatusForbidden,
			`Bearer realm="clerk", error="insufficient_scope", error_description="The credential does not have a scope that is needed.", scope="profile"` + where + `"`, "insufficient-scope",
		},
		{
			"access token as an admin", up, "/mcp/admin", clerk.OAuth(access), http.StatusUnauthorized,
			`Bearer realm="clerk", error="invalid_token", error_description="This kind of token is not accepted here."` + where + `/admin"`, "token-type-mismatch",
		},
		{"access token", up, "/mcp", clerk.OAuth(access), http.StatusOK, "", `"text":"user_ada"`},
		{"access token that is a JWT", up, "/mcp", clerk.OAuthJWT(access), http.StatusOK, "", `"text":"user_ada"`},
		{"member", up, "/mcp", clerk.Token(contract.Grace), http.StatusOK, "", `"text":"user_grace"`},
		{"admin after the member", up, "/mcp", clerk.Token(contract.Ada), http.StatusOK, "", `"text":"user_ada"`},
		{"member as admin", up, "/mcp/admin", clerk.Token(contract.Grace), http.StatusForbidden, "", "role org:admin"},
		{"admin", up, "/mcp/admin", clerk.Token(contract.Ada), http.StatusOK, "", `"text":"user_ada"`},
		{"no keys", out, "/mcp", down.Token(contract.Ada), http.StatusServiceUnavailable, "", "jwk-remote-failed-to-load"},
	}
	for _, tt := range tests {
		w := call(t, tt.app, tt.path, tt.token)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: got %d with %q, want %d with %q", tt.name, w.Code, w.Body, tt.status, tt.want)
		}
		if got := w.Header().Get("WWW-Authenticate"); got != tt.challenge {
			t.Errorf("%s: WWW-Authenticate %q, want %q", tt.name, got, tt.challenge)
		}
	}
}

// An access token that was issued for another resource is refused here.
func TestAccessTokensOfOtherResources(t *testing.T) {
	clerk, up := app(t)
	const here, other = origin + "/mcp", "https://other.example/mcp"
	for name, tc := range map[string]struct {
		aud    []string
		status int
	}{
		"none":              {nil, http.StatusOK},
		"this":              {[]string{here}, http.StatusOK},
		"this among others": {[]string{other, here}, http.StatusOK},
		"another":           {[]string{other}, http.StatusUnauthorized},
		"another path":      {[]string{here + "/admin"}, http.StatusUnauthorized},
		"another slash":     {[]string{here + "/"}, http.StatusUnauthorized},
		"the origin":        {[]string{origin}, http.StatusUnauthorized},
		"an empty one":      {[]string{""}, http.StatusUnauthorized},
	} {
		claims := clerktest.MachineClaims{Subject: "user_ada", Scopes: []string{"profile"}, Audience: tc.aud}
		for form, token := range map[string]string{"opaque": clerk.OAuth(claims), "JWT": clerk.OAuthJWT(claims)} {
			w := call(t, up, "/mcp", token)
			if w.Code != tc.status {
				t.Errorf("for %s, %s: got %d with %q, want %d", name, form, w.Code, w.Body, tc.status)
			}
			if got := w.Header().Get("WWW-Authenticate"); (tc.status == http.StatusOK) != (got == "") || got != "" && !strings.Contains(got, `error="invalid_token"`) {
				t.Errorf("for %s, %s: got WWW-Authenticate %q with %d, want none with 200, and invalid_token otherwise", name, form, got, tc.status)
			}
		}
	}
}

func TestMetadataIsWhereTheChallengeSays(t *testing.T) {
	clerk, up := app(t)
	for _, path := range []string{"/mcp", "/mcp/admin"} {
		w := contract.Get(t.Context(), up, "/.well-known/oauth-protected-resource"+path, "")
		var got struct {
			Resource string
			Servers  []string `json:"authorization_servers"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Resource != origin+path || len(got.Servers) != 1 || got.Servers[0] != clerk.Issuer() {
			t.Errorf("got %d with %q, %v, want the resource %s%s and the one server %s", w.Code, w.Body, err, origin, path, clerk.Issuer())
		}
	}
}

// assistant is a client that gets an access token: it finds out where, and a person grants it.
type assistant struct {
	clerk     *clerktest.Instance
	server    string // the URL that it was told to use
	token     string // none yet
	refusedBy []int
}

// TokenSource implements auth.OAuthHandler.
func (a *assistant) TokenSource(context.Context) (oauth2.TokenSource, error) {
	if a.token == "" {
		return nil, nil
	}
	return oauth2.StaticTokenSource(&oauth2.Token{AccessToken: a.token}), nil
}

// Authorize implements auth.OAuthHandler.
func (a *assistant) Authorize(ctx context.Context, _ *http.Request, refusal *http.Response) error {
	defer func() { _ = refusal.Body.Close() }()
	a.refusedBy = append(a.refusedBy, refusal.StatusCode)
	challenges, err := oauthex.ParseWWWAuthenticate(refusal.Header.Values("WWW-Authenticate"))
	if err != nil || len(challenges) != 1 {
		return fmt.Errorf("challenges %v: %w", challenges, err)
	}
	resource, err := oauthex.GetProtectedResourceMetadata(ctx, challenges[0].Params["resource_metadata"], a.server, http.DefaultClient)
	if err != nil {
		return err
	}
	if len(resource.AuthorizationServers) != 1 || resource.AuthorizationServers[0] != a.clerk.Issuer() {
		return fmt.Errorf("authorization servers %q", resource.AuthorizationServers)
	}
	a.token = a.clerk.OAuth(clerktest.MachineClaims{Subject: "user_ada", Scopes: resource.ScopesSupported})
	return nil
}

// TestClientOfTheSDK is refused, discovers, and gets in; or brings the session token of a page.
func TestClientOfTheSDK(t *testing.T) {
	var routes http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { routes.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	clerk, auth := contract.App(t, func(cfg *clerkauth.Config) { cfg.ErrorHandler = mcp.ErrorHandler(server.URL) })
	routes = mcp.Routes(auth, server.URL, clerk.Issuer())
	for name, a := range map[string]*assistant{"without a token": {}, "with a session's": {token: clerk.Token(contract.Ada)}} {
		a.clerk, a.server = clerk, server.URL+"/mcp"
		first := a.token
		client := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil)
		session, err := client.Connect(t.Context(), &sdk.StreamableClientTransport{Endpoint: a.server, OAuthHandler: a}, nil)
		if err != nil {
			t.Fatal(name, err)
		}
		result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "whoami"})
		if err != nil {
			t.Fatal(name, err)
		}
		if text, ok := result.Content[0].(*sdk.TextContent); !ok || text.Text != "user_ada" {
			t.Errorf("%s: the tool says %+v, want user_ada", name, result.Content[0])
		}
		if want := map[bool][]int{true: {http.StatusUnauthorized}}[first == ""]; !slices.Equal(a.refusedBy, want) {
			t.Errorf("%s: refused by %v, want %v", name, a.refusedBy, want)
		}
		if err := session.Close(); err != nil {
			t.Error(name, err)
		}
	}
}

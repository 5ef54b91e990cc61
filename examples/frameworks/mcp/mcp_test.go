package mcp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
	"github.com/clerkauth/clerkauth/examples/frameworks/mcp"
)

const origin = "https://example.com"

func app(t *testing.T) (*clerktest.Instance, http.Handler) {
	t.Helper()
	clerk, auth := contract.App(t, func(cfg *clerkauth.Config) { cfg.ErrorHandler = mcp.ErrorHandler(origin) })
	return clerk, mcp.Routes(auth, origin)
}

// call asks the tool, as a client that has just begun does: every request stands alone.
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
	const where = `, resource_metadata="https://example.com/.well-known/oauth-protected-resource"`
	tests := []struct {
		name        string
		app         http.Handler
		path, token string
		status      int
		challenge   string
		want        string // in the body
	}{
		{"nobody", up, "/mcp", "", http.StatusUnauthorized, `Bearer realm="clerk"` + where, "session-token-and-uat-missing"},
		{
			"forged", up, "/mcp/admin", clerk.Forge(contract.Ada), http.StatusUnauthorized,
			`Bearer realm="clerk", error="invalid_token", error_description="The session token has a bad signature."` + where, "token-invalid-signature",
		},
		{
			"OAuth access token", up, "/mcp", "oat_0123456789", http.StatusUnauthorized,
			`Bearer realm="clerk", error="invalid_token", error_description="The token is not a session token."` + where, "token-type-mismatch",
		},
		{"member", up, "/mcp", clerk.Token(contract.Grace), http.StatusOK, "", `"text":"user_grace"`},
		{"admin after the member", up, "/mcp", clerk.Token(contract.Ada), http.StatusOK, "", `"text":"user_ada"`},
		{"member as admin", up, "/mcp/admin", clerk.Token(contract.Grace), http.StatusForbidden, "", "role org:admin"},
		{"admin", up, "/mcp/admin", clerk.Token(contract.Ada), http.StatusOK, "", `"text":"user_ada"`},
		{"no keys", out, "/mcp", down.Token(contract.Ada), http.StatusServiceUnavailable, "", "jwk-remote-failed-to-load"},
	}
	for _, tt := range tests {
		w := call(t, tt.app, tt.path, tt.token)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: %d with %q, want %d with %q", tt.name, w.Code, w.Body, tt.status, tt.want)
		}
		if got := w.Header().Get("WWW-Authenticate"); got != tt.challenge {
			t.Errorf("%s: WWW-Authenticate %q, want %q", tt.name, got, tt.challenge)
		}
	}
}

func TestMetadataIsWhereTheChallengeSays(t *testing.T) {
	_, up := app(t)
	w := contract.Get(t.Context(), up, "/.well-known/oauth-protected-resource", "")
	var got struct{ Resource string }
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Resource != origin+"/mcp" {
		t.Errorf("%d with %q: %v", w.Code, w.Body, err)
	}
}

// bearer signs the requests of a client.
type bearer struct{ token string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(r)
}

func TestClientOfTheSDK(t *testing.T) {
	clerk, up := app(t)
	server := httptest.NewServer(up)
	t.Cleanup(server.Close)
	client := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &sdk.StreamableClientTransport{
		Endpoint:   server.URL + "/mcp",
		HTTPClient: &http.Client{Transport: bearer{clerk.Token(contract.Ada)}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "whoami"})
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := result.Content[0].(*sdk.TextContent); !ok || text.Text != "user_ada" {
		t.Errorf("the tool says %+v", result.Content[0])
	}
	if err := session.Close(); err != nil {
		t.Error(err)
	}
}

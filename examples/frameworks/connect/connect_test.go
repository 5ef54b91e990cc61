package connect_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	connectrpc "connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/frameworks/connect"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
)

func serve(t *testing.T, auth *clerkauth.Authenticator) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(connect.Routes(auth, echo))
	server.EnableHTTP2 = true // gRPC needs it
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestCodesInEveryProtocol(t *testing.T) {
	answers := func(cfg *clerkauth.Config) { cfg.ErrorHandler = connect.ErrorHandler }
	clerk, auth := contract.App(t, answers)
	down, cut := contract.App(t, answers)
	down.Fault(clerktest.BackendJWKS, clerktest.Down)
	up, out := serve(t, auth), serve(t, cut)
	tests := []struct {
		name             string
		server           *httptest.Server
		procedure, token string
		code             connectrpc.Code // 0: none
		want             string          // the user, or the reason
	}{
		{"nobody", up, connect.Me, "", connectrpc.CodeUnauthenticated, "session-token-and-uat-missing"},
		{"forged", up, connect.Admin, clerk.Forge(contract.Ada), connectrpc.CodeUnauthenticated, "token-invalid-signature"},
		{"member", up, connect.Me, clerk.Token(contract.Grace), 0, "user_grace"},
		{"member as admin", up, connect.Admin, clerk.Token(contract.Grace), connectrpc.CodePermissionDenied, "session-check-failed"},
		{"admin", up, connect.Admin, clerk.Token(contract.Ada), 0, "user_ada"},
		{"no keys", out, connect.Me, down.Token(contract.Ada), connectrpc.CodeUnavailable, "jwk-remote-failed-to-load"},
	}
	for protocol, option := range protocols {
		for _, tt := range tests {
			client := connectrpc.NewClient[emptypb.Empty, wrapperspb.StringValue](tt.server.Client(), tt.server.URL+tt.procedure, option)
			request := connectrpc.NewRequest(&emptypb.Empty{})
			if tt.token != "" {
				request.Header().Set("Authorization", "Bearer "+tt.token)
			}
			response, err := client.CallUnary(t.Context(), request)
			var code connectrpc.Code
			var got string
			if refusal, ok := errors.AsType[*connectrpc.Error](err); ok {
				code, got = refusal.Code(), refusal.Meta().Get("X-Clerk-Auth-Reason")
			} else if err == nil {
				got = response.Msg.GetValue()
			}
			if code != tt.code || got != tt.want {
				t.Errorf("%s, %s: got %v %q (%v), want %v %q", protocol, tt.name, code, got, err, tt.code, tt.want)
			}
		}
	}
}

func TestOtherRequestsGetTheUsualResponse(t *testing.T) {
	_, auth := contract.App(t, func(cfg *clerkauth.Config) { cfg.ErrorHandler = connect.ErrorHandler })
	w := contract.Get(t.Context(), auth.Require(http.NotFoundHandler()), "/page", "")
	if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("got %d with %v, want 401 with a WWW-Authenticate", w.Code, w.Header())
	}
}

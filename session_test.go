package clerkauth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestContextWithoutMiddleware(t *testing.T) {
	if s, ok := clerkauth.FromContext(t.Context()); ok || s != nil {
		t.Errorf("FromContext: got %v, %t; want none", s, ok)
	}
	if s, ok := clerkauth.StateFromContext(t.Context()); ok || s != nil {
		t.Errorf("StateFromContext: got %v, %t; want none", s, ok)
	}
}

// NewContext is for tests of handlers. It signs nobody in.
func TestNewContextServesFromContextAndNeverRequire(t *testing.T) {
	a := harness.NewApp(t)
	session := a.Clerk.Session(clerktest.Claims{Subject: "user_tested"})
	ctx := clerkauth.NewContext(t.Context(), session)
	if got, ok := clerkauth.FromContext(ctx); !ok || got != session {
		t.Errorf("FromContext: got %v, %t; want the session", got, ok)
	}
	state, ok := clerkauth.StateFromContext(ctx)
	if !ok || state.Status != clerkauth.StatusSignedIn || state.Session != session || state.Token() != "" {
		t.Errorf("StateFromContext: got %+v, %t; want signed in without a token", state, ok)
	}
	ran := false
	spy := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ran = true
		if s, ok := clerkauth.FromContext(r.Context()); ok {
			t.Errorf("the handler finds the session %v, want none", s)
		}
	})
	if w := harness.Serve(a.Require(spy), harness.Request("GET", "/").WithContext(ctx)); w.Code != 401 || ran {
		t.Errorf("Require: %d, handler ran %t; want 401 and no", w.Code, ran)
	}
	if harness.Serve(a.Optional(spy), harness.Request("GET", "/").WithContext(ctx)); !ran {
		t.Error("Optional did not run the handler")
	}
	if w := harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/", a.SignedIn()).WithContext(ctx)); w.Body.String() != harness.Welcome {
		t.Errorf("Require with a token of somebody else: got %q, want %q", w.Body, harness.Welcome)
	}
}

// A session that was not read from a token has no claims and no permissions. Its methods may also
// be called on nil.
func TestSessionsWithoutAToken(t *testing.T) {
	for name, s := range map[string]*clerkauth.Session{"nil": nil, "zero": {}, "by hand": {UserID: "user_1", Organization: acme}} {
		if got := s.Permissions(); len(got) != 0 {
			t.Errorf("%s: permissions %q, want none", name, got)
		}
		var claims map[string]any
		if err := s.Claims(&claims); err == nil || claims != nil {
			t.Errorf("%s: claims %v, %v; want an error", name, claims, err)
		}
		for _, check := range []clerkauth.Check{
			clerkauth.Permission("org:a:read"), clerkauth.Feature("search"), clerkauth.Plan("pro"), clerkauth.Reverified(clerkauth.ReverifyLax),
		} {
			if s.Has(check) {
				t.Errorf("%s: the check %v passes", name, check)
			}
		}
	}
}

// Many people read logs. A printed state has its outcome, and a printed session has its fields.
// Neither shows the token, or claims that the program did not read.
func TestNothingPrintsTheToken(t *testing.T) {
	a := harness.NewApp(t)
	token := a.Clerk.Token(clerktest.Claims{Extra: map[string]any{"email": "victim@example.com"}})
	pending := a.Clerk.Token(clerktest.Claims{Pending: true, Extra: map[string]any{"email": "victim@example.com"}})
	secrets := append(harness.Pieces(strings.Split(token, ".")...), harness.Pieces(strings.Split(pending, ".")...)...)
	secrets = append(secrets, "victim@example.com", "email")

	in := a.AuthenticateRequest(harness.Request("GET", "/", harness.WithBearer(token)))
	if in.Token() != token {
		t.Fatal("Token does not return the token")
	}
	var ctx context.Context
	harness.Serve(a.Optional(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ctx = r.Context() })), harness.Request("GET", "/", harness.WithBearer(token)))
	out := a.AuthenticateRequest(harness.Request("GET", "/", harness.WithBearer(token+"x")))
	a.WaitForKeys() // a fetch of keys writes what printing an Authenticator reads
	for name, v := range map[string]any{
		"signed in": in, "signed out": out, "pending": a.AuthenticateRequest(harness.Request("GET", "/", harness.WithBearer(pending))),
		"session": in.Session, "session value": *in.Session, "error": out.Err, "context": ctx, "authenticator": a.Authenticator,
	} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if secret, ok := harness.Leaks(fmt.Sprintf(format, v), secrets); ok {
				t.Errorf("%s printed with %s shows %q", name, format, secret)
			}
		}
		var text bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
		if name != "context" && name != "authenticator" {
			slog.New(slog.NewJSONHandler(&text, nil)).Info("m", "v", v)
			if encoded, err := json.Marshal(v); err == nil {
				text.Write(encoded)
			}
		}
		if secret, ok := harness.Leaks(text.String(), secrets); ok {
			t.Errorf("%s logged shows %q", name, secret)
		}
	}
	if got := fmt.Sprint(in, out); got != "signed-in signed-out" {
		t.Errorf("states print as %q, want \"signed-in signed-out\"", got)
	}
}

func TestNewContextOfNobody(t *testing.T) {
	ctx := clerkauth.NewContext(t.Context(), nil)
	if s, ok := clerkauth.FromContext(ctx); ok || s != nil {
		t.Errorf("FromContext: got %v, %t; want nobody", s, ok)
	}
	if state, ok := clerkauth.StateFromContext(ctx); !ok || state.Status != clerkauth.StatusSignedOut || state.Err == nil {
		t.Errorf("StateFromContext: got %v, %t; want signed out with an error", state, ok)
	}
}

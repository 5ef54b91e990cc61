package clerktest_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

func TestSessionIsWhatTheTokenSays(t *testing.T) {
	permissions := []string{"org:dashboard:manage", "org:dashboard:read", "org:teams:read"}
	for _, version := range []int{1, 2} {
		in := clerktest.New(t, clerktest.Options{Now: atNoon})
		got := in.Session(clerktest.Claims{
			Version:         version,
			Subject:         "user_2bob",
			SessionID:       "sess_2bob",
			AuthorizedParty: "https://anything.example",
			Issuer:          "https://proxy.example",
			Pending:         true,
			FirstFactorAt:   noon.Add(-7 * time.Minute),
			Organization:    clerkauth.Organization{ID: "org_acme", Slug: "acme", Role: "org:admin"},
			Permissions:     permissions,
			Actor:           clerkauth.Actor{Subject: "user_2eve", SessionID: "sess_2eve"},
		})
		if got.UserID != "user_2bob" || got.ID != "sess_2bob" || got.AuthorizedParty != "https://anything.example" || !got.Pending {
			t.Errorf("version %d: got %+v, want the claims that were given", version, got)
		}
		if !got.IssuedAt.Equal(noon) || !got.NotBefore.Equal(noon.Add(-10*time.Second)) || !got.ExpiresAt.Equal(noon.Add(time.Minute)) {
			t.Errorf("version %d: got the dates %s, %s and %s, want noon, 10s before and a minute after", version, got.IssuedAt, got.NotBefore, got.ExpiresAt)
		}
		if !got.FirstFactorAt.Equal(noon.Add(-7*time.Minute)) || !got.SecondFactorAt.IsZero() {
			t.Errorf("version %d: factors at %v and %v, want 7m ago and never", version, got.FirstFactorAt, got.SecondFactorAt)
		}
		if want := (clerkauth.Organization{ID: "org_acme", Slug: "acme", Role: "org:admin"}); got.Organization != want {
			t.Errorf("version %d: Organization %+v, want %+v", version, got.Organization, want)
		}
		if want := (clerkauth.Actor{Subject: "user_2eve", SessionID: "sess_2eve"}); got.Actor != want {
			t.Errorf("version %d: Actor %+v, want %+v", version, got.Actor, want)
		}
		if p := got.Permissions(); !slices.Equal(slices.Sorted(slices.Values(p)), permissions) {
			t.Errorf("version %d: Permissions %q, want %q", version, p, permissions)
		}
	}
}

func TestSessionOfABadTokenPanics(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{Now: atNoon})
	for name, c := range map[string]clerktest.Claims{
		"expired":    {ExpiresAt: noon.Add(-time.Minute)},
		"no subject": {Extra: map[string]any{"sub": clerktest.Absent}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic, want one")
				}
			}()
			in.Session(c)
		})
	}
}

// TestConfigSignsIn uses each kind of instance with a real Authenticator, and a request of httptest.
func TestConfigSignsIn(t *testing.T) {
	instances := map[string]*clerktest.Instance{
		"production":             clerktest.New(t, clerktest.Options{}),
		"development":            clerktest.New(t, clerktest.Options{Development: true}),
		"production, listening":  start(t, clerktest.Options{}),
		"development, listening": start(t, clerktest.Options{Development: true}),
	}
	for name, in := range instances {
		for _, secret := range []bool{true, false} {
			cfg := in.Config()
			endpoint := clerktest.BackendJWKS
			if !secret {
				cfg.SecretKey, endpoint = "", clerktest.FrontendJWKS
			}
			auth, err := clerkauth.New(cfg)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			in.ResetRequests()
			// The Origin check applies to a form post: the default origins must include the
			// request's own.
			r := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			for _, c := range in.Cookies(in.Token(clerktest.Claims{})) {
				r.AddCookie(c)
			}
			if state := auth.AuthenticateRequest(r); state.Status != clerkauth.StatusSignedIn {
				t.Errorf("%s: got %v, %v; want signed in", name, state, state.Err)
			}
			seen := in.Requests()
			if len(seen) != 1 || seen[0].Endpoint != endpoint || seen[0].SecretKey != secret {
				t.Errorf("%s: asked %+v, want one request to %s", name, seen, endpoint)
			}
			_, err = auth.VerifyToken(t.Context(), in.Forge(clerktest.Claims{}))
			if e, ok := errors.AsType[*clerkauth.Error](err); !ok || e.Reason != "token-invalid-signature" {
				t.Errorf("%s: a forged token: got %v, want token-invalid-signature", name, err)
			}
		}
	}
}

// TestInABubble uses only the clock of the synctest bubble.
func TestInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := clerktest.New(t, clerktest.Options{})
		auth, err := clerkauth.New(in.Config())
		if err != nil {
			t.Fatal(err)
		}
		token := in.Token(clerktest.Claims{})
		if _, err := auth.VerifyToken(context.Background(), token); err != nil {
			t.Errorf("a fresh token: %v", err)
		}
		time.Sleep(2 * time.Minute)
		_, err = auth.VerifyToken(context.Background(), token)
		if e, ok := errors.AsType[*clerkauth.Error](err); !ok || e.Reason != clerkauth.ReasonTokenExpired {
			t.Errorf("after two minutes: got %v, want %s", err, clerkauth.ReasonTokenExpired)
		}
	})
}

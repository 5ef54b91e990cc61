package clerkauth_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// who is a handler that writes who is in the context, and fails if there are two.
func who(t *testing.T) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, machine := clerkauth.MachineFromContext(r.Context())
		s, person := clerkauth.FromContext(r.Context())
		switch {
		case machine && person:
			t.Errorf("one request has two identities: %+v and %+v", m, s)
		case machine:
			_, _ = w.Write([]byte("machine " + string(m.Type) + " " + m.Subject))
		case person:
			_, _ = w.Write([]byte("person " + s.UserID))
		default:
			_, _ = w.Write([]byte("nobody"))
		}
	})
}

// credentials has one valid credential of each kind, with the scope read.
func credentials(a *harness.App) map[string]string {
	read := clerktest.MachineClaims{Scopes: []string{"read"}}
	return map[string]string{
		"api key": a.Clerk.APIKey(read), "oauth": a.Clerk.OAuth(read), "oauth jwt": a.Clerk.OAuthJWT(read),
		"m2m": a.Clerk.M2M(clerktest.MachineClaims{}), "m2m jwt": a.Clerk.M2MJWT(clerktest.MachineClaims{}),
		"session": a.Clerk.Token(clerktest.Claims{}),
	}
}

var kinds = map[string]clerkauth.Credential{
	"api key": clerkauth.APIKeys("read"), "oauth": clerkauth.OAuthTokens("read"), "m2m": clerkauth.M2MTokens(), "session": clerkauth.Sessions(),
}

func TestAcceptTakesWhatItNames(t *testing.T) {
	a := harness.NewApp(t)
	want := map[string]string{
		"api key": "machine api_key user_2clerktest", "oauth": "machine oauth_token user_2clerktest", "oauth jwt": "machine oauth_token user_2clerktest",
		"m2m": "machine m2m_token mch_2sender", "m2m jwt": "machine m2m_token mch_2sender", "session": "person user_2clerktest",
	}
	for sent, credential := range credentials(a) {
		for accepted, kind := range kinds {
			for _, both := range []bool{false, true} {
				h := a.Accept(kind)(who(t))
				if both {
					h = a.Accept(clerkauth.APIKeys("never"), kind)(who(t))
				}
				a.Events()
				w := harness.Serve(h, harness.Request("GET", "/", harness.WithBearer(credential)))
				fits := strings.HasPrefix(sent, accepted)
				switch {
				case fits && (w.Code != 200 || w.Body.String() != want[sent]):
					t.Errorf("%s where %s is accepted: got %d %s, want %q", sent, accepted, w.Code, w.Body, want[sent])
				case !fits && sent == "api key" && both: // lacks a scope
				case !fits && (w.Code != 401 || w.Header().Get("X-Clerk-Auth-Reason") != string(clerkauth.ReasonTokenTypeMismatch)):
					t.Errorf("%s where %s is accepted: got %d %s, want a mismatch", sent, accepted, w.Code, w.Body)
				}
				if events := a.Events(); len(events) != 1 || fits != (events[0].Status == clerkauth.StatusSignedIn) {
					t.Errorf("%s where %s is accepted: events %+v, want one", sent, accepted, events)
				}
			}
		}
	}
}

// Middleware for people does not accept a machine as a person.
func TestMachinesAreNoPeople(t *testing.T) {
	a := harness.NewApp(t)
	for sent, credential := range credentials(a) {
		if sent == "session" {
			continue
		}
		for name, edit := range map[string]harness.Edit{
			"bearer": harness.WithBearer(credential), "alone": harness.With("Authorization", credential), "page": harness.All(harness.WithBearer(credential), harness.Document),
			"cookie": a.WithCookies(credential), "beside a cookie": harness.All(a.SignedIn(), harness.WithBearer(credential)),
		} {
			r := func() *http.Request { return harness.Request("GET", "https://example.com/", edit) }
			if w := harness.Serve(a.Optional(who(t)), r()); w.Code == 200 && w.Body.String() != "nobody" {
				t.Errorf("%s %s: behind Optional got %q, want nobody", sent, name, w.Body)
			}
			for middleware, h := range map[string]http.Handler{
				"Require": a.Require(who(t)), "Authorize": a.Authorize(clerkauth.NotImpersonated())(who(t)),
				"both": a.Optional(a.Require(who(t))), "after Accept": a.Accept(clerkauth.APIKeys(), clerkauth.OAuthTokens(), clerkauth.M2MTokens())(a.Require(who(t))),
			} {
				if w := harness.Serve(h, r()); w.Code != 401 && w.Code != 307 {
					t.Errorf("%s %s: %s: got %d %s, want 401 or 307", sent, name, middleware, w.Code, w.Body)
				}
			}
		}
		a.Events()
		harness.Serve(a.Require(who(t)), harness.Request("GET", "/", harness.WithBearer(credential)))
		if events := a.Events(); len(events) != 1 || events[0].Type != "" || events[0].Reason != clerkauth.ReasonTokenTypeMismatch {
			t.Errorf("%s: events of Require: got %+v, want one mismatch without the type of a machine", sent, events)
		}
		if reason := harness.Judge(t, a.Authenticator, credential); reason != clerkauth.ReasonTokenTypeMismatch {
			t.Errorf("%s: VerifyToken: got %q, want ReasonTokenTypeMismatch", sent, reason)
		}
	}
}

// Credentials are read from the Authorization header only.
func TestCredentialsElsewhereAreNone(t *testing.T) {
	a := harness.NewApp(t)
	key := a.Clerk.APIKey(clerktest.MachineClaims{})
	machines := a.Accept(clerkauth.APIKeys(), clerkauth.OAuthTokens(), clerkauth.M2MTokens())(who(t))
	for name, tc := range map[string]struct {
		edit   harness.Edit
		reason clerkauth.Reason
		status int
	}{
		"nothing":            {harness.All(), clerkauth.ReasonCredentialMissing, 401},
		"a cookie":           {a.WithCookies(key), clerkauth.ReasonCredentialMissing, 401},
		"a person's cookies": {a.SignedIn(), clerkauth.ReasonCredentialMissing, 401},
		"another scheme":     {harness.With("Authorization", "Basic "+key), clerkauth.ReasonCredentialMissing, 401},
		"a scheme alone":     {harness.With("Authorization", "Bearer"), clerkauth.ReasonCredentialMissing, 401},
		"a scheme in lower":  {harness.With("Authorization", "bearer"), clerkauth.ReasonCredentialMissing, 401},
		"a scheme and blank": {harness.With("Authorization", "Bearer  "), clerkauth.ReasonCredentialMissing, 401},
		"a word":             {harness.With("Authorization", "garbage"), clerkauth.ReasonTokenTypeMismatch, 401},
		"another header":     {harness.With("X-Api-Key", key), clerkauth.ReasonCredentialMissing, 401},
		"two headers":        {harness.With("Authorization", "Bearer "+key, "Bearer "+key), clerkauth.ReasonMultipleAuthorization, 400},
		"capitals":           {harness.WithBearer(strings.ToUpper(key)), clerkauth.ReasonTokenTypeMismatch, 401},
	} {
		w := harness.Serve(machines, harness.Request("GET", "/?token="+key+"&access_token="+key, tc.edit))
		if w.Code != tc.status || w.Header().Get("X-Clerk-Auth-Reason") != string(tc.reason) {
			t.Errorf("%s: got %d %s, want %d %s", name, w.Code, w.Header().Get("X-Clerk-Auth-Reason"), tc.status, tc.reason)
		}
	}
	if n := harness.Requests(a.Clerk, clerktest.BackendVerifyAPIKey); n != 0 {
		t.Errorf("got %d requests to the Backend API, want 0", n)
	}
}

// Optional around Accept, and Accept around Optional, make separate decisions.
func TestAcceptAndOptionalDecideApart(t *testing.T) {
	a := harness.NewApp(t)
	key, token := a.Clerk.APIKey(clerktest.MachineClaims{Scopes: []string{"read"}}), a.Clerk.Token(clerktest.Claims{})
	accept := a.Accept(clerkauth.Sessions(), clerkauth.APIKeys("read"))
	for name, h := range map[string]http.Handler{
		"Optional outside": a.Optional(accept(who(t))), "Optional inside": accept(a.Optional(who(t))), "Accept twice": accept(accept(who(t))),
		"another's Accept": a.Replica().Accept(clerkauth.Sessions(), clerkauth.APIKeys())(accept(who(t))),
	} {
		for credential, want := range map[string]string{key: "machine api_key user_2clerktest", token: "person user_2clerktest"} {
			for _, edit := range []harness.Edit{harness.All(), harness.Document} {
				if w := harness.Serve(h, harness.Request("GET", "https://example.com/", harness.WithBearer(credential), edit)); w.Body.String() != want {
					t.Errorf("%s: got %d %s, want %q", name, w.Code, w.Body, want)
				}
			}
		}
	}
	// Middleware between the two changes the identity of the request.
	swap := func(to string, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+to)
			next.ServeHTTP(w, r)
		})
	}
	for name, tc := range map[string]struct {
		h          http.Handler
		sent, want string
	}{
		"a machine after a person": {a.Optional(swap(key, accept(who(t)))), token, "machine api_key user_2clerktest"},
		"a person after a machine": {accept(swap(token, accept(who(t)))), key, "person user_2clerktest"},
	} {
		if w := harness.Serve(tc.h, harness.Request("GET", "/", harness.WithBearer(tc.sent))); w.Body.String() != tc.want {
			t.Errorf("%s: got %d %s, want %q", name, w.Code, w.Body, tc.want)
		}
	}
	// A session that a test puts into the context does not replace the machine's identity.
	w := harness.Serve(accept(who(t)), harness.Request("GET", "/", harness.WithBearer(key), func(r *http.Request) {
		*r = *r.WithContext(clerkauth.NewContext(r.Context(), a.Clerk.Session(clerktest.Claims{})))
	}))
	if w.Body.String() != "machine api_key user_2clerktest" {
		t.Errorf("beside a session in the context: got %d %s, want the machine", w.Code, w.Body)
	}
}

func TestScopesAreAllNeeded(t *testing.T) {
	a := harness.NewApp(t)
	for _, tc := range []struct {
		has      []string
		accepted []clerkauth.Credential
		lacks    string // empty: let in
	}{
		{[]string{"read", "write"}, []clerkauth.Credential{clerkauth.APIKeys("write", "read")}, ""},
		{[]string{"read"}, []clerkauth.Credential{clerkauth.APIKeys()}, ""},
		{nil, []clerkauth.Credential{clerkauth.APIKeys()}, ""},
		{[]string{"read"}, []clerkauth.Credential{clerkauth.APIKeys("read", "write")}, "read write"},
		{nil, []clerkauth.Credential{clerkauth.APIKeys("read")}, "read"},
		{[]string{"READ", "rea", "read "}, []clerkauth.Credential{clerkauth.APIKeys("read")}, "read"},
		{[]string{"read write"}, []clerkauth.Credential{clerkauth.APIKeys("read", "write")}, "read write"},
		{[]string{"write"}, []clerkauth.Credential{clerkauth.APIKeys("read"), clerkauth.APIKeys("write")}, ""},
		{[]string{"x"}, []clerkauth.Credential{clerkauth.OAuthTokens("o"), clerkauth.APIKeys("read"), clerkauth.APIKeys("write")}, "read"},
	} {
		key := a.Clerk.APIKey(clerktest.MachineClaims{Scopes: tc.has})
		w := harness.Serve(a.Accept(tc.accepted[0], tc.accepted[1:]...)(who(t)), harness.Request("GET", "/", harness.WithBearer(key)))
		challenge := `Bearer realm="clerk", error="insufficient_scope", error_description="The credential does not have a scope that is needed.", scope="` + tc.lacks + `"`
		if tc.lacks == "" && w.Code != 200 || tc.lacks != "" && (w.Code != 403 || w.Header().Get("WWW-Authenticate") != challenge || w.Header().Get("X-Clerk-Auth-Reason") != "insufficient-scope") {
			t.Errorf("%q: got %d %q, want one that lacks %q", tc.has, w.Code, w.Header(), tc.lacks)
		}
		_, err := a.VerifyMachine(t.Context(), key, tc.accepted[0], tc.accepted[1:]...)
		if refusal, _ := errors.AsType[*clerkauth.Error](err); (refusal == nil) != (tc.lacks == "") || refusal != nil && refusal.Scope != tc.lacks {
			t.Errorf("%q: VerifyMachine: got %v, want an error with the missing scope, or none", tc.has, err)
		}
	}
}

func TestSessionsHaveChecksInAccept(t *testing.T) {
	a := harness.NewApp(t)
	accept := a.Accept(clerkauth.Sessions(clerkauth.Role("admin"), clerkauth.NotImpersonated()), clerkauth.Sessions(clerkauth.Plan("gold")), clerkauth.APIKeys())(who(t))
	admin := clerkauth.Organization{ID: "org_1", Slug: "one", Role: "org:admin"}
	for name, tc := range map[string]struct {
		claims clerktest.Claims
		status int
	}{
		"an admin":              {clerktest.Claims{Organization: admin}, 200},
		"an impersonated admin": {clerktest.Claims{Organization: admin, Actor: clerkauth.Actor{Subject: "user_a"}}, 403},
		"with the plan":         {clerktest.Claims{Plans: []string{"u:gold"}}, 200},
		"anybody":               {clerktest.Claims{}, 403},
		"a pending session":     {clerktest.Claims{Organization: admin, Pending: true}, 401},
	} {
		for _, edit := range []harness.Edit{harness.WithBearer(a.Clerk.Token(tc.claims)), a.WithCookies(a.Clerk.Token(tc.claims))} {
			if w := harness.Serve(accept, harness.Request("GET", "/", edit)); w.Code != tc.status {
				t.Errorf("%s: got %d %s, want %d", name, w.Code, w.Body, tc.status)
			}
		}
	}
	if w := harness.Serve(accept, harness.Request("POST", "/", a.SignedIn(), harness.Headers("Sec-Fetch-Site: cross-site"))); w.Header().Get("X-Clerk-Auth-Reason") != string(clerkauth.ReasonCrossOriginRequest) {
		t.Errorf("a cross-origin write: got %d %s, want ReasonCrossOriginRequest", w.Code, w.Header())
	}
	key := a.Clerk.APIKey(clerktest.MachineClaims{})
	if w := harness.Serve(accept, harness.Request("POST", "/", harness.WithBearer(key), harness.Headers("Sec-Fetch-Site: cross-site", "Origin: https://evil.test"))); w.Code != 200 {
		t.Errorf("a cross-origin write with an API key: got %d %s, want 200: no browser sends the key by itself", w.Code, w.Body)
	}
}

func TestMachineSaysWhoItIs(t *testing.T) {
	a := harness.NewApp(t)
	claims := map[string]any{"tier": "gold"}
	m := func(credential string, c clerkauth.Credential) *clerkauth.Machine {
		t.Helper()
		got, err := a.VerifyMachine(t.Context(), credential, c)
		if err != nil {
			t.Fatal(err, errors.Unwrap(err))
		}
		return got
	}
	key := a.Clerk.APIKey(clerktest.MachineClaims{ID: "ak_id", Name: "n", Subject: "org_1", Scopes: []string{"read"}, Claims: claims, ExpiresAt: harness.Noon.Add(time.Hour)})
	got := m(key, clerkauth.APIKeys())
	if got.Type != clerkauth.APIKey || got.ID != "ak_id" || got.Name != "n" || got.Subject != "org_1" || got.OrganizationID != "org_1" || got.UserID != "" ||
		!slices.Equal(got.Scopes, []string{"read"}) || !got.CreatedAt.Equal(harness.Noon) || !got.ExpiresAt.Equal(harness.Noon.Add(time.Hour)) {
		t.Errorf("got the machine %+v, want the minted claims", got)
	}
	var own struct{ Tier string }
	if err := got.Claims(&own); err != nil || own.Tier != "gold" {
		t.Errorf("claims: got %+v, %v; want tier gold", own, err)
	}
	if err := m(a.Clerk.OAuth(clerktest.MachineClaims{}), clerkauth.OAuthTokens()).Claims(&own); err != nil || own.Tier != "gold" {
		t.Errorf("without claims: got %+v, %v; want the value unchanged", own, err)
	}
	ambiguous := clerktest.MachineClaims{Claims: map[string]any{"tier": "gold", "TIER": "silver"}}
	if err := m(a.Clerk.APIKey(ambiguous), clerkauth.APIKeys()).Claims(&own); err == nil {
		t.Error("Claims read names that differ only in case")
	}
	if err := (&clerkauth.Machine{}).Claims(&own); err == nil {
		t.Error("Claims of a Machine that was not verified returns no error")
	}
	user := m(a.Clerk.OAuthJWT(clerktest.MachineClaims{ID: "oat_id", ClientID: "client_1", Subject: "user_1", Audience: []string{"a", "b"}}), clerkauth.OAuthTokens())
	if !slices.Equal(user.Audience, []string{"a", "b"}) || got.Audience != nil {
		t.Errorf("audiences: got %q and %q, want a and b, and none", user.Audience, got.Audience)
	}
	if user.UserID != "user_1" || user.ClientID != "client_1" || user.ID != "oat_id" || user.Type != clerkauth.OAuthToken {
		t.Errorf("got %+v, want the OAuth token oat_id of user_1 for client_1", user)
	}
	jwt := a.Clerk.M2MJWT(clerktest.MachineClaims{Claims: claims})
	first, second := m(jwt, clerkauth.M2MTokens()), m(jwt, clerkauth.M2MTokens())
	if err := first.Claims(&own); err != nil || own.Tier != "gold" {
		t.Errorf("claims of a JWT: got %+v, %v; want tier gold", own, err)
	}
	if first.Scopes[0] = "changed"; second.Scopes[0] != clerktest.MachineID {
		t.Error("two requests share the memory of their scopes")
	}
}

package clerktest_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// refreshOf returns the body of an honest refresh of a session, from its cookies.
func refreshOf(t *testing.T, in *clerktest.Instance, s *clerktest.BrowserSession) map[string]any {
	t.Helper()
	body := map[string]any{"format": "cookie", "request_origin": in.Config().AuthorizedParties[0], "request_headers": map[string][]string{}}
	for _, c := range s.Cookies() {
		switch {
		case c.Name == "__session":
			body["expired_token"] = c.Value
		case strings.HasPrefix(c.Name, "__refresh_"):
			body["refresh_token"] = c.Value
		}
	}
	return body
}

func refresh(t *testing.T, in *clerktest.Instance, id string, body map[string]any) answer {
	t.Helper()
	target := strings.Replace(in.URL(clerktest.BackendRefresh), "{id}", id, 1)
	header := http.Header{"Authorization": {"Bearer " + in.SecretKey()}, "Content-Type": {"application/json"}}
	return exchange(t, in, nil, http.MethodPost, target, compact(t, body), header)
}

func refreshedCookies(t *testing.T, a answer) map[string]string {
	t.Helper()
	var body struct {
		Object  string   `json:"object"`
		Cookies []string `json:"cookies"`
	}
	decode(t, string(a.body), &body)
	if a.status != http.StatusOK || body.Object != "cookies" || a.header.Get("Content-Type") != "application/json" {
		t.Fatalf("got %d %s %s, want cookies", a.status, a.header, a.body)
	}
	cookies := map[string]string{}
	for _, c := range cookiesOf(t, body.Cookies) {
		cookies[c.Name] = c.Value
	}
	return cookies
}

func TestRefreshMintsANewToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := clerktest.New(t, clerktest.Options{Origins: []string{"https://example.com", "https://app.example.com"}})
		s := in.SignIn(nil, clerktest.Person{})
		old := refreshOf(t, in, s)
		old["request_origin"] = "https://app.example.com"
		time.Sleep(2 * time.Minute)
		cookies := refreshedCookies(t, refresh(t, in, s.ID, old))
		token := cookies["__session"]
		if token == "" || token != cookies["__session_"+suffixOf(t, in)] || len(cookies) != 3 {
			t.Errorf("got %v, want a token under both names and a refresh cookie", cookies)
		}
		var claims struct {
			Sid, AZP string
			Exp      int64
			Fva      [2]int
		}
		_, body, _ := parts(t, token)
		decode(t, body, &claims)
		if claims.Sid != s.ID || claims.AZP != "https://app.example.com" || claims.Exp != time.Now().Add(time.Minute).Unix() || claims.Fva != [2]int{2, -1} {
			t.Errorf("token %s, want a fresh one for the origin that asks, of a sign-in 2 min ago", body)
		}
		if !verifies(t, token, published(t, mustAsk(t, in, clerktest.FrontendJWKS))) {
			t.Error("the refreshed token does not verify")
		}
	})
}

// TestRefreshTokensRotate accepts the last token from a second tab, and no older one.
func TestRefreshTokensRotate(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	s := in.SignIn(nil, clerktest.Person{})
	body, name := refreshOf(t, in, s), "__refresh_"+suffixOf(t, in)
	first := body["refresh_token"]
	second := refreshedCookies(t, refresh(t, in, s.ID, body))[name]
	if second == first {
		t.Error("a refresh returned the same refresh token, want a new one")
	}
	if again := refreshedCookies(t, refresh(t, in, s.ID, body))[name]; again != second {
		t.Errorf("the second tab gets %q, want %q", again, second)
	}
	body["refresh_token"] = second
	refreshedCookies(t, refresh(t, in, s.ID, body))
	body["refresh_token"] = first
	if a := refresh(t, in, s.ID, body); a.status != http.StatusUnauthorized {
		t.Errorf("the oldest: got %d, want 401", a.status)
	}
}

func TestRefreshRefuses(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	other := clerktest.New(t, clerktest.Options{})
	ended := in.SignIn(nil, clerktest.Person{})
	s := in.SignIn(nil, clerktest.Person{})
	tests := []struct {
		name   string
		id     string
		change map[string]any
		status int
		code   string
	}{
		{"another session", "sess_other", nil, 404, "resource_not_found"},
		{"an ended session", ended.ID, refreshOf(t, in, ended), 404, "resource_not_found"},
		{"no refresh token", s.ID, map[string]any{"refresh_token": ""}, 401, "invalid_refresh_token"},
		{"another session's refresh token", s.ID, map[string]any{"refresh_token": "rt_x"}, 401, "invalid_refresh_token"},
		{"another session's token", s.ID, map[string]any{"expired_token": in.Token(clerktest.Claims{})}, 401, "invalid_session_token"},
		{"a forgery", s.ID, map[string]any{"expired_token": in.Forge(clerktest.Claims{SessionID: s.ID})}, 401, "invalid_session_token"},
		{"another instance's token", s.ID, map[string]any{"expired_token": other.Token(clerktest.Claims{SessionID: s.ID})}, 401, "invalid_session_token"},
		{"no token", s.ID, map[string]any{"expired_token": "x"}, 401, "invalid_session_token"},
		{"another format", s.ID, map[string]any{"format": "token"}, 422, "form_param_invalid"},
		{"another origin", s.ID, map[string]any{"request_origin": "https://evil.example"}, 422, "form_param_invalid"},
	}
	ended.SignOut()
	for _, tt := range tests {
		body := refreshOf(t, in, s)
		maps.Copy(body, tt.change)
		a := refresh(t, in, tt.id, body)
		if a.status != tt.status || !strings.Contains(string(a.body), `"code":"`+tt.code+`"`) {
			t.Errorf("%s: got %d %s, want %d %s", tt.name, a.status, a.body, tt.status, tt.code)
		}
	}
}

func TestBackendEndpointsWantTheSecretKey(t *testing.T) {
	both(t, func(t *testing.T, in *clerktest.Instance) {
		s := in.SignIn(nil, clerktest.Person{})
		for method, target := range map[string]string{
			http.MethodGet:  in.URL(clerktest.BackendHandshake) + "?nonce=abcdefgh",
			http.MethodPost: strings.Replace(in.URL(clerktest.BackendRefresh), "{id}", s.ID, 1),
		} {
			a := exchange(t, in, nil, method, target, compact(t, refreshOf(t, in, s)), nil)
			if a.status != http.StatusUnauthorized || !strings.Contains(string(a.body), "clerk_key_invalid") {
				t.Errorf("%s %s without it: got %d %s, want 401", method, target, a.status, a.body)
			}
		}
	})
}

func TestFaultsReachTheNewEndpoints(t *testing.T) {
	both(t, func(t *testing.T, in *clerktest.Instance) {
		s := in.SignIn(nil, clerktest.Person{})
		ask := map[clerktest.Endpoint]func() int{
			clerktest.FrontendHandshake: func() int { return unfollowed(t, in, nil, byHandshake("https://example.com/")).status },
			clerktest.BackendHandshake:  func() int { _, status := payload(t, in, "abcdefgh"); return status },
			clerktest.BackendRefresh:    func() int { return refresh(t, in, s.ID, refreshOf(t, in, s)).status },
			clerktest.SignInPage: func() int {
				return exchange(t, in, nil, http.MethodGet, in.URL(clerktest.SignInPage), "", nil).status
			},
			clerktest.SignOutPage: func() int {
				return exchange(t, in, nil, http.MethodPost, in.URL(clerktest.SignOutPage), "", nil).status
			},
		}
		for name, status := range ask {
			honest := status()
			in.Fault(name, clerktest.Status(http.StatusTeapot, nil))
			in.ResetRequests()
			if got := status(); got != http.StatusTeapot {
				t.Errorf("%s with a fault: got %d, want 418", name, got)
			}
			if seen := in.Requests(); len(seen) != 1 || seen[0].Endpoint != name {
				t.Errorf("%s is recorded as %+v, want one request of that endpoint", name, seen)
			}
			in.Fault(name, nil)
			if got := status(); got != honest {
				t.Errorf("%s without the fault: got %d, want %d", name, got, honest)
			}
		}
	})
}

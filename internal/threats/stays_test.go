package threats_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A visitor who is signed in at Clerk, and refused here because of the configuration, is not
// redirected to a sign-in page, which would redirect back at once. The page says why.
func TestSignInIsNoCureForTheConfiguration(t *testing.T) {
	for name, claims := range map[string]clerktest.Claims{
		"an origin that is not listed": {AuthorizedParty: "https://www.example.com"},
		"another issuer":               {Extra: map[string]any{"iss": "https://clerk.other.example"}},
		"an audience":                  {Extra: map[string]any{"aud": "another"}},
		"no azp":                       {Extra: map[string]any{"azp": clerktest.Absent}},
		"another instance's key":       {Header: map[string]any{"kid": "ins_another"}},
	} {
		a := harness.NewApp(t, harness.SignIn, func(c *clerkauth.Config) { c.Audience = []string{"mine"} })
		if _, ok := claims.Extra["aud"]; !ok && claims.Header == nil {
			a = harness.NewApp(t, harness.SignIn)
		}
		jar := map[string]string{}
		address, signIns := "/page", 0
		for range 20 {
			r := harness.Request(http.MethodGet, address, harness.Document, a.WithCookies(a.Clerk.Token(claims)))
			for pair, value := range jar {
				r.Header.Add("Cookie", pair+"="+value)
			}
			w := harness.Serve(a.Require(harness.Greet), r)
			for _, c := range w.Result().Cookies() {
				jar[c.Name] = c.Value
			}
			location, err := url.Parse(w.Header().Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			if location.Host == "accounts.example.com" {
				signIns++
			}
			if location.Host == "" {
				break
			}
			back, err := url.Parse(location.Query().Get("redirect_url"))
			if err != nil {
				t.Fatal(err)
			}
			address = back.RequestURI()
		}
		if signIns > 0 {
			t.Errorf("%s: %d redirects to the sign-in page, want none", name, signIns)
		}
	}
}

// If a refreshed token's key cannot be fetched, it is not known who is signed in.
func TestRefreshedTokenOfAKeyOutOfReach(t *testing.T) {
	a := harness.NewApp(t)
	if w := harness.Serve(a.Require(harness.Greet), a.Script(a.Clerk.Token(clerktest.Claims{}))); w.Code != http.StatusOK {
		t.Fatalf("got %v, want %v", w.Code, http.StatusOK)
	}
	a.AnswerRefreshes(0, "__session="+a.Clerk.Token(clerktest.Claims{Header: map[string]any{"kid": "ins_rotated"}})+"; Path=/")
	a.Clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	w := harness.Serve(a.Require(harness.Greet), a.Script(a.Expired(clerktest.Claims{}), a.RefreshCookie()))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d %v, want 503", w.Code, w.Header())
	}
}

// An error page of a proxy before the Backend API is not the Backend API's answer.
func TestForeignAnswersOfTheBackendAPI(t *testing.T) {
	for _, status := range []int{400, 402, 404, 405, 407, 410, 413, 421, 431, 451} {
		a := harness.NewApp(t)
		a.Clerk.Fault(clerktest.BackendRefresh, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>gateway</html>", status) })
		})
		w := harness.Serve(a.Require(harness.Greet), a.Script(a.Expired(clerktest.Claims{}), a.RefreshCookie()))
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("an HTML page with %d: got %d, want 503", status, w.Code)
		}
		a.Clerk.Close()
	}
}

// What was sent with a write that cannot be decided now is lost, and the page says so.
func TestPageOfAWriteThatCannotBeJudged(t *testing.T) {
	a := harness.NewApp(t)
	a.Clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	for method, want := range map[string]bool{http.MethodPost: true, http.MethodGet: false} {
		r := harness.Request(method, "/", harness.Headers("Accept: text/html", "Sec-Fetch-Dest: empty"), harness.WithBearer(a.Clerk.Token(clerktest.Claims{})))
		w := harness.Serve(a.Require(harness.Greet), r)
		if got := strings.Contains(w.Body.String(), "was not saved"); w.Code != http.StatusServiceUnavailable || got != want {
			t.Errorf("%s: %d, says that it was not saved: %t, want %d %t", method, w.Code, got, http.StatusServiceUnavailable, want)
		}
	}
}

// Where every handshake returns a token that is refused here, the page says why. It does not blame
// blocked cookies.
func TestHandshakesThatBringWhatIsRefused(t *testing.T) {
	a := harness.NewApp(t)
	token := a.Clerk.Token(clerktest.Claims{AuthorizedParty: "https://www.example.com"})
	a.AnswerNonces(harness.Directives(token)...)
	jar := map[string]string{"__client_uat": "1", "__clerk_handshake_nonce": harness.Nonce}
	for i := range 6 {
		jar["__clerk_handshake_nonce"] = harness.Nonce + strings.Repeat("x", i)
		r := a.Returning()
		for name, value := range jar {
			r.Header.Add("Cookie", name+"="+value)
		}
		r.Header.Set("Accept", "text/html")
		w := harness.Serve(a.Require(harness.Greet), r)
		for _, c := range w.Result().Cookies() {
			if c.Name != "__clerk_redirect_count" {
				jar[c.Name] = c.Value
			}
		}
		if w.Code == http.StatusTemporaryRedirect {
			continue
		}
		if reason := w.Header().Get("X-Clerk-Auth-Reason"); reason != string(clerkauth.ReasonTokenInvalidParties) || strings.Contains(w.Body.String(), "circles") {
			t.Errorf("got %d %s, want %s and a page that does not speak of loops: %s", w.Code, reason, clerkauth.ReasonTokenInvalidParties, w.Body)
		}
		return
	}
	t.Error("six handshakes in a row, want an end")
}

package contract

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// Names sends a person and a machine through an app, by a handshake, a refresh, a bearer token, a forgery and an API key,
// and returns what identifies or authenticates them: it may be in no metric, span or log. Call it in a testing/synctest
// bubble.
func Names(t *testing.T, routes func(*clerkauth.Authenticator) http.Handler, change func(*clerkauth.Config)) []string {
	t.Helper()
	clerk, auth := App(t, change)
	app := routes(auth)
	browser := clerk.Browser(app)
	person := clerktest.Claims{Subject: "user_2NameOfThePerson", Organization: clerkauth.Organization{ID: "org_2NameOfTheirs", Slug: "name-of-theirs", Role: "org:admin"}, Extra: map[string]any{"email": "name@secret.example"}}
	session := clerk.SignIn(browser.Jar, clerktest.Person{Claims: person})
	for range 2 {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/me", http.NoBody)
		r.RequestURI = ""
		resp, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%d", resp.StatusCode)
		}
		time.Sleep(2 * time.Minute) // of the bubble
	}
	key := clerk.APIKey(clerktest.MachineClaims{Subject: person.Subject, Name: "name-of-the-key"})
	machines := auth.Accept(clerkauth.APIKeys())(http.NotFoundHandler())
	names := []string{person.Subject, person.Organization.ID, person.Organization.Slug, "name@secret.example", session.ID, clerk.SecretKey(), key, "name-of-the-key", "nonce="}
	for _, token := range []string{clerk.Token(person), clerk.Forge(person), key, key + "x"} {
		Get(t.Context(), app, "/me", token)
		Get(t.Context(), machines, "/", token)
		names = append(names, token[len(token)-12:])
	}
	for _, c := range browser.Jar.Cookies(&url.URL{Scheme: "https", Host: "example.com", Path: "/"}) {
		if len(c.Value) > 16 {
			names = append(names, c.Value)
		}
	}
	if len(names) < 15 {
		t.Fatalf("only %d names: %q", len(names), names)
	}
	return names
}

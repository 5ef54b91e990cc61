package clerkauth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// With test keys the answer has the detail and the field of Config; with live keys never.
func TestAnswersHaveTheDetailWithTestKeysOnly(t *testing.T) {
	shown := 0
	for _, d := range diagnoses {
		for _, keys := range []string{"live", "test"} {
			d.options.Development = d.options.Development || keys == "test"
			t.Run(d.name+", "+keys, func(t *testing.T) {
				var refusal *clerkauth.Error
				a := d.app(t, &logged{}, func(c *clerkauth.Config) {
					if c.Satellite != nil {
						c.SignInURL = "https://primary.example/sign-in"
					}
					c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
						refusal = err
						clerkauth.DefaultErrorHandler(w, r, err)
					}
				})
				r := d.request(a)
				if d.options.Development && !strings.Contains(r.Header.Get("Cookie"), "__clerk_db_jwt") && d.reason != clerkauth.ReasonDevBrowserMissing {
					r.Header.Add("Cookie", "__clerk_db_jwt=dvb_hiddenbrowser0123")
				}
				for _, form := range []string{"application/json", "text/html"} {
					again := r.Clone(t.Context())
					again.Header.Set("Accept", form)
					refusal = nil
					w := serve(a.Require(greet), again)
					if refusal == nil || w.Code == http.StatusFound {
						return // a handshake
					}
					text := w.Body.String()
					wants := d.options.Development
					detail := fmt.Sprint(errors.Unwrap(refusal))
					if form == "application/json" {
						var answer struct {
							Errors []struct {
								Detail string
								Field  string `json:"config_field"`
							}
						}
						if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || len(answer.Errors) != 1 {
							t.Fatalf("answer %s: %v", w.Body, err)
						}
						got := answer.Errors[0]
						if wants && got.Detail != detail || !wants && got.Detail+got.Field != "" {
							t.Errorf("answer %+v, with the detail %q", got, detail)
						}
						if wants && refusal.Reason == d.reason && got.Field != d.field {
							t.Errorf("field %q, want %q", got.Field, d.field)
						}
						shown++
					} else if strings.Contains(text, "test keys only") != wants || strings.Contains(text, "Config.") != (wants && strings.Contains(text, "<code>Config."+d.field)) {
						t.Errorf("page %s, with the detail %q", text, detail)
					}
				}
			})
		}
	}
	if shown < len(diagnoses) {
		t.Errorf("only %d answers were looked at", shown)
	}
}

// Whoever is refused, and however: nothing of a token, a key, a cookie or of who it was shows in the error, its details, the
// answer, the log or the event.
func TestDetailsGiveNothingAway(t *testing.T) {
	for _, d := range diagnoses {
		for _, development := range []bool{false, true} {
			d.options.Development = d.options.Development || development
			t.Run(fmt.Sprintf("%s, test keys %t", d.name, d.options.Development), func(t *testing.T) {
				var log logged
				var everything strings.Builder
				var tell func(error)
				tell = func(err error) {
					if err == nil {
						return
					}
					fmt.Fprintf(&everything, "%v %+v %#v %q\n", err, err, err, err)
					encoded, _ := json.Marshal(err)
					everything.Write(encoded)
					switch e := err.(type) { //nolint:errorlint // the whole chain
					case interface{ Unwrap() error }:
						tell(e.Unwrap())
					case interface{ Unwrap() []error }:
						for _, inner := range e.Unwrap() {
							tell(inner)
						}
					}
				}
				a := d.app(t, &log, func(c *clerkauth.Config) {
					if c.Satellite != nil {
						c.SignInURL = "https://primary.example/sign-in"
					}
				})
				r := d.request(a)
				tell(a.AuthenticateRequest(r).Err)
				for _, accept := range []string{"application/json", "text/html"} {
					again := r.Clone(t.Context())
					again.Header.Set("Accept", accept)
					w := serve(a.Require(greet), again)
					if w.Code == http.StatusTemporaryRedirect {
						continue // Clerk gets what belongs to Clerk
					}
					w.Header().Del("Set-Cookie")
					fmt.Fprintln(&everything, w.Header(), w.Body)
				}
				if _, token, ok := strings.Cut(r.Header.Get("Authorization"), "Bearer "); ok {
					_, err := a.VerifyToken(t.Context(), token)
					tell(err)
				}
				for _, e := range a.events() {
					fmt.Fprintf(&everything, "%v %+v %#v\n", e, e, e)
					tell(e.Err)
				}
				everything.WriteString(log.String())
				secrets := append(pieces(a.clerk.SecretKey()[8:], a.clerk.PublishableKey()[8:]), "hidden", "dvb_", "rt_", "sess_2", "user_2")
				for _, sent := range []string{r.Header.Get("Authorization"), strings.Join(r.Header["Cookie"], ";")} {
					for _, part := range strings.FieldsFunc(sent, func(c rune) bool { return strings.ContainsRune("=;. ", c) }) {
						if !strings.HasPrefix(part, "__") {
							secrets = append(secrets, pieces(part)...)
						}
					}
				}
				if secret, ok := leaks(everything.String(), secrets); ok {
					t.Errorf("%q shows in\n%s", secret, everything.String())
				}
			})
		}
	}
}

// What people and programs are told is true.
func TestTrueMessages(t *testing.T) {
	development := newAppOf(t, clerktest.New(t, clerktest.Options{Development: true, Origins: []string{own}, Now: atNoon}))
	live := newApp(t)
	without := claim("azp", clerktest.Absent)
	for name, tt := range map[string]struct {
		a       *app
		sent    edit
		message string
		never   string
	}{
		"nothing":                            {live, all(), "You are not signed in.", "Nobody"},
		"development, nothing":               {development, all(), "No session token was sent.", "browser"},
		"development, a token and no cookie": {development, withoutBrowser(development.signedIn()), "This browser is not known to the development instance yet.", "No session token"},
		"a bearer token without azp":         {live, withBearer(live.token(without)), "The session token does not say for which origin it was issued.", "another origin"},
		"development, one without azp":       {development, withBearer(development.token(without)), "The session token does not say for which origin it was issued.", "another origin"},
		"a bearer token with another azp":    {live, withBearer(live.token(azp("https://www.example.com"))), "The session token was issued for another origin.", "does not say"},
		"from the future":                    {live, withBearer(live.token(claim("iat", at(8)))), "By the clock of this server the session token was issued in the future.", "key"},
	} {
		w := serve(tt.a.Require(greet), asking("GET", own+"/", tt.sent))
		var answer struct{ Errors []struct{ Message string } }
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || len(answer.Errors) != 1 || answer.Errors[0].Message != tt.message {
			t.Errorf("%s: %s, want the message %q", name, w.Body, tt.message)
		}
		if challenge := w.Header().Get("WWW-Authenticate"); strings.Contains(challenge, tt.never) {
			t.Errorf("%s: challenge %q speaks of %q", name, challenge, tt.never)
		}
	}
}

// withoutBrowser takes away the cookie of a development browser.
func withoutBrowser(e edit) edit {
	return func(r *http.Request) {
		e(r)
		for _, name := range []string{"__clerk_db_jwt", "__clerk_db_jwt_"} {
			r.Header.Set("Cookie", strings.ReplaceAll(r.Header.Get("Cookie"), name, "x"))
		}
	}
}

// ErrorHandler is told of the redirect that DefaultErrorHandler answers with, and sees no handshakes.
func TestErrorHandlerIsToldOfTheRedirect(t *testing.T) {
	var seen []string
	a := newApp(t, signIn, func(c *clerkauth.Config) {
		c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
			seen = append(seen, fmt.Sprint(err.StatusCode(), " ", err.Redirect(r)))
			clerkauth.DefaultErrorHandler(w, r, err)
		}
	})
	for _, tt := range []struct {
		r        *http.Request
		status   int
		redirect bool
		handled  int
	}{
		{navigating(own + "/page"), http.StatusFound, true, 1},
		{asking("GET", own+"/api"), http.StatusUnauthorized, false, 1},
		{asking("POST", own+"/page", headers("Accept: text/html")), http.StatusUnauthorized, false, 1},
		{navigating(own+"/page", headers("Cookie: __client_uat=1")), http.StatusTemporaryRedirect, false, 0},
	} {
		seen = nil
		w := serve(a.Require(greet), tt.r)
		if w.Code != tt.status || len(seen) != tt.handled {
			t.Errorf("%s %s: %d, seen %q; want %d, and %d errors", tt.r.Method, tt.r.URL, w.Code, seen, tt.status, tt.handled)
			continue
		}
		if want := "401 "; tt.handled == 1 {
			if tt.redirect {
				want += w.Header().Get("Location")
			}
			if seen[0] != want || tt.redirect != (w.Header().Get("Location") != "") {
				t.Errorf("%s %s: seen %q, want %q", tt.r.Method, tt.r.URL, seen, want)
			}
		}
	}
	if got := (&clerkauth.Error{Reason: clerkauth.ReasonTokenExpired}).Redirect(navigating(own + "/page")); got != "" {
		t.Errorf("without a decision: %q", got)
	}
}

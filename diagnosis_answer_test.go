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
	"github.com/clerkauth/clerkauth/internal/harness"
)

// With test keys the response has the detail and the field of Config; with live keys it never does.
func TestAnswersHaveTheDetailWithTestKeysOnly(t *testing.T) {
	shown := 0
	for _, d := range diagnoses {
		for _, keys := range []string{"live", "test"} {
			d.options.Development = d.options.Development || keys == "test"
			t.Run(d.name+", "+keys, func(t *testing.T) {
				var refusal *clerkauth.Error
				a := d.build(t, &harness.Log{}, func(c *clerkauth.Config) {
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
					w := harness.Serve(a.Require(harness.Greet), again)
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
							t.Fatalf("got %s (%v), want one error in JSON", w.Body, err)
						}
						got := answer.Errors[0]
						if wants && got.Detail != detail || !wants && got.Detail+got.Field != "" {
							t.Errorf("got %+v for the detail %q, want the detail only with test keys", got, detail)
						}
						if wants && refusal.Reason == d.reason && got.Field != d.field {
							t.Errorf("got field %q, want %q", got.Field, d.field)
						}
						shown++
					} else if strings.Contains(text, "test keys only") != wants || strings.Contains(text, "Config.") != (wants && strings.Contains(text, "<code>Config."+d.field)) {
						t.Errorf("got the page %s for the detail %q, want the detail only with test keys", text, detail)
					}
				}
			})
		}
	}
	if shown < len(diagnoses) {
		t.Errorf("only %d answers were checked, want %d", shown, len(diagnoses))
	}
}

// A refusal shows no token, key, cookie or person in the error, its details, the response, the log
// or the event.
func TestDetailsGiveNothingAway(t *testing.T) {
	for _, d := range diagnoses {
		for _, development := range []bool{false, true} {
			d.options.Development = d.options.Development || development
			t.Run(fmt.Sprintf("%s, test keys %t", d.name, d.options.Development), func(t *testing.T) {
				var log harness.Log
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
				a := d.build(t, &log, func(c *clerkauth.Config) {
					if c.Satellite != nil {
						c.SignInURL = "https://primary.example/sign-in"
					}
				})
				r := d.request(a)
				tell(a.AuthenticateRequest(r).Err)
				for _, accept := range []string{"application/json", "text/html"} {
					again := r.Clone(t.Context())
					again.Header.Set("Accept", accept)
					w := harness.Serve(a.Require(harness.Greet), again)
					if w.Code == http.StatusTemporaryRedirect {
						continue // Clerk may receive its own data
					}
					w.Header().Del("Set-Cookie")
					fmt.Fprintln(&everything, w.Header(), w.Body)
				}
				if _, token, ok := strings.Cut(r.Header.Get("Authorization"), "Bearer "); ok {
					_, err := a.VerifyToken(t.Context(), token)
					tell(err)
				}
				for _, e := range a.Events() {
					fmt.Fprintf(&everything, "%v %+v %#v\n", e, e, e)
					tell(e.Err)
				}
				everything.WriteString(log.String())
				secrets := append(harness.Pieces(a.Clerk.SecretKey()[8:], a.Clerk.PublishableKey()[8:]), "hidden", "dvb_", "rt_", "sess_2", "user_2")
				for _, sent := range []string{r.Header.Get("Authorization"), strings.Join(r.Header["Cookie"], ";")} {
					for _, part := range strings.FieldsFunc(sent, func(c rune) bool { return strings.ContainsRune("=;. ", c) }) {
						if !strings.HasPrefix(part, "__") {
							secrets = append(secrets, harness.Pieces(part)...)
						}
					}
				}
				if secret, ok := harness.Leaks(everything.String(), secrets); ok {
					t.Errorf("the secret %q is shown in\n%s", secret, everything.String())
				}
			})
		}
	}
}

// The messages for people and programs are true.
func TestTrueMessages(t *testing.T) {
	development := harness.NewAppOf(t, clerktest.New(t, clerktest.Options{Development: true, Origins: []string{harness.Origin}, Now: harness.AtNoon}))
	live := harness.NewApp(t)
	without := harness.Claim("azp", clerktest.Absent)
	for name, tt := range map[string]struct {
		a       *harness.App
		sent    harness.Edit
		message string
		never   string
	}{
		"nothing":                            {live, harness.All(), "You are not signed in.", "Nobody"},
		"development, nothing":               {development, harness.All(), "No session token was sent.", "browser"},
		"development, a token and no cookie": {development, withoutBrowser(development.SignedIn()), "This browser is not known to the development instance yet.", "No session token"},
		"a bearer token without azp":         {live, harness.WithBearer(tokenOf(live, without)), "The session token does not say for which origin it was issued.", "another origin"},
		"development, one without azp":       {development, harness.WithBearer(tokenOf(development, without)), "The session token does not say for which origin it was issued.", "another origin"},
		"a bearer token with another azp":    {live, harness.WithBearer(tokenOf(live, azp("https://www.example.com"))), "The session token was issued for another origin.", "does not say"},
		"from the future":                    {live, harness.WithBearer(tokenOf(live, harness.Claim("iat", harness.At(8)))), "The session token was issued in the future, according to the clock of this server.", "key"},
	} {
		w := harness.Serve(tt.a.Require(harness.Greet), harness.Request("GET", harness.Origin+"/", tt.sent))
		var answer struct{ Errors []struct{ Message string } }
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || len(answer.Errors) != 1 || answer.Errors[0].Message != tt.message {
			t.Errorf("%s: got %s, want the message %q", name, w.Body, tt.message)
		}
		if challenge := w.Header().Get("WWW-Authenticate"); strings.Contains(challenge, tt.never) {
			t.Errorf("%s: the challenge %q mentions %q", name, challenge, tt.never)
		}
	}
}

// withoutBrowser removes the cookie of a development browser.
func withoutBrowser(e harness.Edit) harness.Edit {
	return func(r *http.Request) {
		e(r)
		for _, name := range []string{"__clerk_db_jwt", "__clerk_db_jwt_"} {
			r.Header.Set("Cookie", strings.ReplaceAll(r.Header.Get("Cookie"), name, "x"))
		}
	}
}

// ErrorHandler can see the redirect of DefaultErrorHandler, and is not called for handshakes.
func TestErrorHandlerIsToldOfTheRedirect(t *testing.T) {
	var seen []string
	a := harness.NewApp(t, harness.SignIn, func(c *clerkauth.Config) {
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
		{navigating(harness.Origin + "/page"), http.StatusFound, true, 1},
		{harness.Request("GET", harness.Origin+"/api"), http.StatusUnauthorized, false, 1},
		{harness.Request("POST", harness.Origin+"/page", harness.Headers("Accept: text/html")), http.StatusUnauthorized, false, 1},
		{navigating(harness.Origin+"/page", harness.Headers("Cookie: __client_uat=1")), http.StatusTemporaryRedirect, false, 0},
	} {
		seen = nil
		w := harness.Serve(a.Require(harness.Greet), tt.r)
		if w.Code != tt.status || len(seen) != tt.handled {
			t.Errorf("%s %s: got %d, seen %q; want %d and %d errors", tt.r.Method, tt.r.URL, w.Code, seen, tt.status, tt.handled)
			continue
		}
		if want := "401 "; tt.handled == 1 {
			if tt.redirect {
				want += w.Header().Get("Location")
			}
			if seen[0] != want || tt.redirect != (w.Header().Get("Location") != "") {
				t.Errorf("%s %s: got %q, want %q", tt.r.Method, tt.r.URL, seen, want)
			}
		}
	}
	if got := (&clerkauth.Error{Reason: clerkauth.ReasonTokenExpired}).Redirect(navigating(harness.Origin + "/page")); got != "" {
		t.Errorf("without a decision: got %q, want none", got)
	}
}

package decision

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const (
	portalSignIn = "https://accounts.example.com/sign-in"
	backToPage   = "?redirect_url=https%3A%2F%2Fapp.example.com%2Fpage"
	forPage      = "Sec-Fetch-Dest: document"
	forScript    = "Sec-Fetch-Dest: empty"
)

// signInAt is a decider of an application with this sign-in page; empty: it has none.
func signInAt(t *testing.T, address string, changes ...func(*Settings)) *Decider {
	t.Helper()
	d := decider(t, changes...)
	if address == "" {
		return d
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	d.SignIn = u
	return d
}

func TestSignInTarget(t *testing.T) {
	for name, tc := range map[string]struct {
		d    *Decider
		path string
		want string
	}{
		"no sign-in page":                    {signInAt(t, ""), "/page", ""},
		"a development browser without one":  {signInAt(t, portalSignIn, testKeys), "/page", portalSignIn + backToPage},
		"the sign-in page":                   {signInAt(t, "/"), "/", ""},
		"a path that is malformed":           {signInAt(t, "/"), "/%zz", appOrigin + "/?redirect_url=https%3A%2F%2Fapp.example.com%2F%25zz"},
		"a sign-in page at a malformed host": {signInAt(t, "https://a..b/sign-in"), "/page", "https://a..b/sign-in" + backToPage},
	} {
		r := request(http.MethodGet, appOrigin+"/", forPage)
		r.RequestURI = tc.path
		if got := tc.d.SignInTarget(r, false); got != tc.want {
			t.Errorf("%s: SignInTarget(%s) = %q, want %q", name, tc.path, got, tc.want)
		}
	}
}

// A mistake is only reported of a page at one of the application's own origins that is the sign-in page, or that the
// browser was sent to as one.
func TestSignInMistake(t *testing.T) {
	const page = appOrigin + "/page"
	for name, tc := range map[string]struct {
		signIn, target, dest string
		pending              bool
		want                 error
	}{
		"the page":                      {"/sign-in", appOrigin + "/sign-in", forPage, false, errIsSignIn},
		"its whole address":             {appOrigin + "/sign-in", appOrigin + "/sign-in", forPage, false, errIsSignIn},
		"no sign-in page":               {"", appOrigin + "/sign-in", forPage, false, nil},
		"a script's request to it":      {"/sign-in", appOrigin + "/sign-in", forScript, false, nil},
		"with a task, at the tasks":     {"/sign-in", appOrigin + "/sign-in/tasks", forPage, true, errIsSignIn},
		"with a task, at the page":      {"/sign-in", appOrigin + "/sign-in", forPage, true, nil},
		"another page":                  {"/sign-in", page, forPage, false, nil},
		"another, sent to sign in":      {"/sign-in", page + backToPage, forPage, false, errSentToSignIn},
		"the same path at another host": {portalSignIn, appOrigin + "/sign-in", forPage, false, nil},
		"a host that is not listed":     {"https://evil.example.com/sign-in", "https://evil.example.com/sign-in", forPage, false, nil},
		"sent to sign in there":         {"/sign-in", "https://evil.example.com/page" + backToPage, forPage, false, nil},
	} {
		r := request(http.MethodGet, tc.target, tc.dest)
		if got := signInAt(t, tc.signIn, testKeys).SignInMistake(r, tc.pending); !errors.Is(got, tc.want) {
			t.Errorf("%s: SignInMistake(%s) = %v, want %v", name, tc.target, got, tc.want)
		}
	}
}

// The link returns to the page where that is possible, and the sign-in page does not link to itself.
func TestSignInLink(t *testing.T) {
	const page = appOrigin + "/page"
	for name, tc := range map[string]struct {
		signIn, target string
		lines          []string
		want           string
	}{
		"a page":                        {portalSignIn, page, []string{forPage}, portalSignIn + backToPage},
		"a script's request":            {portalSignIn, page, []string{forScript}, portalSignIn},
		"the page itself":               {"/sign-in", appOrigin + "/sign-in", []string{forPage}, ""},
		"the same path at another host": {"https://accounts.example.com/page", page, []string{forPage}, "https://accounts.example.com/page" + backToPage},
		"a host that is not listed":     {portalSignIn, "https://evil.example.com/page", []string{forPage}, portalSignIn},
		"an address that is too long":   {portalSignIn, page + "?a=" + strings.Repeat("b", maxAddress), []string{forPage}, portalSignIn},
		"two Authorization lines":       {portalSignIn, page, []string{forPage, "Authorization: Bearer a", "Authorization: Bearer b"}, ""},
	} {
		r := request(http.MethodGet, tc.target, tc.lines...)
		if got := signInAt(t, tc.signIn).SignInLink(r, false); got != tc.want {
			t.Errorf("%s: SignInLink = %q, want %q", name, got, tc.want)
		}
	}
}

func TestSignInAgain(t *testing.T) {
	nowhere := func(s *Settings) { s.Accounts = "" }
	for name, tc := range map[string]struct {
		d      *Decider
		method string
		want   string
		ok     bool
	}{
		"a form":                      {signInAt(t, "/sign-in"), http.MethodPost, "/sign-in/tasks", true},
		"a form, no page is known":    {signInAt(t, "", nowhere), http.MethodPost, "", true},
		"a page":                      {signInAt(t, "/sign-in"), http.MethodGet, "", false},
		"a page, of which only HEAD":  {signInAt(t, "/sign-in"), http.MethodHead, "", false},
		"a form, the portal is known": {signInAt(t, ""), http.MethodPost, portalSignIn + "/tasks", true},
	} {
		if got, ok := tc.d.SignInAgain(request(tc.method, appOrigin+"/page", forPage), true); got != tc.want || ok != tc.ok {
			t.Errorf("%s: SignInAgain(%s) = %q, %t, want %q, %t", name, tc.method, got, ok, tc.want, tc.ok)
		}
	}
}

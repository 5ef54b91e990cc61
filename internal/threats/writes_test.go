package threats_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// letter is a form that took more than a minute to fill in, sent from a page at https://example.com.
func letter(b *harness.App, token string, cookies ...string) *http.Request {
	r := b.Page(token, cookies...)
	r.Method, r.Body = http.MethodPost, io.NopCloser(strings.NewReader("text=hello"))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Origin", "https://example.com")
	r.Header.Set("Referer", "https://example.com/form")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// An expired session is refreshed for a write only where the browser shows that a page of this very
// origin sent it.
func TestWritesThatAreRefreshed(t *testing.T) {
	const off = ""
	for name, tc := range map[string]struct {
		method string
		header map[string]string // off removes a line
		want   clerkauth.Reason
	}{
		"a form":                           {"POST", nil, ""},
		"a form of a page without Referer": {"POST", map[string]string{"Referer": off, "Origin": "null"}, ""},
		"without Origin":                   {"POST", map[string]string{"Origin": off}, ""},
		"a fetch":                          {"POST", map[string]string{"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, ""},
		"a fetch in the mode same-origin":  {"POST", map[string]string{"Sec-Fetch-Mode": "same-origin", "Sec-Fetch-Dest": "empty"}, clerkauth.ReasonTokenExpired},
		"PUT":                              {"PUT", nil, ""},
		"PATCH":                            {"PATCH", nil, ""},
		"DELETE":                           {"DELETE", nil, ""},
		"QUERY":                            {"QUERY", nil, ""},
		"an old browser":                   {"POST", map[string]string{"Sec-Fetch-Site": off}, ""},
		"WebSocket":                        {"GET", map[string]string{"Upgrade": "websocket", "Sec-Fetch-Site": off}, ""},

		"a sibling subdomain":                       {"POST", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://blog.example.com"}, clerkauth.ReasonTokenExpired},
		"a sibling subdomain from an old browser":   {"POST", map[string]string{"Sec-Fetch-Site": off, "Origin": "https://blog.example.com"}, clerkauth.ReasonTokenExpired},
		"a sibling subdomain, told only by Origin":  {"POST", map[string]string{"Origin": "https://blog.example.com"}, clerkauth.ReasonTokenExpired},
		"a sibling subdomain, told only by Referer": {"POST", map[string]string{"Referer": "https://blog.example.com/"}, clerkauth.ReasonTokenExpired},
		"a listed party":                            {"POST", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://other.example.com"}, clerkauth.ReasonTokenExpired},
		"a listed party, told only by Origin":       {"POST", map[string]string{"Origin": "https://other.example.com"}, clerkauth.ReasonTokenExpired},
		"a listed party, told only by Referer":      {"POST", map[string]string{"Referer": "https://other.example.com/"}, clerkauth.ReasonTokenExpired},
		"a trusted origin":                          {"POST", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://pay.test", "Referer": off}, clerkauth.ReasonTokenExpired},
		"a trusted origin from an old browser":      {"POST", map[string]string{"Sec-Fetch-Site": off, "Origin": "https://pay.test", "Referer": off}, clerkauth.ReasonTokenExpired},
		"a trusted origin, told only by Origin":     {"POST", map[string]string{"Origin": "https://pay.test", "Referer": off}, clerkauth.ReasonTokenExpired},
		"a trusted origin, told only by Referer":    {"POST", map[string]string{"Referer": "https://pay.test/"}, clerkauth.ReasonTokenExpired},
		"null from an old browser":                  {"POST", map[string]string{"Sec-Fetch-Site": off, "Origin": "null"}, clerkauth.ReasonTokenExpired},
		"null of another site":                      {"POST", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "null", "Referer": off}, clerkauth.ReasonTokenExpired},
		"null in the mode of a worker":              {"POST", map[string]string{"Sec-Fetch-Mode": "same-origin", "Sec-Fetch-Dest": "empty", "Origin": "null"}, clerkauth.ReasonTokenExpired},
		"a form that a worker wrapped anew":         {"POST", map[string]string{"Sec-Fetch-Mode": "same-origin", "Sec-Fetch-Dest": "empty", "Referer": "https://example.com/worker.js"}, clerkauth.ReasonTokenExpired},
		"neither header":                            {"POST", map[string]string{"Sec-Fetch-Site": off, "Origin": off}, clerkauth.ReasonTokenExpired},
		"typed, which no write is":                  {"POST", map[string]string{"Sec-Fetch-Site": "none", "Origin": off}, clerkauth.ReasonTokenExpired},
		"a site that no browser names":              {"POST", map[string]string{"Sec-Fetch-Site": "SAME-ORIGIN"}, clerkauth.ReasonTokenExpired},
		"an http page":                              {"POST", map[string]string{"Sec-Fetch-Site": off, "Origin": "http://example.com", "Referer": off}, clerkauth.ReasonTokenExpired},
		"another port":                              {"POST", map[string]string{"Sec-Fetch-Site": off, "Origin": "https://example.com:8443", "Referer": off}, clerkauth.ReasonTokenExpired},
		"a host that is not listed":                 {"POST", map[string]string{"Host": "evil.test", "Origin": off, "Referer": off}, clerkauth.ReasonRequestHostNotAuthorized},
		"a form through a worker":                   {"POST", map[string]string{"Sec-Fetch-Dest": "empty"}, clerkauth.ReasonTokenExpired},
		"a worker, without Referer":                 {"POST", map[string]string{"Sec-Fetch-Mode": "same-origin", "Sec-Fetch-Dest": "empty", "Referer": off}, clerkauth.ReasonTokenExpired},
		"a report":                                  {"POST", map[string]string{"Sec-Fetch-Dest": "report"}, clerkauth.ReasonTokenExpired},
		"HEAD":                                      {"HEAD", map[string]string{"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, clerkauth.ReasonTokenExpired},
		"OPTIONS":                                   {"OPTIONS", nil, clerkauth.ReasonTokenExpired},
		"TRACE":                                     {"TRACE", nil, clerkauth.ReasonTokenExpired},
		"CONNECT":                                   {"CONNECT", nil, clerkauth.ReasonTokenExpired},
		"WebSocket of a sibling subdomain":          {"GET", map[string]string{"Upgrade": "websocket", "Sec-Fetch-Site": off, "Origin": "https://blog.example.com", "Referer": off}, cross},
		"WebSocket of a trusted origin":             {"GET", map[string]string{"Upgrade": "websocket", "Sec-Fetch-Site": off, "Origin": "https://pay.test", "Referer": off}, clerkauth.ReasonTokenExpired},
		"WebSocket of nobody":                       {"GET", map[string]string{"Upgrade": "websocket", "Sec-Fetch-Site": off, "Origin": off, "Referer": off}, clerkauth.ReasonTokenExpired},
	} {
		t.Run(name, func(t *testing.T) {
			b := harness.NewApp(t, func(c *clerkauth.Config) { c.TrustedOrigins = []string{"https://pay.test"} })
			b.AnswerRefreshes(0, "__session="+b.Clerk.Token(clerktest.Claims{})+"; Path=/")
			r := letter(b, b.Expired(clerktest.Claims{}), b.RefreshCookie())
			r.Method = tc.method
			if tc.header["Upgrade"] != "" {
				r.Header.Set("Sec-Fetch-Dest", "websocket")
				r.Header.Set("Sec-Fetch-Mode", "websocket")
			}
			for name, value := range tc.header {
				switch {
				case name == "Host":
					r.Host = value
				case value == off:
					r.Header.Del(name)
				default:
					r.Header.Set(name, value)
				}
			}
			state := b.AuthenticateRequest(r)
			if got := harness.Reason(t, state); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if requested := harness.Requests(b.Clerk, clerktest.BackendRefresh); (requested == 1) != (tc.want == "") {
				t.Errorf("%d refreshes were requested, want one: %t", requested, tc.want == "")
			}
			if (harness.SetCookies(state)["__session"] != nil) != (tc.want == "") {
				t.Errorf("got the header %v, want a session cookie: %t", state.Header, tc.want == "")
			}
			if tc.want == clerkauth.ReasonTokenExpired && errorStatus(state.Err) != http.StatusUnauthorized {
				t.Errorf("status %d, want 401", errorStatus(state.Err))
			}
		})
	}
}

// A header that was sent twice is ignored: it is unclear which value counts.
func TestDoubledHeadersRefreshNoWrite(t *testing.T) {
	b := harness.NewApp(t)
	b.AnswerRefreshes(0, "__session="+b.Clerk.Token(clerktest.Claims{})+"; Path=/")
	for name, values := range map[string][]string{
		"Sec-Fetch-Site": {"same-origin", "same-origin"},
		"Origin":         {"https://example.com", "https://example.com"},
		"Referer":        {"https://example.com/", "https://pay.test/"},
	} {
		r := letter(b, b.Expired(clerktest.Claims{}), b.NewRefreshCookie())
		r.Header[name] = values
		if state := b.AuthenticateRequest(r); state.Status == clerkauth.StatusSignedIn || harness.Requests(b.Clerk, clerktest.BackendRefresh) != 0 {
			t.Errorf("%s: got %v, want neither signed in nor refreshed", name, state.Status)
		}
	}
}

// A session cookie and a refresh cookie that a sibling subdomain planted renew nothing where this
// browser had another session, even if its own cookies are gone: the sibling subdomain could read
// what is written.
func TestPlantedRefreshCookieAndWrites(t *testing.T) {
	b := harness.NewApp(t)
	mine := b.PartyCookie(clerktest.Claims{SessionID: "sess_2mine"})
	planted := clerktest.Claims{SessionID: "sess_2planted", Subject: "user_2sibling"}
	b.AnswerRefreshes(0, "__session="+b.Clerk.Token(planted)+"; Path=/")
	state := b.AuthenticateRequest(letter(b, b.Expired(planted), b.RefreshCookie(), mine))
	harness.WantState(t, state, clerkauth.StatusSignedOut, clerkauth.ReasonTokenExpired)
	if err := errors.Unwrap(state.Err); err == nil || !strings.HasSuffix(err.Error(), "non-eligible-several-sessions") {
		t.Errorf("detail %v, want that there are several sessions", err)
	}
	upgrade := letter(b, b.Expired(planted), b.RefreshCookie(), mine)
	upgrade.Method = http.MethodGet
	upgrade.Header.Set("Upgrade", "websocket")
	upgrade.Header.Set("Sec-Fetch-Dest", "websocket")
	harness.WantState(t, b.AuthenticateRequest(upgrade), clerkauth.StatusSignedOut, clerkauth.ReasonTokenExpired)
	beside := letter(b, b.Expired(clerktest.Claims{SessionID: "sess_2mine"}), b.RefreshCookie())
	beside.Header.Add("Cookie", "__session="+b.Expired(planted))
	harness.WantState(t, b.AuthenticateRequest(beside), clerkauth.StatusSignedOut, clerkauth.ReasonTokenExpired)
	if n := harness.Requests(b.Clerk, clerktest.BackendRefresh); n != 0 {
		t.Errorf("asked %d times, want 0", n)
	}

	// A script's read is not a write: an account switch looks the same.
	harness.WantState(t, b.AuthenticateRequest(b.Script(b.Expired(planted), b.NewRefreshCookie(), mine)), clerkauth.StatusSignedIn, "")

	own := clerktest.Claims{SessionID: "sess_2mine"}
	state = b.AuthenticateRequest(letter(b, b.Expired(own), b.RefreshCookie(), mine))
	harness.WantState(t, state, clerkauth.StatusSignedOut, clerkauth.ReasonTokenExpired) // the answer is for the sibling subdomain's refresh cookie
	if harness.SetCookies(state)["__session"] != nil {
		t.Error("the other session's cookie is set")
	}
	b.AnswerRefreshes(0, "__session="+b.Clerk.Token(own)+"; Path=/")
	harness.WantState(t, b.AuthenticateRequest(letter(b, b.Expired(own), b.NewRefreshCookie(), mine)), clerkauth.StatusSignedIn, "")
}

// unread fails the test when it is read before it may be.
type unread struct {
	*testing.T
	io.Reader

	may bool
}

func (u *unread) Read(p []byte) (int, error) {
	if !u.may {
		u.Error("the body is read before the handler runs")
	}
	return u.Reader.Read(p)
}

// The handler gets the whole body, and the new cookies are sent with its response.
func TestRefreshedWriteKeepsItsBody(t *testing.T) {
	b := harness.NewApp(t)
	b.AnswerRefreshes(0, "__session="+b.Clerk.Token(clerktest.Claims{})+"; Path=/")
	r := letter(b, b.Expired(clerktest.Claims{}), b.RefreshCookie())
	body := &unread{T: t, Reader: strings.NewReader("text=hello")}
	r.Body = io.NopCloser(body)
	ran := 0
	w := harness.Serve(b.Optional(b.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran++
		body.may = true
		if r.FormValue("text") != "hello" {
			t.Errorf("the form is %v, want the text hello", r.Form)
		}
		w.Header().Set("Cache-Control", "public, max-age=60")
		http.Redirect(w, r, "/sent", http.StatusSeeOther)
	}))), r)
	if ran != 1 || w.Code != http.StatusSeeOther || !strings.Contains(strings.Join(w.Header()["Set-Cookie"], "\n"), "__session=ey") ||
		w.Header().Get("Cache-Control") != "private, no-store" {
		t.Errorf("the handler ran %d times, the response is %d %v, want once and a private response with the cookies", ran, w.Code, w.Header())
	}
	if n := harness.Requests(b.Clerk, clerktest.BackendRefresh); n != 1 {
		t.Errorf("asked %d times, want once for Optional and Require together", n)
	}
}

// Parallel writes refresh once.
func TestOneRefreshForManyWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := harness.NewApp(t)
		if err := b.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.AnswerRefreshes(time.Second, "__session="+b.Clerk.Token(clerktest.Claims{})+"; Path=/")
		token := b.Expired(clerktest.Claims{})
		var writes sync.WaitGroup
		for range 20 {
			writes.Go(func() {
				harness.WantState(t, b.AuthenticateRequest(letter(b, token, b.RefreshCookie())), clerkauth.StatusSignedIn, "")
			})
		}
		writes.Wait()
		if n := harness.Requests(b.Clerk, clerktest.BackendRefresh); n != 1 {
			t.Errorf("asked %d times, want 1", n)
		}
	})
}

// A Backend API that hangs costs a write two seconds. The response is then 503.
func TestWriteWhileRefreshHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := harness.NewApp(t)
		if err := b.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.Clerk.Fault(clerktest.BackendRefresh, clerktest.Hang)
		start := time.Now()
		w := httptest.NewRecorder()
		b.Require(harness.Greet).ServeHTTP(w, letter(b, b.Expired(clerktest.Claims{}), b.RefreshCookie()))
		if took := time.Since(start); took != 2*time.Second || w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("got %d after %s, %v, want 503 with Retry-After after 2s", w.Code, took, w.Header())
		}
	})
}

// Where a form's session cannot be refreshed, the page says how to send the form again; not so for
// another site's form.
func TestRefusedFormCanBeSentAgain(t *testing.T) {
	const ask = "go back one page and send it once more"
	form := harness.Headers("Accept: text/html", "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: same-origin", "Origin: https://example.com")
	pending := clerktest.Claims{Pending: true}
	for name, tc := range map[string]struct {
		signIn, method string
		edits          func(a *harness.App) harness.Edit
		link           string
		asks           bool
	}{
		"signed out": {"/sign-in?a=b&c", "POST", func(*harness.App) harness.Edit { return form }, "/sign-in?a=b&amp;c", true},
		"expired": {"https://accounts.example.com/in", "POST", func(a *harness.App) harness.Edit {
			return harness.All(form, a.WithCookies(a.Clerk.Token(clerktest.Claims{IssuedAt: harness.Noon.Add(-time.Hour)})))
		}, "https://accounts.example.com/in", true},
		"a task to do":       {"/sign-in", "PUT", func(a *harness.App) harness.Edit { return harness.All(form, a.WithCookies(a.Clerk.Token(pending))) }, "/sign-in/tasks", true},
		"the account portal": {"", "POST", func(*harness.App) harness.Edit { return form }, "https://accounts.example.com/sign-in", true},
		"a link": {"/sign-in", "GET", func(*harness.App) harness.Edit {
			return harness.All(form, harness.With("Sec-Fetch-Dest", "empty"), harness.With("Sec-Fetch-Mode", "cors"))
		}, "", false},
		"another site's form": {"/sign-in", "POST", func(*harness.App) harness.Edit {
			return harness.All(form, harness.With("Sec-Fetch-Site", "cross-site"), harness.With("Origin", "https://evil.test"))
		}, "", false},
		"a bearer token": {"/sign-in", "POST", func(*harness.App) harness.Edit { return harness.All(form, harness.WithBearer("x.y.z")) }, "", false},
		"may not":        {"/sign-in", "POST", func(a *harness.App) harness.Edit { return harness.All(form, a.SignedIn()) }, "", false},
	} {
		a := harness.NewApp(t, func(c *clerkauth.Config) { c.SignInURL = tc.signIn; c.FrontendAPIURL = "" })
		w := harness.Serve(a.Authorize(clerkauth.Role("org:admin"))(harness.Greet), harness.Request(tc.method, "https://example.com/", tc.edits(a)))
		page := w.Body.String()
		if got := strings.Contains(page, ask); got != tc.asks || w.Header().Get("Location") != "" {
			t.Errorf("%s: %d, asks to send it again: got %t, want %t\n%s", name, w.Code, got, tc.asks, page)
		}
		if got := strings.Contains(page, `<a href="`+tc.link+`" target="_blank" rel="noopener">`); got != (tc.link != "") {
			t.Errorf("got %s: want a link to %q:\n%s", name, tc.link, page)
		}
	}
	elsewhere := harness.NewApp(t, func(c *clerkauth.Config) { c.FrontendAPIURL = "http://127.0.0.1:4420" })
	if page := harness.Serve(elsewhere.Require(harness.Greet), harness.Request("POST", "https://example.com/", form)).Body.String(); !strings.Contains(page, ask) || strings.Contains(page, "<a ") {
		t.Errorf("the page of a simulated instance, which has no portal, does not say %q, or has a link:\n%s", ask, page)
	}
}

// InsecureSkipOriginCheck lets writes of other origins pass, but refreshes no session for them.
func TestSkippedOriginCheckRefreshesNoWrite(t *testing.T) {
	b := harness.NewApp(t, func(c *clerkauth.Config) { c.InsecureSkipOriginCheck = true })
	b.AnswerRefreshes(0, "__session="+b.Clerk.Token(clerktest.Claims{})+"; Path=/")
	r := letter(b, b.Expired(clerktest.Claims{}), b.RefreshCookie())
	r.Header.Set("Sec-Fetch-Site", "same-site")
	r.Header.Set("Origin", "https://blog.example.com")
	r.Header.Set("Referer", "https://blog.example.com/")
	harness.WantState(t, b.AuthenticateRequest(r), clerkauth.StatusSignedOut, clerkauth.ReasonTokenExpired)
	harness.WantState(t, b.AuthenticateRequest(letter(b, b.Clerk.Token(clerktest.Claims{}))), clerkauth.StatusSignedIn, "")
	if n := harness.Requests(b.Clerk, clerktest.BackendRefresh); n != 0 {
		t.Errorf("asked %d times, want 0", n)
	}
}

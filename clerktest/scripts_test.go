package clerktest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// script is Clerk's script in a page at an origin. It calls the Frontend API.
type script struct {
	t      *testing.T
	in     *clerktest.Instance
	origin string // empty: through a proxy of the page's own origin, without an Origin header
	token  string // of the browser, in development
	jar    http.CookieJar
}

const localhost = "http://localhost:3000"

// client is the part of an answer that is checked here.
type client struct {
	ID        string  `json:"id"`
	Sessions  []said  `json:"sessions"`
	Active    *string `json:"last_active_session_id"`
	UpdatedAt int64   `json:"updated_at"`
}

// said is the answer about a session, a sign-in or a verification.
type said struct {
	ID      string  `json:"id"`
	Status  string  `json:"status"`
	Created string  `json:"created_session_id"`
	Org     *string `json:"last_active_organization_id"`
	Token   *struct{ JWT string }
	Last    *struct{ JWT string }       `json:"last_active_token"`
	Factors []struct{ Strategy string } `json:"supported_first_factors"`
	Seconds []struct{ Strategy string } `json:"supported_second_factors"`
	User    struct {
		ID          string
		Memberships []struct {
			Role         string
			Permissions  []string
			Organization struct{ ID, Name, Slug string }
		} `json:"organization_memberships"`
	}
}

// openPage opens a page. In development it gets the browser's token.
func openPage(t *testing.T, in *clerktest.Instance, origin string) *script {
	t.Helper()
	p := &script{t: t, in: in, origin: origin, jar: newJar(t)}
	if strings.HasPrefix(in.PublishableKey(), "pk_test_") {
		var body struct{ ID string }
		decode(t, string(p.post("/v1/dev_browser", nil).body), &body)
		if p.token = body.ID; !strings.HasPrefix(p.token, "dvb_") {
			t.Fatalf("dev_browser answers %q, want a token dvb_…", p.token)
		}
	}
	return p
}

func (p *script) ask(method, path string, form url.Values) answer {
	p.t.Helper()
	target := strings.TrimSuffix(p.in.URL(clerktest.FrontendJWKS), "/.well-known/jwks.json") + path
	q := "?"
	if strings.Contains(path, "?") {
		q = "&"
	}
	if p.token != "" {
		target += q + "__clerk_db_jwt=" + p.token
	}
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if p.origin != "" {
		header.Set("Origin", p.origin)
	}
	return exchange(p.t, p.in, p.jar, method, target, form.Encode(), header)
}

func (p *script) post(path string, form url.Values) answer {
	p.t.Helper()
	return p.ask("POST", path, form)
}

// must returns the response and the client of an answer, which must be successful.
func (p *script) must(a answer) (said, client) {
	p.t.Helper()
	var body struct {
		Response said   `json:"response"`
		Client   client `json:"client"`
	}
	if a.status != http.StatusOK {
		p.t.Fatalf("got %d %s, want 200", a.status, a.body)
	}
	decode(p.t, string(a.body), &body)
	return body.Response, body.Client
}

// refused checks status and code of an answer.
func (p *script) refused(a answer, status int, code string) {
	p.t.Helper()
	if a.status != status || !strings.Contains(string(a.body), `"code":"`+code+`"`) {
		p.t.Errorf("got %d %s, want %d %s", a.status, a.body, status, code)
	}
}

// signIn signs in by ticket, as the scripts do.
func (p *script) signIn(person clerktest.Person) (session string) {
	p.t.Helper()
	s, c := p.must(p.post("/v1/client/sign_ins", url.Values{"strategy": {"ticket"}, "ticket": {p.in.Ticket(person)}}))
	if s.Status != "complete" || s.Created == "" || len(c.Sessions) != 1 || c.Sessions[0].ID != s.Created {
		p.t.Fatalf("the ticket starts %+v in %+v, want one session, complete", s, c)
	}
	return s.Created
}

var worker = clerktest.Person{
	Name: "Dora Lee",
	Claims: clerktest.Claims{
		Subject: "user_dora", Organization: clerkauth.Organization{ID: "org_a", Slug: "a", Role: "admin"},
		Permissions: []string{"org:x:read"}, Features: []string{"u:own"}, Plans: []string{"u:free", "o:team"},
	},
	Organizations: []clerkauth.Organization{{ID: "org_b", Slug: "b", Role: "org:member"}},
	Memberships: []clerktest.Membership{{
		Organization: clerkauth.Organization{ID: "org_c", Slug: "c", Role: "org:boss"}, Permissions: []string{"org:y:write"}, Plans: []string{"o:pro"},
	}},
}

func development(t *testing.T, change func(*clerktest.Options)) *clerktest.Instance {
	t.Helper()
	opts := clerktest.Options{Development: true, Origins: []string{localhost}, People: []clerktest.Person{worker, {Name: "Emil", Claims: clerktest.Claims{Subject: "user_emil"}}}}
	if change != nil {
		change(&opts)
	}
	return clerktest.New(t, opts)
}

func TestScriptsOfOtherSitesAreRefused(t *testing.T) {
	in := development(t, nil)
	honest := openPage(t, in, localhost)
	for _, origin := range []string{"https://evil.example", "null", "http://localhost:3001", "http://LOCALHOST:3000"} {
		p := &script{t: t, in: in, origin: origin, token: honest.token, jar: newJar(t)}
		for _, path := range []string{"/v1/client", "/v1/environment", "/v1/nowhere"} {
			a := p.ask("GET", path, nil)
			p.refused(a, http.StatusBadRequest, "origin_invalid")
			if got := a.header.Get("Access-Control-Allow-Origin"); got != "" || a.header.Get("Vary") != "Origin" {
				t.Errorf("%s from %s: allowed for %q, Vary %q, want \"\" \"Origin\"", path, origin, got, a.header.Get("Vary"))
			}
		}
	}
	for _, path := range []string{"/v1/client", "/v1/nowhere"} {
		a := honest.ask("GET", path, nil)
		if a.header.Get("Access-Control-Allow-Origin") != localhost || a.header.Get("Access-Control-Allow-Credentials") != "true" || a.header.Get("Vary") != "Origin" {
			t.Errorf("%s: header %s, want it readable for %s", path, a.header, localhost)
		}
	}
	if a := honest.ask("OPTIONS", "/v1/client", nil); a.status != http.StatusNoContent || a.header.Get("Access-Control-Allow-Origin") != localhost {
		t.Errorf("OPTIONS: got %d %s, want 204 for %s", a.status, a.header, localhost)
	}
}

func TestUnknownEndpointsSayWhatIsMissing(t *testing.T) {
	in := development(t, nil)
	p := openPage(t, in, localhost)
	a := p.post("/v1/client/sign_ups", nil)
	p.refused(a, http.StatusNotFound, "resource_not_found")
	if !strings.Contains(string(a.body), "POST /v1/client/sign_ups") {
		t.Errorf("the answer does not name the endpoint: %s", a.body)
	}
	if a := p.post("/v1/client?_method=PATCH", nil); a.status != http.StatusMethodNotAllowed || !strings.Contains(string(a.body), "PATCH /v1/client") {
		t.Errorf("an unknown method: got %d %s, want 405 that names it", a.status, a.body)
	}
	if a := exchange(t, in, nil, "GET", "https://api.clerk.com/v1/nothing", "", nil); a.status != http.StatusNotFound || !strings.Contains(string(a.body), "/v1/nothing") {
		t.Errorf("an unknown path of the Backend API: got %d %s, want 404 that names it", a.status, a.body)
	}
}

func TestBrowsersAreKnownByTheirToken(t *testing.T) {
	in := development(t, nil)
	p := openPage(t, in, localhost)
	p.signIn(worker)
	stranger := openPage(t, in, localhost)
	if _, c := stranger.must(stranger.ask("GET", "/v1/client", nil)); len(c.Sessions) != 0 || c.Active != nil {
		t.Errorf("another browser is signed in: %+v", c)
	}
	// With the cookie of a browser that is signed in, and without a valid token.
	for _, token := range []string{"", "dvb_unknown"} {
		lost := &script{t: t, in: in, origin: localhost, token: token, jar: newJar(t)}
		if token != "" {
			in.SignIn(lost.jar, worker)
		}
		for _, path := range []string{"/v1/client", "/v1/client/sessions/sess_x/tokens"} {
			method := map[bool]string{true: "GET", false: "POST"}[path == "/v1/client"]
			lost.refused(lost.ask(method, path, nil), http.StatusUnauthorized, "dev_browser_unauthenticated")
		}
	}
}

func TestTicketsAreGoodOnce(t *testing.T) {
	in := development(t, nil)
	p := openPage(t, in, localhost)
	ticket := in.Ticket(worker)
	form := url.Values{"strategy": {"ticket"}, "ticket": {ticket}}
	p.must(p.post("/v1/client/sign_ins", form))
	other := openPage(t, in, localhost)
	for _, ticket := range []string{ticket, "", "ticket_x"} {
		form.Set("ticket", ticket)
		other.refused(other.post("/v1/client/sign_ins", form), http.StatusUnprocessableEntity, "sign_in_token_cannot_be_used")
	}
	if n := len(in.BrowserSessions()); n != 1 {
		t.Errorf("%d sessions, want the one of the ticket", n)
	}
}

func TestSignInByCode(t *testing.T) {
	in := development(t, nil)
	p := openPage(t, in, localhost)
	p.refused(p.post("/v1/client/sign_ins", url.Values{"identifier": {"nobody@example.com"}}), 422, "form_identifier_not_found")
	p.refused(p.post("/v1/client/sign_ins", url.Values{"identifier": {"x"}, "strategy": {"password"}}), 422, "strategy_for_user_invalid")
	started, c := p.must(p.post("/v1/client/sign_ins", url.Values{"identifier": {"Dora-Lee+clerk_test@example.com"}}))
	if started.Status != "needs_first_factor" || len(started.Factors) != 1 || started.Factors[0].Strategy != "email_code" || len(c.Sessions) != 0 {
		t.Fatalf("with an identifier: got %+v, want needs_first_factor by email_code and no session", started)
	}
	again, _ := p.must(p.post("/v1/client/sign_ins", url.Values{"identifier": {"dora-lee+clerk_test@example.com"}}))
	p.refused(p.ask("GET", "/v1/client/sign_ins/"+started.ID, nil), 404, "resource_not_found") // another one replaced it
	path := "/v1/client/sign_ins/" + again.ID
	right := url.Values{"strategy": {"email_code"}, "code": {"424242"}}
	p.refused(p.post(path+"/attempt_first_factor", right), 422, "form_code_incorrect") // before it was sent
	p.must(p.post(path+"/prepare_first_factor", url.Values{"strategy": {"email_code"}}))
	p.refused(p.post(path+"/attempt_first_factor", url.Values{"code": {"424243"}}), 422, "form_code_incorrect")
	p.refused(openPage(t, in, localhost).post(path+"/attempt_first_factor", right), 404, "resource_not_found")
	if n := len(in.BrowserSessions()); n != 0 {
		t.Fatalf("%d sessions without the code, want none", n)
	}
	done, c := p.must(p.post(path+"/attempt_first_factor", right))
	if done.Status != "complete" || len(c.Sessions) != 1 || c.Sessions[0].User.ID != "user_dora" || c.Sessions[0].ID != done.Created {
		t.Errorf("with the code: got %+v in %+v, want one session of user_dora, complete", done, c)
	}
	p.refused(p.post(path+"/attempt_first_factor", right), 404, "resource_not_found") // it is complete
}

package clerktest_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// script is a script of Clerk in a page at an origin, which talks to the Frontend API as Clerk's do.
type script struct {
	t      *testing.T
	in     *clerktest.Instance
	origin string // empty: through a proxy of the page's own origin, which sends none
	token  string // of the browser, in development
	jar    http.CookieJar
}

const localhost = "http://localhost:3000"

// client is the part of an answer that is looked at here.
type client struct {
	ID        string  `json:"id"`
	Sessions  []said  `json:"sessions"`
	Active    *string `json:"last_active_session_id"`
	UpdatedAt int64   `json:"updated_at"`
}

// said is what scripts are told of a session, a sign-in or a verification.
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

// open is a page whose browser has a token, in development.
func openPage(t *testing.T, in *clerktest.Instance, origin string) *script {
	t.Helper()
	p := &script{t: t, in: in, origin: origin, jar: newJar(t)}
	if strings.HasPrefix(in.PublishableKey(), "pk_test_") {
		var body struct{ ID string }
		decode(t, string(p.post("/v1/dev_browser", nil).body), &body)
		if p.token = body.ID; !strings.HasPrefix(p.token, "dvb_") {
			t.Fatalf("dev_browser answers %q", p.token)
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

// must is the response and the client of an answer that is fine.
func (p *script) must(a answer) (said, client) {
	p.t.Helper()
	var body struct {
		Response said   `json:"response"`
		Client   client `json:"client"`
	}
	if a.status != http.StatusOK {
		p.t.Fatalf("got %d %s", a.status, a.body)
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
		p.t.Fatalf("the ticket begins %+v in %+v", s, c)
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
				t.Errorf("%s from %s: allowed for %q, Vary %q", path, origin, got, a.header.Get("Vary"))
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
		t.Errorf("OPTIONS: %d %s", a.status, a.header)
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
		t.Errorf("a method that is not there: %d %s", a.status, a.body)
	}
	if a := exchange(t, in, nil, "GET", "https://api.clerk.com/v1/nothing", "", nil); a.status != http.StatusNotFound || !strings.Contains(string(a.body), "/v1/nothing") {
		t.Errorf("Backend API: %d %s", a.status, a.body)
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
	// With the cookie of a browser that is signed in, and a token of none.
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
		t.Fatalf("with an identifier: %+v", started)
	}
	path := "/v1/client/sign_ins/" + started.ID
	right := url.Values{"strategy": {"email_code"}, "code": {"424242"}}
	p.refused(p.post(path+"/attempt_first_factor", right), 422, "form_code_incorrect") // before it was sent
	p.must(p.post(path+"/prepare_first_factor", url.Values{"strategy": {"email_code"}}))
	p.refused(p.post(path+"/attempt_first_factor", url.Values{"code": {"424243"}}), 422, "form_code_incorrect")
	p.refused(openPage(t, in, localhost).post(path+"/attempt_first_factor", right), 404, "resource_not_found")
	if n := len(in.BrowserSessions()); n != 0 {
		t.Fatalf("%d sessions without the code", n)
	}
	done, c := p.must(p.post(path+"/attempt_first_factor", right))
	if done.Status != "complete" || len(c.Sessions) != 1 || c.Sessions[0].User.ID != "user_dora" || c.Sessions[0].ID != done.Created {
		t.Errorf("with the code: %+v in %+v", done, c)
	}
	p.refused(p.post(path+"/attempt_first_factor", right), 404, "resource_not_found") // it is over
}

// claimsOf are the claims of a token that verifies.
func claimsOf(t *testing.T, in *clerktest.Instance, token string) map[string]any {
	t.Helper()
	if !verifies(t, token, published(t, mustAsk(t, in, clerktest.FrontendJWKS))) {
		t.Fatal("the token does not verify")
	}
	_, payload, _ := parts(t, token)
	var claims map[string]any
	decode(t, payload, &claims)
	return claims
}

// token asks for a token, as the scripts do.
func (p *script) mint(session string, form url.Values) map[string]any {
	p.t.Helper()
	a := p.post("/v1/client/sessions/"+session+"/tokens", form)
	if a.status != http.StatusOK {
		p.t.Fatalf("tokens: %d %s", a.status, a.body)
	}
	var body struct{ JWT string }
	decode(p.t, string(a.body), &body)
	return claimsOf(p.t, p.in, body.JWT)
}

func TestTokensAreForTheOriginThatAsks(t *testing.T) {
	other := "http://127.0.0.1:3000"
	in := development(t, func(o *clerktest.Options) { o.Origins = []string{localhost, other} })
	p := openPage(t, in, localhost)
	id := p.signIn(worker)
	for origin, want := range map[string]any{localhost: localhost, other: other, "": nil} {
		p.origin = origin
		got := p.mint(id, nil)
		if got["azp"] != want || got["sid"] != id || got["sub"] != "user_dora" || got["iss"] != in.Issuer() {
			t.Errorf("from %q: %v, want azp %v", origin, got, want)
		}
		_, c := p.must(p.ask("GET", "/v1/client", nil))
		if got := claimsOf(t, in, c.Sessions[0].Last.JWT); got["azp"] != want {
			t.Errorf("the client's token, from %q: %v, want azp %v", origin, got, want)
		}
	}
}

func TestOrganizationsAreSwitched(t *testing.T) {
	in := development(t, nil)
	p := openPage(t, in, localhost)
	id := p.signIn(worker)
	touch := "/v1/client/sessions/" + id + "/touch"
	for _, step := range []struct{ org, id, plans, fea string }{
		{"org_b", "org_b", "u:free", "u:own"}, {"", "", "u:free", "u:own"},
		{"org_c", "org_c", "o:pro,u:free", "o:y,u:own"}, {"org_a", "org_a", "o:team,u:free", "o:x,u:own"}, {"c", "org_c", "o:pro,u:free", "o:y,u:own"},
	} {
		s, _ := p.must(p.post(touch, url.Values{"active_organization_id": {step.org}}))
		if (s.Org == nil) != (step.id == "") || s.Org != nil && *s.Org != step.id {
			t.Errorf("touch %q: the session says %v", step.org, s.Org)
		}
		got := p.mint(id, nil)
		o, _ := got["o"].(map[string]any)
		if step.id == "" && o != nil || step.id != "" && o["id"] != step.id || got["pla"] != step.plans || got["fea"] != step.fea {
			t.Errorf("touch %q: token %v, want organization %q, plans %s, features %s", step.org, got, step.id, step.plans, step.fea)
		}
	}
	p.refused(p.post(touch, url.Values{"active_organization_id": {"org_x"}}), http.StatusForbidden, "not_a_member_in_organization")
	if o := p.mint(id, nil)["o"].(map[string]any); o["id"] != "org_c" {
		t.Errorf("after a refused switch the organization is %v", o)
	}
	// A token for another organization leaves the session as it is.
	if o := p.mint(id, url.Values{"organization_id": {"org_b"}})["o"].(map[string]any); o["id"] != "org_b" || o["rol"] != "member" {
		t.Errorf("a token for org_b says %v", o)
	}
	if o := p.mint(id, url.Values{"organization_id": {""}})["o"]; o != nil {
		t.Errorf("a token for no organization says %v", o)
	}
	p.refused(p.post("/v1/client/sessions/"+id+"/tokens", url.Values{"organization_id": {"org_x"}}), http.StatusForbidden, "not_a_member_in_organization")
	if o := p.mint(id, nil)["o"].(map[string]any); o["id"] != "org_c" {
		t.Errorf("other tokens changed the session to %v", o)
	}
}

func TestEndedSessionsAreRefused(t *testing.T) {
	for _, tt := range []struct{ path, status string }{
		{"/v1/client/sessions/%s/end", "ended"}, {"/v1/client/sessions/%s/remove", "removed"},
		{"/v1/client/sessions?_method=DELETE", ""}, {"/v1/client?_method=DELETE", ""},
	} {
		t.Run(tt.path, func(t *testing.T) {
			in := development(t, nil)
			p := openPage(t, in, localhost)
			id := p.signIn(worker)
			s, c := p.must(p.post(strings.ReplaceAll(tt.path, "%s", id), nil))
			if tt.status != "" && (s.Status != tt.status || s.Last != nil) || len(c.Sessions) != 0 || c.Active != nil || len(in.BrowserSessions()) != 0 {
				t.Errorf("it says %+v, leaves %+v and %d sessions", s, c, len(in.BrowserSessions()))
			}
			p.refused(p.post("/v1/client/sessions/"+id+"/tokens", nil), http.StatusUnauthorized, "authentication_invalid")
			p.refused(p.post("/v1/client/sessions/"+id+"/touch", nil), http.StatusNotFound, "resource_not_found")
			p.refused(p.ask("GET", "/v1/me?_clerk_session_id="+id, nil), http.StatusUnauthorized, "authentication_invalid")
		})
	}
}

func TestAnotherBrowsersSessionIsOutOfReach(t *testing.T) {
	in := development(t, nil)
	victim, thief := openPage(t, in, localhost), openPage(t, in, localhost)
	id := victim.signIn(worker)
	thief.signIn(clerktest.Person{Claims: clerktest.Claims{Subject: "user_emil"}})
	thief.refused(thief.post("/v1/client/sessions/"+id+"/tokens", nil), http.StatusUnauthorized, "authentication_invalid")
	for _, path := range []string{"/touch", "/end", "/remove", "/verify"} {
		thief.refused(thief.post("/v1/client/sessions/"+id+path, url.Values{"level": {"first_factor"}}), http.StatusNotFound, "resource_not_found")
	}
	thief.refused(thief.ask("GET", "/v1/me?_clerk_session_id="+id, nil), http.StatusUnauthorized, "authentication_invalid")
	victim.must(victim.ask("GET", "/v1/me?_clerk_session_id="+id, nil))
}

func TestUpdatedAtIsNotLaterThanATokensIat(t *testing.T) {
	at := noon
	in := development(t, func(o *clerktest.Options) { o.Now = func() time.Time { return at } })
	p := openPage(t, in, localhost)
	p.signIn(worker)
	at = at.Add(time.Hour)
	_, c := p.must(p.ask("GET", "/v1/client", nil))
	if c.UpdatedAt != noon.UnixMilli() {
		t.Errorf("updated_at %d, want the sign-in's %d", c.UpdatedAt, noon.UnixMilli())
	}
}

func TestMembershipsOfTheUser(t *testing.T) {
	in := development(t, nil)
	p := openPage(t, in, localhost)
	id := p.signIn(worker)
	a := p.ask("GET", "/v1/me/organization_memberships?limit=2&offset=1&_clerk_session_id="+id, nil)
	var body struct {
		Response struct {
			Data []struct {
				Role         string
				Organization struct{ ID string }
			}
			Total int `json:"total_count"`
		}
	}
	decode(t, string(a.body), &body)
	if r := body.Response; r.Total != 3 || len(r.Data) != 2 || r.Data[0].Organization.ID != "org_c" || r.Data[0].Role != "org:boss" || r.Data[1].Organization.ID != "org_b" {
		t.Errorf("memberships %+v", body.Response)
	}
	for _, name := range []string{"organization_invitations", "organization_suggestions"} {
		a := p.ask("GET", "/v1/me/"+name+"?_clerk_session_id="+id, nil)
		if !strings.Contains(string(a.body), `"response":{"data":[],"total_count":0}`) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

func TestProductionAnswersSetTheCookies(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{Now: atNoon, People: []clerktest.Person{worker}, Origins: []string{"https://app.example.com"}})
	p := openPage(t, in, "https://app.example.com")
	p.refused(p.post("/v1/dev_browser", nil), http.StatusBadRequest, "production_instance")
	cookies := func(a answer) (names []string) {
		for _, c := range cookiesOf(t, a.header["Set-Cookie"]) {
			value := c.Value
			if c.Name == "__client" {
				value = ""
			}
			names = append(names, c.Name+"="+value+" "+c.Domain)
		}
		return names
	}
	suffix := suffixOf(t, in)
	want := func(uat string) []string {
		return []string{"__client= ", "__client_uat=" + uat + " example.com", "__client_uat_" + suffix + "=" + uat + " example.com"}
	}
	if got := cookies(p.ask("GET", "/v1/client", nil)); !slices.Equal(got, want("0")) {
		t.Errorf("signed out: %q", got)
	}
	a := p.post("/v1/client/sign_ins", url.Values{"strategy": {"ticket"}, "ticket": {in.Ticket(worker)}})
	if got := cookies(a); !slices.Equal(got, want("1772625600")) {
		t.Errorf("signed in: %q", got)
	}
	_, c := p.must(p.ask("GET", "/v1/client", nil))
	if len(c.Sessions) != 1 {
		t.Errorf("the browser is not known by its cookie: %+v", c)
	}
	if got := cookies(p.post("/v1/client/sessions?_method=DELETE", nil)); !slices.Equal(got, want("0")) {
		t.Errorf("signed out again: %q", got)
	}
}

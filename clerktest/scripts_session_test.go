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

// claimsOf returns the claims of a token, which must verify.
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

// mint requests a token, as the scripts do.
func (p *script) mint(session string, form url.Values) map[string]any {
	p.t.Helper()
	a := p.post("/v1/client/sessions/"+session+"/tokens", form)
	if a.status != http.StatusOK {
		p.t.Fatalf("a request for a token: got %d %s, want 200", a.status, a.body)
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
			t.Errorf("from %q: got %v, want azp %v", origin, got, want)
		}
		_, c := p.must(p.ask("GET", "/v1/client", nil))
		if got := claimsOf(t, in, c.Sessions[0].Last.JWT); got["azp"] != want {
			t.Errorf("the client's token, from %q: got %v, want azp %v", origin, got, want)
		}
	}
}

func TestOrganizationsAreSwitched(t *testing.T) {
	in := development(t, nil)
	p := openPage(t, in, localhost)
	id := p.signIn(worker)
	touch := "/v1/client/sessions/" + id + "/touch"
	for _, step := range []struct{ org, id, plans, fea string }{
		{"org_b", "org_b", "u:free", "u:own"},
		{"", "", "u:free", "u:own"},
		{"org_c", "org_c", "o:pro,u:free", "o:y,u:own"},
		{"org_a", "org_a", "o:team,u:free", "o:x,u:own"},
		{"c", "org_c", "o:pro,u:free", "o:y,u:own"},
	} {
		s, _ := p.must(p.post(touch, url.Values{"active_organization_id": {step.org}}))
		if (s.Org == nil) != (step.id == "") || s.Org != nil && *s.Org != step.id {
			t.Errorf("touch %q: the session's organization is %v, want %q", step.org, s.Org, step.id)
		}
		got := p.mint(id, nil)
		o, _ := got["o"].(map[string]any)
		if step.id == "" && o != nil || step.id != "" && o["id"] != step.id || got["pla"] != step.plans || got["fea"] != step.fea {
			t.Errorf("touch %q: token %v, want organization %q, plans %s, features %s", step.org, got, step.id, step.plans, step.fea)
		}
	}
	p.refused(p.post(touch, url.Values{"active_organization_id": {"org_x"}}), http.StatusForbidden, "not_a_member_in_organization")
	if o := p.mint(id, nil)["o"].(map[string]any); o["id"] != "org_c" {
		t.Errorf("after a refused switch the organization is %v, want org_c", o)
	}
	// A token for another organization leaves the session as it is.
	if o := p.mint(id, url.Values{"organization_id": {"org_b"}})["o"].(map[string]any); o["id"] != "org_b" || o["rol"] != "member" {
		t.Errorf("a token for org_b has %v, want org_b as member", o)
	}
	if o := p.mint(id, url.Values{"organization_id": {""}})["o"]; o != nil {
		t.Errorf("a token for no organization has %v, want none", o)
	}
	p.refused(p.post("/v1/client/sessions/"+id+"/tokens", url.Values{"organization_id": {"org_x"}}), http.StatusForbidden, "not_a_member_in_organization")
	if o := p.mint(id, nil)["o"].(map[string]any); o["id"] != "org_c" {
		t.Errorf("other tokens changed the session's organization to %v, want org_c", o)
	}
}

// An organization may have no slug: an empty slug matches none.
func TestOrganizationWithoutASlugIsLeft(t *testing.T) {
	in := development(t, nil)
	p := openPage(t, in, localhost)
	id := p.signIn(clerktest.Person{Claims: clerktest.Claims{Organization: clerkauth.Organization{ID: "org_plain"}}})
	p.must(p.post("/v1/client/sessions/"+id+"/touch", url.Values{"active_organization_id": {""}}))
	if o := p.mint(id, nil)["o"]; o != nil {
		t.Errorf("the token's organization is %v, want none", o)
	}
}

func TestEndedSessionsAreRefused(t *testing.T) {
	for _, tt := range []struct{ path, status string }{
		{"/v1/client/sessions/%s/end", "ended"},
		{"/v1/client/sessions/%s/remove", "removed"},
		{"/v1/client/sessions?_method=DELETE", ""},
		{"/v1/client?_method=DELETE", ""},
	} {
		t.Run(tt.path, func(t *testing.T) {
			in := development(t, nil)
			p := openPage(t, in, localhost)
			id := p.signIn(worker)
			s, c := p.must(p.post(strings.ReplaceAll(tt.path, "%s", id), nil))
			if tt.status != "" && (s.Status != tt.status || s.Last != nil) || len(c.Sessions) != 0 || c.Active != nil || len(in.BrowserSessions()) != 0 {
				t.Errorf("got %+v, left %+v and %d sessions, want the status %q and no session", s, c, len(in.BrowserSessions()), tt.status)
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
		t.Errorf("got the memberships %+v, want 2 of 3: org_c as org:boss, org_b", body.Response)
	}
	for _, name := range []string{"organization_invitations", "organization_suggestions"} {
		a := p.ask("GET", "/v1/me/"+name+"?_clerk_session_id="+id, nil)
		if !strings.Contains(string(a.body), `"response":{"data":[],"total_count":0}`) {
			t.Errorf("%s: got %d %s, want an empty list", name, a.status, a.body)
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
		t.Errorf("signed out: got the cookies %q, want %q", got, want("0"))
	}
	a := p.post("/v1/client/sign_ins", url.Values{"strategy": {"ticket"}, "ticket": {in.Ticket(worker)}})
	if got := cookies(a); !slices.Equal(got, want("1772625600")) {
		t.Errorf("signed in: got the cookies %q, want %q", got, want("1772625600"))
	}
	_, c := p.must(p.ask("GET", "/v1/client", nil))
	if len(c.Sessions) != 1 {
		t.Errorf("the browser is not recognized by its cookie: %+v", c)
	}
	for _, cookie := range cookiesOf(t, a.header["Set-Cookie"]) {
		if cookie.Name == "__client" && (!cookie.HttpOnly || cookie.Value == c.ID || c.ID == "") {
			t.Errorf("scripts can read the browser's cookie: %s, ID %q", cookie, c.ID)
		}
	}
	if got := cookies(p.post("/v1/client/sessions?_method=DELETE", nil)); !slices.Equal(got, want("0")) {
		t.Errorf("signed out again: got the cookies %q, want %q", got, want("0"))
	}
}

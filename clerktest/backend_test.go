package clerktest_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// server calls the Backend API as Clerk's SDKs do. It returns the body of the answer, decoded.
func server[T any](t *testing.T, in *clerktest.Instance, method, path, body string, want int) T {
	t.Helper()
	target := strings.TrimSuffix(in.URL(clerktest.BackendJWKS), "/v1/jwks") + path
	a := exchange(t, in, nil, method, target, body, http.Header{"Authorization": {"Bearer " + in.SecretKey()}})
	if a.status != want {
		t.Fatalf("%s %s: got %d %s, want %d", method, path, a.status, a.body, want)
	}
	var v T
	decode(t, string(a.body), &v)
	return v
}

type user struct {
	ID     string
	First  string                   `json:"first_name"`
	Last   string                   `json:"last_name"`
	Emails []struct{ Email string } `json:"email_addresses"`
}

type list[T any] struct {
	Data  []T
	Total int `json:"total_count"`
}

func ids(users []user) []string {
	got := []string{}
	for _, u := range users {
		got = append(got, u.ID)
	}
	return got
}

func TestUsersAreListedAndCreated(t *testing.T) {
	in := development(t, nil)
	created := server[user](t, in, "POST", "/v1/users", `{"email_address":["new@example.com"],"first_name":"New","last_name":"One"}`, 200)
	if created.First != "New" || created.Last != "One" || !strings.HasPrefix(created.ID, "user_") {
		t.Errorf("created %+v, want New One with an ID user_…", created)
	}
	for query, want := range map[string][]string{
		"": {"user_dora", "user_emil", created.ID}, "limit=1&offset=1": {"user_emil"}, "offset=9": {},
		"email_address=NEW@example.com": {created.ID}, "email_address=x@example.com": {}, "query=dora": {"user_dora"},
		"user_id=user_emil&user_id=" + created.ID: {"user_emil", created.ID}, "limit=-1&offset=x": {"user_dora", "user_emil", created.ID},
	} {
		if got := ids(server[[]user](t, in, "GET", "/v1/users?"+query, "", 200)); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	if got := server[list[user]](t, in, "GET", "/v1/users?paginated=true&limit=1", "", 200); got.Total != 3 || len(got.Data) != 1 {
		t.Errorf("a page of users: got %+v, want 1 of 3", got)
	}
	if got := server[list[user]](t, in, "GET", "/v1/users/count?query=new", "", 200); got.Total != 1 {
		t.Errorf("%d users are new, want 1", got.Total)
	}
	if got := server[user](t, in, "GET", "/v1/users/"+created.ID, "", 200); got.ID != created.ID {
		t.Errorf("got the user %+v, want the ID %s", got, created.ID)
	}
	for body, status := range map[string]int{
		`{"email_address":["New@example.com"]}`: 422, `{"email_address":["a@b","c@d"]}`: 422, `{"email_address":["x"]}`: 422, "": 422, "{": 400,
	} {
		server[any](t, in, "POST", "/v1/users", body, status)
	}
	server[any](t, in, "GET", "/v1/users/user_x", "", 404)

	p := openPage(t, in, localhost)
	if s, _ := p.must(p.post("/v1/client/sign_ins", url.Values{"identifier": {"new@example.com"}})); s.Status != "needs_first_factor" {
		t.Errorf("a sign-in of the created user begins as %+v, want needs_first_factor", s)
	}
}

type session struct {
	ID     string
	User   string `json:"user_id"`
	Status string
}

func TestSessionsAreListedAndRevoked(t *testing.T) {
	in := development(t, nil)
	p := openPage(t, in, localhost)
	id := p.signIn(worker)
	guest := in.SignIn(nil, clerktest.Person{Claims: clerktest.Claims{Subject: "user_guest"}}) // not one of the people
	for query, want := range map[string]int{
		"user_id=user_dora": 1, "user_id=user_emil": 0, "status=active": 2, "status=ended": 0, "user_id=user_guest&status=active": 1,
	} {
		if got := server[list[session]](t, in, "GET", "/v1/sessions?paginated=true&"+query, "", 200); got.Total != want || len(got.Data) != want {
			t.Errorf("%s: got %+v, want %d", query, got, want)
		}
	}
	if got := server[session](t, in, "GET", "/v1/sessions/"+id, "", 200); got != (session{id, "user_dora", "active"}) {
		t.Errorf("got the session %+v, want %s of user_dora, active", got, id)
	}
	server[user](t, in, "GET", "/v1/users/user_guest", "", 200)
	if got := server[session](t, in, "POST", "/v1/sessions/"+id+"/revoke", "", 200); got.Status != "revoked" {
		t.Errorf("the revoked session is %+v, want the status revoked", got)
	}
	server[any](t, in, "GET", "/v1/sessions/"+id, "", 404)
	server[any](t, in, "POST", "/v1/sessions/"+id+"/revoke", "", 404)
	p.refused(p.post("/v1/client/sessions/"+id+"/tokens", nil), http.StatusUnauthorized, "authentication_invalid")
	if live := in.BrowserSessions(); len(live) != 1 || live[0].ID != guest.ID {
		t.Errorf("%d sessions are left, want the other's", len(live))
	}
}

func TestOrganizationsAndTheirMembers(t *testing.T) {
	in := development(t, nil)
	type organization struct{ ID, Slug string }
	type membership struct {
		Role         string
		Permissions  []string
		Organization organization
		User         struct {
			ID string `json:"user_id"`
		} `json:"public_user_data"`
	}
	if got := server[list[organization]](t, in, "GET", "/v1/organizations", "", 200); got.Total != 3 || got.Data[2] != (organization{"org_c", "c"}) {
		t.Errorf("got the organizations %+v, want 3, org_c last", got)
	}
	for _, name := range []string{"org_b", "b"} {
		if got := server[organization](t, in, "GET", "/v1/organizations/"+name, "", 200); got.ID != "org_b" {
			t.Errorf("organization %s: got %+v, want org_b", name, got)
		}
	}
	for _, path := range []string{"/v1/organizations/org_c/memberships", "/v1/users/user_dora/organization_memberships?offset=1&limit=1"} {
		got := server[list[membership]](t, in, "GET", path, "", 200).Data
		if len(got) != 1 || got[0].Role != "org:boss" || got[0].User.ID != "user_dora" || !slices.Equal(got[0].Permissions, []string{"org:y:write"}) {
			t.Errorf("%s: got %+v, want user_dora as org:boss with org:y:write", path, got)
		}
	}
	for _, path := range []string{"/v1/organizations/x", "/v1/organizations/x/memberships", "/v1/users/x/organization_memberships"} {
		server[any](t, in, "GET", path, "", 404)
	}
}

func TestSignInTokensSignIn(t *testing.T) {
	at := noon
	in := development(t, func(o *clerktest.Options) { o.Now = func() time.Time { return at } })
	type token struct{ Token, Status, User string }
	made := server[token](t, in, "POST", "/v1/sign_in_tokens", `{"user_id":"user_emil","expires_in_seconds":60}`, 200)
	late := server[token](t, in, "POST", "/v1/sign_in_tokens", `{"user_id":"user_emil","expires_in_seconds":60}`, 200)
	server[any](t, in, "POST", "/v1/sign_in_tokens", `{"user_id":"user_x"}`, 404)
	if made.Status != "pending" {
		t.Errorf("got the invitation %+v, want it pending", made)
	}
	p := openPage(t, in, localhost)
	form := url.Values{"strategy": {"ticket"}, "ticket": {made.Token}}
	if _, c := p.must(p.post("/v1/client/sign_ins", form)); c.Sessions[0].User.ID != "user_emil" {
		t.Errorf("the ticket signs in %+v, want user_emil", c)
	}
	at = at.Add(time.Minute)
	form.Set("ticket", late.Token)
	p.refused(p.post("/v1/client/sign_ins", form), 422, "sign_in_token_cannot_be_used")

	testing := server[struct {
		Token string
		Until int64 `json:"expires_at"`
	}](t, in, "POST", "/v1/testing_tokens", "", 200)
	if testing.Token == "" || testing.Until <= at.Unix() {
		t.Errorf("got the testing token %+v, want one that ends later", testing)
	}
}

func TestTheBackendAPIWantsTheSecretKeyEverywhere(t *testing.T) {
	in := development(t, nil)
	for _, pattern := range []string{
		"GET /v1/users", "POST /v1/users", "GET /v1/users/count", "GET /v1/users/user_dora", "GET /v1/users/user_dora/organization_memberships",
		"GET /v1/sessions", "GET /v1/sessions/x", "POST /v1/sessions/x/revoke", "GET /v1/organizations", "GET /v1/organizations/org_b",
		"GET /v1/organizations/org_b/memberships", "POST /v1/sign_in_tokens", "POST /v1/testing_tokens",
	} {
		method, path, _ := strings.Cut(pattern, " ")
		a := exchange(t, in, nil, method, "https://api.clerk.com"+path, `{"user_id":"user_dora"}`, http.Header{"Authorization": {"Bearer sk_test_x"}})
		if a.status != http.StatusUnauthorized || !strings.Contains(string(a.body), `"clerk_key_invalid"`) {
			t.Errorf("%s: got %d %s, want 401 clerk_key_invalid", pattern, a.status, a.body)
		}
	}
}

// TestProxiesShowTheSecretKey: a proxy of the Frontend API authenticates with the secret key. No
// other client may send it.
func TestProxiesShowTheSecretKey(t *testing.T) {
	in := development(t, nil)
	p := openPage(t, in, localhost)
	id := p.signIn(worker)
	target := strings.TrimSuffix(in.URL(clerktest.FrontendClient), "/v1/client") + "/v1/client?__clerk_db_jwt=" + p.token
	for _, tt := range []struct {
		name   string
		header http.Header
		want   int
	}{
		{"a proxy", http.Header{"Clerk-Proxy-Url": {localhost + "/__clerk"}, "Clerk-Secret-Key": {in.SecretKey()}}, 200},
		{"another key", http.Header{"Clerk-Proxy-Url": {localhost + "/__clerk"}, "Clerk-Secret-Key": {"sk_test_x"}}, 401},
		{"no key", http.Header{"Clerk-Proxy-Url": {localhost + "/__clerk"}}, 401},
		{"two keys", http.Header{"Clerk-Proxy-Url": {localhost + "/__clerk"}, "Clerk-Secret-Key": {in.SecretKey(), "x"}}, 401},
		{"no proxy", http.Header{"Clerk-Secret-Key": {in.SecretKey()}}, 400},
		{"in another header too", http.Header{"Clerk-Proxy-Url": {localhost}, "Clerk-Secret-Key": {in.SecretKey()}, "X": {in.SecretKey()}}, 400},
	} {
		a := exchange(t, in, nil, "GET", target, "", tt.header)
		if a.status != tt.want || (a.status == 200) != strings.Contains(string(a.body), id) {
			t.Errorf("%s: got %d %s, want %d", tt.name, a.status, a.body, tt.want)
		}
	}
}

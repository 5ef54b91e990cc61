package clerktest

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// backendRoutes are the endpoints of the Backend API, which servers and tests call with the secret key.
var backendRoutes = sync.OnceValue(func() *routes {
	a := newRoutes()
	add := func(name Endpoint, method, path string, h handler) { a.handle(name, method, path, withSecret(h)) }
	add(BackendJWKS, http.MethodGet, "/v1/jwks", (*Instance).serveKeys)
	add(BackendHandshake, http.MethodGet, "/v1/clients/handshake_payload", (*Instance).serveHandshakePayload)
	add(BackendRefresh, http.MethodPost, "/v1/sessions/{id}/refresh", (*Instance).serveRefresh)

	add(BackendUsers, http.MethodGet, "/v1/users", (*Instance).listUsers)
	add(BackendUsers, http.MethodPost, "/v1/users", (*Instance).createUser)
	add(BackendUsers, http.MethodGet, "/v1/users/count", (*Instance).countUsers)
	add(BackendUsers, http.MethodGet, "/v1/users/{id}", (*Instance).getUser)
	add(BackendOrganizations, http.MethodGet, "/v1/users/{id}/organization_memberships", (*Instance).listMembershipsOfUser)
	add(BackendSessions, http.MethodGet, "/v1/sessions", (*Instance).listSessions)
	add(BackendSessions, http.MethodGet, "/v1/sessions/{id}", (*Instance).getSession)
	add(BackendSessions, http.MethodPost, "/v1/sessions/{id}/revoke", (*Instance).revokeSession)
	add(BackendOrganizations, http.MethodGet, "/v1/organizations", (*Instance).listOrganizations)
	add(BackendOrganizations, http.MethodGet, "/v1/organizations/{id}", (*Instance).getOrganization)
	add(BackendOrganizations, http.MethodGet, "/v1/organizations/{id}/memberships", (*Instance).listMembershipsOfOrganization)
	add(BackendSignInTokens, http.MethodPost, "/v1/sign_in_tokens", (*Instance).createSignInToken)
	add(BackendTestingTokens, http.MethodPost, "/v1/testing_tokens", (*Instance).createTestingToken)

	add(BackendAPIKeys, http.MethodPost, "/api_keys", (*Instance).createAPIKey)
	add(BackendVerifyAPIKey, http.MethodPost, "/api_keys/verify", serveVerify(apiKey))
	a.handle(BackendVerifyM2M, http.MethodPost, "/m2m_tokens/verify", withMachineSecret(serveVerify(m2m)))
	add(BackendVerifyOAuth, http.MethodPost, "/oauth_applications/access_tokens/verify", serveVerify(oauth))
	return a
})

// withSecret lets requests through with exactly one Authorization header that has exactly the secret key.
func withSecret(next handler) handler {
	return func(in *Instance, w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Values("Authorization"); len(got) != 1 || !same(got[0], "Bearer "+in.secretKey) {
			refuse(w, http.StatusUnauthorized, "clerk_key_invalid", "The provided Clerk Secret Key is invalid.")
			return
		}
		next(in, w, r)
	}
}

// answerList sends one page of a list: the bare list, or with its total count if the request wants that.
func answerList(w http.ResponseWriter, r *http.Request, all []object) {
	page := page(r, all)
	if r.URL.Query().Get("paginated") != "true" {
		answerJSON(w, page["data"])
		return
	}
	answerJSON(w, page)
}

func refuseUnknown(w http.ResponseWriter, what string) {
	refuse(w, http.StatusNotFound, "resource_not_found", "No "+what+" was found with this ID.")
}

// readJSON decodes the body into v. An empty body leaves v unchanged.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(v)
	if err != nil && !errors.Is(err, io.EOF) { // an empty body
		refuse(w, http.StatusBadRequest, "request_body_invalid", "The body is not valid JSON, or does not have the expected form.")
		return false
	}
	return true
}

// matchingUsers are the people who match the filters of a list.
func (in *Instance) matchingUsers(r *http.Request) []object {
	q := r.URL.Query()
	word := strings.ToLower(q.Get("query"))
	list := []object{}
	for _, p := range in.people.all() {
		switch {
		case q.Has("user_id") && !slices.Contains(q["user_id"], p.id()):
		case q.Has("email_address") && !slices.ContainsFunc(q["email_address"], func(e string) bool { return strings.EqualFold(e, p.email()) }):
		case !strings.Contains(strings.ToLower(p.id()+"\n"+p.Name+"\n"+p.email()), word):
		default:
			list = append(list, in.describeUser(p))
		}
	}
	return list
}

func (in *Instance) listUsers(w http.ResponseWriter, r *http.Request) {
	answerList(w, r, in.matchingUsers(r))
}

func (in *Instance) countUsers(w http.ResponseWriter, r *http.Request) {
	answerJSON(w, object{"object": "total_count", "total_count": len(in.matchingUsers(r))})
}

func (in *Instance) getUser(w http.ResponseWriter, r *http.Request) {
	p, ok := in.person(r.PathValue("id"))
	if !ok {
		refuseUnknown(w, "user")
		return
	}
	answerJSON(w, in.describeUser(p))
}

func (in *Instance) createUser(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Email []string `json:"email_address"`
		First string   `json:"first_name"`
		Last  string   `json:"last_name"`
	}
	if !readJSON(w, r, &body) {
		return
	}
	if len(body.Email) != 1 || !strings.Contains(body.Email[0], "@") {
		refuse(w, http.StatusUnprocessableEntity, "form_param_format_invalid", "email_address must be a list of one address.")
		return
	}
	p := Person{Name: strings.TrimSpace(body.First + " " + body.Last), Email: body.Email[0], Claims: Claims{Subject: "user_" + rand.Text()}}
	if _, taken := in.people.find(func(known Person) bool { return strings.EqualFold(known.email(), p.Email) }); taken {
		refuse(w, http.StatusUnprocessableEntity, "form_identifier_exists", "That email address is taken.")
		return
	}
	in.people.add(p)
	answerJSON(w, in.describeUser(p))
}

func (in *Instance) listSessions(w http.ResponseWriter, r *http.Request) {
	q, list := r.URL.Query(), []object{}
	for _, s := range in.BrowserSessions() {
		o := in.sessionObject(s, s.current())
		fits := func(name string) bool { return !q.Has(name) || q.Get(name) == o[name] }
		if fits("user_id") && fits("client_id") && fits("status") {
			list = append(list, o)
		}
	}
	answerList(w, r, list)
}

func (in *Instance) getSession(w http.ResponseWriter, r *http.Request) {
	s := in.sessionByID(r.PathValue("id"))
	if s == nil {
		refuseUnknown(w, "session")
		return
	}
	answerJSON(w, in.sessionObject(s, s.current()))
}

func (in *Instance) revokeSession(w http.ResponseWriter, r *http.Request) {
	s := in.sessionByID(r.PathValue("id"))
	if s == nil {
		refuseUnknown(w, "session")
		return
	}
	s.SignOut()
	o := in.sessionObject(s, s.current())
	o["status"] = "revoked"
	answerJSON(w, o)
}

// organizations are all organizations that people are members of, and find returns one by its ID or slug.
func (in *Instance) organizations() (list []object, find func(string) (object, bool)) {
	byID := map[string]object{}
	for _, p := range in.people.all() {
		for _, m := range p.memberships() {
			byID[m.Organization.ID] = in.describeOrganization(m.Organization)
		}
	}
	list = slices.SortedFunc(maps.Values(byID), func(a, b object) int {
		return cmp.Compare(a["id"].(string), b["id"].(string)) //nolint:forcetypeassert // describeOrganization makes it one
	})
	return list, func(name string) (object, bool) {
		i := slices.IndexFunc(list, func(o object) bool { return o["id"] == name || name != "" && o["slug"] == name })
		if i < 0 {
			return nil, false
		}
		return list[i], true
	}
}

func (in *Instance) listOrganizations(w http.ResponseWriter, r *http.Request) {
	list, _ := in.organizations()
	answerJSON(w, page(r, list))
}

func (in *Instance) getOrganization(w http.ResponseWriter, r *http.Request) {
	_, find := in.organizations()
	o, ok := find(r.PathValue("id"))
	if !ok {
		refuseUnknown(w, "organization")
		return
	}
	answerJSON(w, o)
}

func (in *Instance) listMembershipsOfOrganization(w http.ResponseWriter, r *http.Request) {
	id, list := r.PathValue("id"), []object{}
	for _, p := range in.people.all() {
		described := in.describeMemberships(p)
		for i, m := range p.memberships() {
			if m.Organization.ID == id {
				list = append(list, described[i])
			}
		}
	}
	if len(list) == 0 {
		refuseUnknown(w, "organization")
		return
	}
	answerJSON(w, page(r, list))
}

func (in *Instance) listMembershipsOfUser(w http.ResponseWriter, r *http.Request) {
	p, ok := in.person(r.PathValue("id"))
	if !ok {
		refuseUnknown(w, "user")
		return
	}
	answerJSON(w, page(r, in.describeMemberships(p)))
}

func (in *Instance) createSignInToken(w http.ResponseWriter, r *http.Request) {
	var body struct {
		User    string `json:"user_id"`
		Seconds int64  `json:"expires_in_seconds"`
	}
	if !readJSON(w, r, &body) {
		return
	}
	p, ok := in.person(body.User)
	if !ok {
		refuseUnknown(w, "user")
		return
	}
	lasts := ticketLifetime
	if body.Seconds > 0 && body.Seconds < int64(ticketLifetime/time.Second) {
		lasts = time.Duration(body.Seconds) * time.Second
	}
	ticket, now, home := in.ticket(p, lasts), in.now().UnixMilli(), ""
	if len(in.origins) > 0 {
		home = in.origins[0] + "/?__clerk_ticket=" + ticket // Clerk's SignIn on that page uses it
	}
	answerJSON(w, object{
		"object": "sign_in_token", "id": "sit_" + rand.Text(), "user_id": p.id(), "token": ticket, "status": "pending",
		"url": home, "created_at": now, "updated_at": now,
	})
}

// createTestingToken makes the token that turns bot protection off, which this instance does not have.
func (in *Instance) createTestingToken(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, object{"object": "testing_token", "token": "tt_" + rand.Text(), "expires_at": in.now().Add(time.Hour).Unix()})
}

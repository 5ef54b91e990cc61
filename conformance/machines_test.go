package conformance_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
)

// A machineIdentity is what a machine's credential says.
type machineIdentity struct {
	Type, ID, Subject, Name, ClientID string
	Scopes                            []string
	Claims                            any
}

// The types of credentials, in the reference's words.
const (
	session = "session_token"
	apiKey  = "api_key"
	m2m     = "m2m_token"
	oauth   = "oauth_token"
)

// readMachine reads a recorded auth object of a machine.
func (who *identity) readMachine(auth map[string]any) {
	kind, _ := auth["tokenType"].(string)
	if kind != apiKey && kind != m2m && kind != oauth {
		return
	}
	who.Machine = machineIdentity{
		Type: kind, ID: text(auth["id"]), Subject: text(auth["subject"]), Name: text(auth["name"]), ClientID: text(auth["clientId"]),
		Claims: auth["claims"],
	}
	scopes, ok := textsIn(auth["scopes"])
	who.Machine.Scopes = scopes
	if auth["scopes"] != nil && !ok {
		who.Mistyped = append(who.Mistyped, "scopes")
	}
}

// identifyMachine converts this library's machine. The reference omits from the claims what every JWT has, and OAuth's
// altogether.
func identifyMachine(t *testing.T, m *clerkauth.Machine) *identity {
	t.Helper()
	var claims map[string]any
	if m.Type != clerkauth.OAuthToken {
		if err := m.Claims(&claims); err != nil {
			t.Error(err)
		}
	}
	if _, jwt := claims["iss"]; jwt {
		for _, name := range []string{"exp", "iat", "iss", "jti", "nbf", "sub"} {
			delete(claims, name)
		}
	}
	who := &identity{
		UserID: m.UserID, OrgID: m.OrganizationID, FirstFactorAge: never, SecondFactorAge: never,
		Machine: machineIdentity{Type: string(m.Type), ID: m.ID, Subject: m.Subject, Name: m.Name, ClientID: m.ClientID, Scopes: append([]string{}, m.Scopes...)},
	}
	if len(claims) > 0 {
		who.Machine.Claims = claims
	}
	return who
}

// accepts are the types that acceptsToken asks for, if it is another than sessions alone, and each is one.
func (c *recorded) accepts() []string {
	types, ok := c.Options.texts("acceptsToken")
	switch {
	case slices.Equal(types, []string{"any"}):
		return []string{session, apiKey, m2m, oauth}
	case string(c.Options["acceptsToken"]) == `"session_token"` || !ok:
		return nil
	}
	for _, name := range types {
		if !slices.Contains([]string{session, apiKey, m2m, oauth}, name) {
			return nil
		}
	}
	return types
}

// credential is the bearer token, with the scheme in any case; empty: there is none.
func (c *recorded) credential() string {
	scheme, rest, found := strings.Cut(strings.Join(c.Request.values("Authorization"), ", "), " ")
	switch bearer := strings.EqualFold(scheme, "Bearer"); {
	case !found && bearer, found && !bearer:
		return ""
	case !found:
		return scheme
	}
	word, _, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	if strings.EqualFold(word, "Bearer") {
		return "" // the scheme twice
	}
	return word
}

// machineKind is the type of the bearer token, by its looks; empty: no machine's.
func (c *recorded) machineKind() string {
	raw := c.credential()
	for prefix, kind := range map[string]string{"ak_": apiKey, "mt_": m2m, "oat_": oauth} {
		if strings.HasPrefix(raw, prefix) {
			return kind
		}
	}
	t := parseToken(raw)
	typ := text(t.head["typ"])
	switch {
	case !t.complete() || !t.canonical() || t.segments[2] == "":
		return ""
	case strings.HasPrefix(text(t.claims["sub"]), "mch_"):
		return m2m
	case typ == "at+jwt" || typ == "application/at+jwt":
		return oauth
	}
	return ""
}

// acceptsCredential reports that the bearer token is a machine's, of a type that is accepted.
func (c *recorded) acceptsCredential() bool { return slices.Contains(c.accepts(), c.machineKind()) }

// decidesMachine reports a case in which no session is read: only machines are accepted, or the credential looks like a machine's.
func (c *recorded) decidesMachine() bool {
	accepts := c.accepts()
	return len(accepts) > 0 && (!slices.Contains(accepts, session) || c.machineKind() != "")
}

// told is the result of Accept for a request.
type told struct {
	passed *http.Request // as the handler got it
	err    *clerkauth.Error
	people bool // the refusal is a session's
}

type toldKey struct{}

// askAccept decides the case's request with Accept. What it leaves to sessions is decided as without it.
func (c *recorded) askAccept(t *testing.T, auth *clerkauth.Authenticator, cfg clerkauth.Config, api *backend) outcome {
	t.Helper()
	cfg.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
		saw, _ := r.Context().Value(toldKey{}).(*told)
		state, _ := clerkauth.StateFromContext(r.Context())
		saw.err, saw.people = err, state != nil && (state.Err == error(err) || err.Reason == clerkauth.ReasonRequestHostNotAuthorized) //nolint:errorlint // the very same
		w.WriteHeader(err.StatusCode())
	}
	accepting, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	middleware, possible := c.middleware(accepting)
	if !possible {
		return outcome{Status: refused}
	}
	req, err := c.Request.build(t)
	if err != nil {
		t.Fatal(err)
	}
	c.sendOut(req)
	saw, w := &told{}, httptest.NewRecorder()
	req = req.WithContext(context.WithValue(req.Context(), toldKey{}, saw))
	middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { saw.passed = r })).ServeHTTP(w, req)
	got := outcome{Status: signedOut, Headers: map[string]string{}, Calls: api.requests()}
	if saw.passed != nil {
		if m, ok := clerkauth.MachineFromContext(saw.passed.Context()); ok {
			got.Status, got.Auth = signedIn, identifyMachine(t, m)
			return got
		}
	}
	if saw.err != nil && !saw.people {
		got.takeRefusal(t, req, saw.err)
		return got
	}
	api.serve(c.Backend)
	got = c.ask(t, auth, api)
	away := got.Location != nil // to a handshake, or back from one
	// Pictures are only refreshed where a session is required.
	if passed := saw.passed != nil; !c.showsInPage() && passed != (got.Status == signedIn && !got.Pending && !away) || away != (w.Code == http.StatusTemporaryRedirect) {
		t.Errorf("Accept lets it through: %t, with %d; without Accept it is %s, pending %t, redirected %t: want the same", passed, w.Code, got.Status, got.Pending, away)
	}
	return got
}

// middleware is Accept with the kinds in acceptsToken. It reports false if they can never be accepted.
func (c *recorded) middleware(auth *clerkauth.Authenticator) (h func(http.Handler) http.Handler, possible bool) {
	defer func() {
		if p := recover(); p != nil {
			h, possible = nil, false
		}
	}()
	var list []clerkauth.Credential
	for _, name := range c.accepts() {
		list = append(list, map[string]clerkauth.Credential{
			session: clerkauth.Sessions(), apiKey: clerkauth.APIKeys(), m2m: clerkauth.M2MTokens(), oauth: clerkauth.OAuthTokens(),
		}[name])
	}
	return auth.Accept(list[0], list[1:]...), true
}

// verifyPaths are where the reference asks about opaque credentials.
var verifyPaths = map[string][2]string{
	apiKey: {"/api_keys/verify", "secret"}, m2m: {"/m2m_tokens/verify", "token"}, oauth: {"/oauth_applications/access_tokens/verify", "access_token"},
}

// verified is what the recorded Backend API says about the bearer token; nil: nothing that can be read, or it is a JWT.
func (c *recorded) verified() map[string]any {
	kind := c.machineKind()
	status, body, ok := c.reply(http.MethodPost, verifyPaths[kind][0], nil)
	var said map[string]any
	if !ok || !c.opaque() || status != http.StatusOK || json.Unmarshal(body, &said) != nil {
		return nil
	}
	return said
}

func (c *recorded) opaque() bool {
	raw := c.credential()
	return c.machineKind() != "" && !strings.HasPrefix(raw, "ey")
}

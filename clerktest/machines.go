package clerktest

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// MachineID is the application's machine in Config, and the default recipient of M2M tokens.
const MachineID = "mch_2clerktest"

// MachineClaims describe the credential of a machine. The zero MachineClaims is an honest credential of a user, of a
// machine that may call MachineID, or of an OAuth application.
type MachineClaims struct {
	ID       string // of the credential, ak_…, mt_… or oat_… by its kind; empty: generated
	Subject  string // empty: "user_2clerktest", or "mch_2sender" for M2M tokens
	Name     string // of an API key; empty: "clerktest"
	ClientID string // of the OAuth application; empty: "client_2clerktest"
	Scopes   []string
	Audience []string  // aud of JWTs and of OAuth tokens; nil: none
	IssuedAt time.Time // zero: now

	// ExpiresAt is when it expires; zero: never, or for a JWT after Options.TokenLifetime.
	ExpiresAt time.Time

	Claims map[string]any // the application's own, for API keys and M2M tokens
	Header map[string]any // overrides the header of a JWT, see Claims
	Extra  map[string]any // overrides the payload of a JWT, or the Backend API's answer; Absent removes a member
}

func (c MachineClaims) filled(in *Instance, kind machineKind) MachineClaims {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&c.ID, kind.prefix+rand.Text())
	set(&c.Name, "clerktest")
	set(&c.ClientID, "client_2clerktest")
	if kind == m2m {
		set(&c.Subject, "mch_2sender")
		if c.Scopes == nil {
			c.Scopes = []string{MachineID}
		}
	}
	set(&c.Subject, defaultSubject)
	if c.Scopes == nil {
		c.Scopes = []string{}
	}
	if c.IssuedAt.IsZero() {
		c.IssuedAt = in.now()
	}
	return c
}

// machineKind is a kind of credential: its prefix, and its names in requests and answers.
type machineKind struct{ prefix, member, object, typ string }

var (
	apiKey = machineKind{"ak_", "secret", "api_key", "api_key"}
	m2m    = machineKind{"mt_", "token", "machine_to_machine_token", ""}
	oauth  = machineKind{"oat_", "access_token", "clerk_idp_oauth_access_token", "oauth:access_token"}
)

// machines are the opaque credentials of an instance.
type machines struct {
	mu  sync.Mutex
	all map[string]*credential
}

type credential struct {
	kind             machineKind
	claims           MachineClaims
	revoked, expired bool
}

// APIKey mints an API key.
func (in *Instance) APIKey(c MachineClaims) string { return in.mintOpaque(apiKey, c) }

// M2M mints an opaque machine-to-machine token.
func (in *Instance) M2M(c MachineClaims) string { return in.mintOpaque(m2m, c) }

// OAuth mints an opaque OAuth access token.
func (in *Instance) OAuth(c MachineClaims) string { return in.mintOpaque(oauth, c) }

func (in *Instance) mintOpaque(kind machineKind, c MachineClaims) string {
	secret := kind.prefix + rand.Text() + rand.Text()
	in.machines.add(secret, &credential{kind: kind, claims: c.filled(in, kind)})
	return secret
}

func (m *machines) add(secret string, c *credential) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all == nil {
		m.all = map[string]*credential{}
	}
	m.all[secret] = c
}

// M2MJWT mints a machine-to-machine token that is a JWT.
func (in *Instance) M2MJWT(c MachineClaims) string {
	c = c.filled(in, m2m)
	return in.mintJWT(c, map[string]any{"cat": "cl_B7d4PD333AAA", "typ": "JWT"}, map[string]any{"scopes": strings.Join(c.Scopes, " ")})
}

// OAuthJWT mints an OAuth access token that is a JWT (RFC 9068).
func (in *Instance) OAuthJWT(c MachineClaims) string {
	c = c.filled(in, oauth)
	return in.mintJWT(c, map[string]any{"typ": "at+jwt"}, map[string]any{"scope": strings.Join(c.Scopes, " "), "client_id": c.ClientID})
}

func (in *Instance) mintJWT(c MachineClaims, header, own map[string]any) string {
	key := in.keys.signing()
	if c.ExpiresAt.IsZero() {
		c.ExpiresAt = c.IssuedAt.Add(in.lifetime)
	}
	header["alg"], header["kid"] = "RS256", key.kid
	payload := merge(own, c.Claims)
	payload["iss"], payload["sub"], payload["jti"] = in.Issuer(), c.Subject, c.ID
	payload["iat"], payload["nbf"], payload["exp"] = c.IssuedAt.Unix(), c.IssuedAt.Add(-allowance).Unix(), c.ExpiresAt.Unix()
	if c.Audience != nil {
		payload["aud"] = c.Audience
	}
	return mint(in, Claims{RawHeader: encode(merge(header, c.Header)), RawPayload: encode(merge(payload, c.Extra))}, key)
}

// Revoke revokes an opaque credential. It panics if the instance did not mint it.
func (in *Instance) Revoke(opaque string) {
	in.machines.change(opaque, func(c *credential) { c.revoked = true })
}

// Expire ends an opaque credential, whatever its claims say. It panics if the instance did not mint it.
func (in *Instance) Expire(opaque string) {
	in.machines.change(opaque, func(c *credential) { c.expired = true })
}

func (m *machines) change(opaque string, change func(*credential)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.all[opaque]
	if !ok {
		panic("clerktest: this instance did not mint that credential")
	}
	change(c)
}

// MachineSecretKey is the secret key of the machine MachineID. It can verify M2M tokens.
func (in *Instance) MachineSecretKey() string { return in.machineKey }

// serveVerify answers whether an opaque credential of a kind is valid.
func serveVerify(kind machineKind) handler {
	return func(in *Instance, w http.ResponseWriter, r *http.Request) {
		body := map[string]string{}
		if !readJSON(w, r, &body) {
			return
		}
		in.machines.mu.Lock()
		defer in.machines.mu.Unlock()
		c, ok := in.machines.all[body[kind.member]]
		if !ok || c.kind != kind || bySecretOfMachine(in, r) && !slices.Contains(c.claims.Scopes, MachineID) {
			refuseUnknown(w, "credential")
			return
		}
		answerJSON(w, c.describe(in))
	}
}

func (c *credential) describe(in *Instance) object {
	milliseconds := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return t.UnixMilli()
	}
	expired := c.expired || !c.claims.ExpiresAt.IsZero() && !in.now().Before(c.claims.ExpiresAt)
	o := object{
		"object": c.kind.object, "id": c.claims.ID, "subject": c.claims.Subject, "scopes": c.claims.Scopes,
		"revoked": c.revoked, "revocation_reason": nil, "expired": expired, "expiration": milliseconds(c.claims.ExpiresAt),
		"created_at": milliseconds(c.claims.IssuedAt), "updated_at": milliseconds(c.claims.IssuedAt),
	}
	switch c.kind {
	case apiKey:
		o["type"], o["name"], o["claims"], o["created_by"], o["last_used_at"] = c.kind.typ, c.claims.Name, c.claims.Claims, nil, nil
	case m2m:
		o["claims"], o["last_used_at"] = c.claims.Claims, nil
	case oauth:
		o["type"], o["client_id"] = c.kind.typ, c.claims.ClientID
		if c.claims.Audience != nil {
			o["aud"] = c.claims.Audience
		}
	}
	return merge(o, c.claims.Extra)
}

// createAPIKey makes an API key and sends its secret, which no other answer contains.
func (in *Instance) createAPIKey(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Name    string         `json:"name"`
		Subject string         `json:"subject"`
		Scopes  []string       `json:"scopes"`
		Claims  map[string]any `json:"claims"`
		Seconds int64          `json:"seconds_until_expiration"`
	}
	if !readJSON(w, r, &body) {
		return
	}
	if body.Name == "" || body.Subject == "" || body.Seconds < 0 {
		refuse(w, http.StatusUnprocessableEntity, "form_param_missing", "name and subject are needed.")
		return
	}
	c := MachineClaims{Name: body.Name, Subject: body.Subject, Scopes: body.Scopes, Claims: body.Claims}
	if body.Seconds > 0 {
		c.ExpiresAt = in.now().Add(time.Duration(body.Seconds) * time.Second)
	}
	secret := in.APIKey(c)
	in.machines.mu.Lock()
	o := in.machines.all[secret].describe(in)
	in.machines.mu.Unlock()
	o["secret"] = secret
	answerJSON(w, o)
}

// bySecretOfMachine reports whether the request is from the machine MachineID, which may only verify tokens that are for
// it.
func bySecretOfMachine(in *Instance, r *http.Request) bool {
	got := r.Header.Values("Authorization")
	return len(got) == 1 && same(got[0], "Bearer "+in.machineKey)
}

// withMachineSecret lets requests through that have the secret key of the machine, or of the instance.
func withMachineSecret(next handler) handler {
	return func(in *Instance, w http.ResponseWriter, r *http.Request) {
		if bySecretOfMachine(in, r) {
			next(in, w, r)
			return
		}
		withSecret(next)(in, w, r)
	}
}

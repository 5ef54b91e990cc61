package machine

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/jose"
	"github.com/clerkauth/clerkauth/internal/reasons"
)

// endpoint is where and how a kind is verified, as in Clerk's OpenAPI document of the Backend API.
type endpoint struct {
	path   string
	member string // of the request
	object string // object of the answer
	typ    string // type of the answer; empty: it has none
	prefix string // of its ID
}

var endpoints = map[Kind]endpoint{
	APIKey: {"/api_keys/verify", "secret", "api_key", "api_key", "ak_"},
	M2M:    {"/m2m_tokens/verify", "token", "machine_to_machine_token", "", "mt_"},
	OAuth:  {"/oauth_applications/access_tokens/verify", "access_token", "clerk_idp_oauth_access_token", "oauth:access_token", "oat_"},
}

// readAnswer reads the Backend API's answer about a credential of a kind. Only a complete answer signs in, and only an
// answer that the credential is unknown, or no longer valid, refuses it, with the error as detail. Every other answer
// decides nothing.
func readAnswer(kind Kind, status int, content string) (*Claims, reasons.Reason, error) {
	switch status {
	case http.StatusOK:
		return readVerified(kind, content)
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, reasons.SecretKeyInvalid, nil
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		if namesErrors(content) { // only the credential can be wrong in the request
			return nil, reasons.TokenInvalid, errRefused
		}
	case http.StatusNotFound, http.StatusGone:
		if namesErrors(content) {
			return nil, reasons.TokenInvalid, errUnknown
		}
	}
	return nil, reasons.CredentialUnverifiable, nil
}

func readVerified(kind Kind, content string) (*Claims, reasons.Reason, error) {
	a := answer{kind: kind, claims: &Claims{Kind: kind}}
	members, err := jose.Object(content)
	if err != nil {
		return nil, reasons.CredentialUnverifiable, nil
	}
	for _, m := range members {
		a.read(m)
	}
	switch {
	case a.inactive && !a.malformed:
		return nil, reasons.TokenInvalid, errInactive
	case a.inactive || !a.whole():
		return nil, reasons.CredentialUnverifiable, nil
	case a.revoked == "true":
		return nil, reasons.TokenInvalid, errRevoked
	case a.expired == "true":
		return nil, reasons.TokenInvalid, errExpired
	}
	return a.claims, "", nil
}

// namesErrors reports whether content is an error of Clerk's, with codes. A proxy or a wrong address also answers 404, some
// with errors of their own.
func namesErrors(content string) bool {
	members, err := jose.Object(content)
	if err != nil {
		return false
	}
	for _, m := range members {
		if m.Name == "errors" {
			elements, ok := jose.Array(m.Raw)
			return ok && len(elements) > 0 && !slices.ContainsFunc(elements, func(e string) bool { return !hasCode(e) })
		}
	}
	return false
}

// hasCode reports whether one of the errors of an answer has a code.
func hasCode(raw string) bool {
	members, err := jose.Object(raw)
	return err == nil && slices.ContainsFunc(members, func(m jose.Member) bool {
		code, ok := jose.String(m.Raw)
		return m.Name == "code" && ok && code != ""
	})
}

// answer is an answer while it is read.
type answer struct {
	kind             Kind
	claims           *Claims
	object, typ      string
	revoked, expired string // as JSON
	inactive         bool   // active is false, perhaps the only member
	expiration       bool   // there is an expiration, or null
	malformed        bool
}

func (a *answer) read(m jose.Member) {
	c := a.claims
	switch m.Name {
	case "errors": // of answers that refuse
		a.malformed = true
	case "active": // false may be all that Clerk says about OAuth tokens
		a.inactive = a.kind == OAuth && m.Raw == "false"
		a.malformed = a.malformed || m.Raw != "true" && !a.inactive
	case "object":
		a.object = a.text(m.Raw)
	case "type":
		a.typ = a.text(m.Raw)
	case "id":
		c.ID = a.text(m.Raw)
	case "subject":
		c.Subject = a.text(m.Raw)
	case "name":
		c.Name = a.optional(m.Raw)
	case "client_id":
		c.ClientID = a.optional(m.Raw)
	case "scopes":
		if m.Raw != "null" {
			c.Scopes = a.list(m.Raw)
		}
	case "aud":
		a.readAudience(m.Raw)
	case "claims":
		if payload := strings.Clone(m.Raw); payload != "null" {
			_, err := jose.Object(payload)
			c.Payload, a.malformed = &payload, a.malformed || err != nil
		}
	case "revoked":
		a.revoked = m.Raw
	case "expired":
		a.expired = m.Raw
	case "expiration":
		c.ExpiresAt, a.expiration = a.milliseconds(m.Raw), true
	case "created_at":
		c.CreatedAt = a.milliseconds(m.Raw)
	}
}

// whole reports whether the answer has all required members, and those of the right credential.
func (a *answer) whole() bool {
	e := endpoints[a.kind]
	is := func(flag string) bool { return flag == "true" || flag == "false" }
	return !a.malformed && a.object == e.object && a.ofType(e.typ) &&
		strings.HasPrefix(a.claims.ID, e.prefix) && a.claims.ID != e.prefix && a.claims.Subject != "" &&
		is(a.revoked) && is(a.expired) && a.expiration &&
		(a.kind != M2M || strings.HasPrefix(a.claims.Subject, "mch_")) && (a.kind != OAuth || a.claims.ClientID != "")
}

// ofType reports whether the answer has this type. Clerk's document of OAuth tokens does not mention it, but its SDK reads
// it.
func (a *answer) ofType(typ string) bool {
	return a.typ == typ || a.typ == "" && a.kind == OAuth
}

func (a *answer) text(raw string) string {
	s, ok := jose.String(raw)
	a.malformed = a.malformed || !ok
	return strings.Clone(s)
}

func (a *answer) optional(raw string) string {
	if raw == "null" {
		return ""
	}
	return a.text(raw)
}

func (a *answer) list(raw string) []string {
	list, ok := texts(raw)
	a.malformed = a.malformed || !ok
	return list
}

// readAudience reads aud, a string or a list of strings. null: there is none.
func (a *answer) readAudience(raw string) {
	if s, ok := jose.String(raw); ok {
		a.claims.Audience = []string{s}
	} else if raw != "null" {
		a.claims.Audience = a.list(raw)
	}
}

// milliseconds reads a time of the Backend API; null: the zero Time.
func (a *answer) milliseconds(raw string) time.Time {
	if raw == "null" {
		return time.Time{}
	}
	ms, ok := jose.Integer(raw)
	if !ok || ms <= 0 || ms > lastMillisecond {
		a.malformed = true
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// lastMillisecond is in the last second of the year 9999, as for the times of tokens.
const lastMillisecond = 253402300799_000

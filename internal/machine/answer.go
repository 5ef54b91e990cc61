package machine

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/jose"
	"github.com/clerkauth/clerkauth/internal/reasons"
)

// endpoint is where a kind is verified, and how, as Clerk's OpenAPI document of the Backend API has it.
type endpoint struct {
	path   string
	member string // of the question
	object string // what the answer says it is
	typ    string // and its type; empty: it has none
	prefix string // of its ID
}

var endpoints = map[Kind]endpoint{
	APIKey: {"/api_keys/verify", "secret", "api_key", "api_key", "ak_"},
	M2M:    {"/m2m_tokens/verify", "token", "machine_to_machine_token", "", "mt_"},
	OAuth:  {"/oauth_applications/access_tokens/verify", "access_token", "clerk_idp_oauth_access_token", "oauth:access_token", "oat_"},
}

// readAnswer reads what the Backend API said about a credential of a kind. Only a whole answer signs in, and only one that
// says that the credential is not known, or not good any more, refuses it, for the error: everything else leaves it open.
func readAnswer(kind Kind, status int, content string) (*Claims, reasons.Reason, error) {
	switch status {
	case http.StatusOK:
		return readVerified(kind, content)
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, reasons.SecretKeyInvalid, nil
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		if namesErrors(content) { // the question has one part that can be wrong
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

// namesErrors reports whether content is an error of Clerk's, each with its code. A proxy or a wrong address answers 404 too, and
// some with errors of their own.
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

// hasCode reports whether one of the errors of an answer says which it is.
func hasCode(raw string) bool {
	members, err := jose.Object(raw)
	return err == nil && slices.ContainsFunc(members, func(m jose.Member) bool {
		code, ok := jose.String(m.Raw)
		return m.Name == "code" && ok && code != ""
	})
}

// answer is one that is being read.
type answer struct {
	kind             Kind
	claims           *Claims
	object, typ      string
	revoked, expired string // as JSON
	inactive         bool   // it says so, and maybe no more
	expiration       bool   // it says until when, or that there is no end
	malformed        bool
}

func (a *answer) read(m jose.Member) {
	c := a.claims
	switch m.Name {
	case "errors": // of answers that let nobody in
		a.malformed = true
	case "active": // false is all that Clerk says of some OAuth tokens
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

// whole reports whether the answer says all that it has to, and of what was asked.
func (a *answer) whole() bool {
	e := endpoints[a.kind]
	is := func(flag string) bool { return flag == "true" || flag == "false" }
	return !a.malformed && a.object == e.object && a.ofType(e.typ) &&
		strings.HasPrefix(a.claims.ID, e.prefix) && a.claims.ID != e.prefix && a.claims.Subject != "" &&
		is(a.revoked) && is(a.expired) && a.expiration &&
		(a.kind != M2M || strings.HasPrefix(a.claims.Subject, "mch_")) && (a.kind != OAuth || a.claims.ClientID != "")
}

// ofType reports whether the answer's type is that. Clerk's document of OAuth tokens leaves it out, and its SDK reads it.
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

// readAudience reads aud, a string or a list of them. null names nobody.
func (a *answer) readAudience(raw string) {
	if s, ok := jose.String(raw); ok {
		a.claims.Audience = []string{s}
	} else if raw != "null" {
		a.claims.Audience = a.list(raw)
	}
}

// milliseconds reads a date of the Backend API; null: the zero Time.
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

// lastMillisecond is in the last second of the year 9999, as for the dates of tokens.
const lastMillisecond = 253402300799_000

package sessiontoken

import (
	"sync/atomic"
	"time"

	"github.com/clerkauth/clerkauth/internal/jose"
)

// Claims is the payload of a token, to be used only when its signature is verified. It has nothing that depends on time,
// request or policy. It is shared between requests and, except for Attached, never changes.
type Claims struct {
	Sub, SID, Iss string
	AZP           Text
	Exp, Nbf, Iat Date

	// The rest is read after the signature is verified.

	Aud          []string
	Pending      bool // sts is "pending"
	Unreadable   bool // the organization's claims have a form that is not Clerk's
	Actor        Actor
	FactorAge    [2]time.Duration // since the first and the second factor; negative: never
	Organization Organization
	Permissions  []string
	Features     []string // with scope: "o:x", "u:x"
	Plans        []string

	// Pointers, because fmt follows only one under verbs that do not fit.

	Payload *string // JSON text; nil: it is in the token
	token   *string // nil: it is not cached

	// Attached is a value of the caller, for as long as the token is cached.
	Attached atomic.Value
}

// Organization is the active organization. Zero: none is active.
type Organization struct{ ID, Slug, Role string }

// Actor is who impersonates the user. Zero: nobody.
type Actor struct{ Subject, SessionID string }

// State distinguishes absent from malformed claims: Clerk omits claims, but never writes malformed ones.
type State uint8

// The states of a claim.
const (
	Absent State = iota
	Malformed
	Present
)

// Text is a string claim.
type Text struct {
	State State
	Value string
}

// Date is a NumericDate (RFC 7519 section 2) in whole seconds.
type Date struct {
	State State
	Unix  int64
}

// LastDate is the last second of the year 9999: beyond it, time.Time and other representations disagree.
const LastDate = 253402300799

// Time is zero unless the claim is present.
func (d Date) Time() time.Time {
	if d.State != Present {
		return time.Time{}
	}
	return time.Unix(d.Unix, 0)
}

// decodeClaims reads what is needed of a payload before its signature is verified. A claim of the wrong type is recorded as
// malformed, and refused later. Nothing is copied, since anybody can send long payloads. The members are for expand.
func decodeClaims(payload string) (*Claims, []jose.Member, error) {
	members, err := jose.Object(payload)
	if err != nil {
		return nil, nil, err
	}
	c := &Claims{Payload: &payload}
	for _, m := range members {
		c.decode(m)
	}
	return c, members, nil
}

func (c *Claims) decode(m jose.Member) {
	switch m.Name {
	case "sub":
		c.Sub, _ = jose.String(m.Raw)
	case "sid":
		c.SID, _ = jose.String(m.Raw)
	case "iss":
		c.Iss, _ = jose.String(m.Raw)
	case "azp":
		c.AZP = decodeText(m.Raw)
	case "exp":
		c.Exp = decodeDate(m.Raw)
	case "nbf":
		c.Nbf = decodeDate(m.Raw)
	case "iat":
		c.Iat = decodeDate(m.Raw)
	}
}

// expand reads the rest from the members of a payload whose signature was verified.
func (c *Claims) expand(members []jose.Member) {
	c.FactorAge = [2]time.Duration{-1, -1}
	var org organizationClaims
	for _, m := range members {
		c.expandMember(m, &org)
	}
	org.apply(c)
}

func (c *Claims) expandMember(m jose.Member, org *organizationClaims) {
	switch m.Name {
	case "aud":
		c.Aud = decodeAudience(m.Raw)
	case "sts":
		status, _ := jose.String(m.Raw)
		c.Pending = status == "pending"
	case "act":
		c.Actor = decodeActor(m.Raw)
	case "fva":
		c.FactorAge = decodeFactorAge(m.Raw)
	default:
		org.decode(m)
	}
}

func decodeText(raw string) Text {
	value, ok := jose.String(raw)
	if !ok {
		return Text{State: Malformed}
	}
	return Text{Present, value}
}

func decodeDate(raw string) Date {
	unix, ok := jose.Integer(raw)
	if !ok || unix > LastDate || unix < -LastDate {
		return Date{State: Malformed}
	}
	return Date{Present, unix}
}

// decodeAudience reads aud, a string or a list of strings (RFC 7519 section 4.1.3). Anything else is no audience.
func decodeAudience(raw string) []string {
	if one, ok := jose.String(raw); ok {
		return []string{one}
	}
	elements, _ := jose.Array(raw)
	list := make([]string, 0, len(elements))
	for _, e := range elements {
		one, ok := jose.String(e)
		if !ok {
			return nil
		}
		list = append(list, one)
	}
	return list
}

// decodeActor reads act (RFC 8693 section 4.1). An act that cannot be read is still an actor: an impersonation must never
// look like the user alone.
func decodeActor(raw string) Actor {
	if raw == "null" {
		return Actor{}
	}
	actor := Actor{Subject: unreadable}
	members, _ := jose.Object(raw)
	for _, m := range members {
		switch m.Name {
		case "sub":
			if sub, _ := jose.String(m.Raw); sub != "" {
				actor.Subject = sub
			}
		case "sid":
			actor.SessionID, _ = jose.String(m.Raw)
		}
	}
	return actor
}

// unreadable stands for an actor whose subject is not a string.
const unreadable = "unknown"

// decodeFactorAge reads fva, minutes since the first and the second factor, -1 for never. Anything else is never.
func decodeFactorAge(raw string) [2]time.Duration {
	never := [2]time.Duration{-1, -1}
	elements, _ := jose.Array(raw)
	if len(elements) != 2 {
		return never
	}
	var ages [2]time.Duration
	for i, e := range elements {
		minutes, ok := jose.Integer(e)
		if !ok || minutes < -1 || minutes > LastDate/60 {
			return never
		}
		ages[i] = time.Duration(min(minutes, maxMinutes)) * time.Minute
	}
	return ages
}

// maxMinutes keeps an age within a time.Duration.
const maxMinutes = int64(1<<63-1) / int64(time.Minute)

package clerkauth

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/clerkauth/clerkauth/internal/jose"
	"github.com/clerkauth/clerkauth/internal/origin"
)

// claims is the payload of a token whose signature was verified: what depends on neither time, request nor
// policy. It is shared between requests and, but for proof, never changes.
type claims struct {
	sub, sid, iss string
	azp           text
	aud           []string
	exp, nbf, iat date
	session       Session // without claims; copied for each request
	unreadable    bool    // the organization's claims have another form than Clerk's
	permissions   []string
	features      []string // with scope: "o:x", "u:x"
	plans         []string
	payload       *string // JSON text; a pointer, because fmt follows one, Session.claims, under verbs that do not fit

	proof atomic.Pointer[partyProof] // the one thing that is not of the token: what its requests need again and again
}

// state tells absent from malformed: one is how Clerk leaves a claim out, the other is not from Clerk.
type state uint8

const (
	absent state = iota
	malformed
	present
)

// text is a string claim.
type text struct {
	state state
	value string
}

// date is a NumericDate (RFC 7519 section 2) in whole seconds.
type date struct {
	state state
	unix  int64
}

// lastDate is the last second of the year 9999: beyond it time.Time and other people's dates disagree.
const lastDate = 253402300799

func (d date) time() time.Time {
	if d.state != present {
		return time.Time{}
	}
	return time.Unix(d.unix, 0)
}

// decodeClaims reads of a payload what has to be known before its signature is verified. A claim of the wrong type is
// remembered as malformed, for judge to refuse in its turn. Nothing is copied, however long the payload is: anybody can
// send one. The members are for expand.
func decodeClaims(payload string) (*claims, []jose.Member, error) {
	members, err := jose.Object(payload)
	if err != nil {
		return nil, nil, err
	}
	c := &claims{payload: &payload}
	for _, m := range members {
		c.decode(m)
	}
	return c, members, nil
}

func (c *claims) decode(m jose.Member) {
	switch m.Name {
	case "sub":
		c.sub, _ = jose.String(m.Raw)
	case "sid":
		c.sid, _ = jose.String(m.Raw)
	case "iss":
		c.iss, _ = jose.String(m.Raw)
	case "azp":
		c.azp = decodeText(m.Raw)
	case "exp":
		c.exp = decodeDate(m.Raw)
	case "nbf":
		c.nbf = decodeDate(m.Raw)
	case "iat":
		c.iat = decodeDate(m.Raw)
	}
}

// expand reads everything else out of the members of a payload whose signature was verified.
func (c *claims) expand(members []jose.Member) {
	c.session = Session{ID: c.sid, UserID: c.sub, AuthorizedParty: c.azp.value, FactorAge: [2]time.Duration{-1, -1}}
	c.session.ExpiresAt, c.session.NotBefore, c.session.IssuedAt = c.exp.time(), c.nbf.time(), c.iat.time()
	var org organizationClaims
	for _, m := range members {
		c.expandMember(m, &org)
	}
	org.settle(c)
}

func (c *claims) expandMember(m jose.Member, org *organizationClaims) {
	switch m.Name {
	case "aud":
		c.aud = decodeAudience(m.Raw)
	case "sts":
		status, _ := jose.String(m.Raw)
		c.session.Pending = status == "pending"
	case "act":
		c.session.Actor = decodeActor(m.Raw)
	case "fva":
		c.session.FactorAge = decodeFactorAge(m.Raw)
	default:
		org.decode(m)
	}
}

func decodeText(raw string) text {
	value, ok := jose.String(raw)
	if !ok {
		return text{state: malformed}
	}
	return text{present, value}
}

func decodeDate(raw string) date {
	unix, ok := jose.Integer(raw)
	if !ok || unix > lastDate || unix < -lastDate {
		return date{state: malformed}
	}
	return date{present, unix}
}

// decodeAudience reads aud, a string or a list of them (RFC 7519 section 4.1.3). Anything else is nobody.
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

// decodeActor reads act (RFC 8693 section 4.1). Something that is there and cannot be read still is an actor:
// an impersonation must never look like the user alone.
func decodeActor(raw string) Actor {
	if raw == "null" {
		return Actor{}
	}
	actor := Actor{Subject: unreadable}
	members, err := jose.Object(raw)
	if err != nil {
		return actor
	}
	for _, m := range members {
		switch m.Name {
		case "sub":
			if sub, ok := jose.String(m.Raw); ok && sub != "" {
				actor.Subject = sub
			}
		case "sid":
			actor.SessionID, _ = jose.String(m.Raw)
		}
	}
	return actor
}

// unreadable stands for an actor whose subject is not a name.
const unreadable = "unknown"

// decodeFactorAge reads fva, minutes since the first and second factor, -1 for never. Anything else is never.
func decodeFactorAge(raw string) [2]time.Duration {
	never := [2]time.Duration{-1, -1}
	elements, ok := jose.Array(raw)
	if !ok || len(elements) != 2 {
		return never
	}
	ages := never
	for i, e := range elements {
		minutes, ok := jose.Integer(e)
		if !ok || minutes < -1 || minutes > lastDate/60 {
			return never
		}
		if minutes >= 0 {
			ages[i] = time.Duration(min(minutes, maxMinutes)) * time.Minute
		}
	}
	return ages
}

// maxMinutes keeps an age within a time.Duration.
const maxMinutes = int64(1<<63-1) / int64(time.Minute)

// policy is what a verified token is judged by.
type policy struct {
	list          origin.List
	allow         func(ctx context.Context, origin, host string) bool
	any           bool
	bearerWithout bool
	cookieWithout bool
	audience      []string
	issuers       []string
	party         partyKey
	skew          time.Duration
}

// judge says what is wrong with verified claims, or nothing. It runs for every request, whether or not the
// signature was verified for this one. The first that fails is the reason.
func judge(ctx context.Context, c *claims, k Carrier, f *facts, p *policy, now time.Time) Reason {
	switch {
	case c.sub == "", c.sid == "", c.unreadable, !p.forMe(c):
		return ReasonTokenVerificationFailed
	}
	if reason := p.judgeParty(ctx, c, k, f, now); reason != "" {
		return reason
	}
	if !slices.Contains(p.issuers, c.iss) {
		return ReasonTokenIssuer
	}
	return p.judgeTime(c, now)
}

// forMe reports whether the audience is met. Without one set, aud is not read.
func (p *policy) forMe(c *claims) bool {
	if len(p.audience) == 0 {
		return true
	}
	return slices.ContainsFunc(c.aud, func(a string) bool { return slices.Contains(p.audience, a) })
}

// judgeParty is the allowlist: azp names the origin that the token was issued for.
func (p *policy) judgeParty(ctx context.Context, c *claims, k Carrier, f *facts, now time.Time) Reason {
	if p.any {
		return ""
	}
	switch {
	case p.allows(ctx, c.azp.value, f):
		return ""
	case c.azp.state != absent:
		return ReasonTokenInvalidParties
	case k != CarrierBearer:
		return p.judgeMissing(ctx, c, f, now)
	case p.bearerWithout:
		return ""
	}
	return ReasonTokenInvalidParties
}

// judgeMissing judges a token that a browser brought by itself and that does not say for whom it was minted.
func (p *policy) judgeMissing(ctx context.Context, c *claims, f *facts, now time.Time) Reason {
	if p.cookieWithout || p.partyHolds(ctx, c, f, now) {
		return ""
	}
	return ReasonTokenMissingAzp
}

// judgeTime reads exp, nbf and iat, in Clerk's order: an expired token is expired, whatever else it is.
func (p *policy) judgeTime(c *claims, now time.Time) Reason {
	switch {
	case c.exp.state != present:
		return ReasonTokenVerificationFailed
	case p.past(c.exp, now):
		return ReasonTokenExpired
	case c.nbf.state == malformed:
		return ReasonTokenVerificationFailed
	case p.ahead(c.nbf, now):
		return ReasonTokenNotActiveYet
	case c.iat.state == malformed:
		return ReasonTokenVerificationFailed
	case p.ahead(c.iat, now):
		return ReasonTokenFromTheFuture
	}
	return ""
}

// past reports whether d has come, leeway given: dates are whole seconds, so that the last whole second decides.
func (p *policy) past(d date, now time.Time) bool {
	return d.state == present && d.unix <= now.Add(-p.skew).Unix()
}

// ahead reports whether d has not come yet, leeway given.
func (p *policy) ahead(d date, now time.Time) bool {
	return d.state == present && d.unix > now.Add(p.skew).Unix()
}

package decision

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/origin"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// Policy is what a verified token is judged by.
type Policy struct {
	List          origin.List
	Allow         func(ctx context.Context, origin, host string) bool // nil: the list alone decides
	Any           bool                                                // any azp is accepted
	BearerWithout bool                                                // bearer tokens need no azp
	CookieWithout bool                                                // cookies need no azp
	Audience      []string                                            // empty: aud is not read
	Issuers       []string
	ProxyPath     string // an origin of List followed by this path is an issuer, too; empty: none is
	Party         PartyKey
	Skew          time.Duration
}

// judge says what is wrong with verified claims; empty: nothing. It runs for every request, even if the signature was
// verified for an earlier one. The first check that fails gives the reason.
func (p *Policy) judge(ctx context.Context, c *sessiontoken.Claims, from TokenSource, f *inbound.Request, now time.Time) reasons.Reason {
	switch {
	case c.Sub == "", c.SID == "", c.Unreadable, !p.forMe(c):
		return reasons.TokenVerificationFailed
	}
	if reason := p.judgeParty(ctx, c, from, f, now); reason != "" {
		return reason
	}
	if !p.Issues(c.Iss) {
		return reasons.TokenIssuer
	}
	return p.judgeTime(c, now)
}

// Issues reports whether tokens of an issuer are the instance's: it is one of Issuers, or the address of the Frontend API's
// proxy at an origin of the list. Allow is not called for it.
func (p *Policy) Issues(iss string) bool {
	if slices.Contains(p.Issuers, iss) {
		return true
	}
	base, ok := strings.CutSuffix(iss, p.ProxyPath)
	return p.ProxyPath != "" && ok && (strings.HasPrefix(base, "https://") || strings.HasPrefix(base, "http://")) && p.List.Match(base)
}

// forMe reports whether the audience is met. Without one set, aud is not read.
func (p *Policy) forMe(c *sessiontoken.Claims) bool {
	if len(p.Audience) == 0 {
		return true
	}
	return slices.ContainsFunc(c.Aud, func(a string) bool { return slices.Contains(p.Audience, a) })
}

// judgeParty is the allowlist: azp names the origin that the token was issued for.
func (p *Policy) judgeParty(ctx context.Context, c *sessiontoken.Claims, from TokenSource, f *inbound.Request, now time.Time) reasons.Reason {
	if p.Any {
		return ""
	}
	switch {
	case p.allows(ctx, c.AZP.Value, f):
		return ""
	case c.AZP.State != sessiontoken.Absent:
		return reasons.TokenInvalidParties
	case from != FromBearer:
		return p.judgeMissing(ctx, c, f, now)
	case p.BearerWithout:
		return ""
	}
	return reasons.TokenInvalidParties
}

// judgeMissing judges a token that a browser brought by itself and that does not say for whom it was minted.
func (p *Policy) judgeMissing(ctx context.Context, c *sessiontoken.Claims, f *inbound.Request, now time.Time) reasons.Reason {
	if p.CookieWithout || p.partyHolds(ctx, c, f, now) {
		return ""
	}
	return reasons.TokenMissingAZP
}

// judgeTime reads exp, nbf and iat, in Clerk's order: an expired token is expired, whatever else it is.
func (p *Policy) judgeTime(c *sessiontoken.Claims, now time.Time) reasons.Reason {
	switch {
	case c.Exp.State != sessiontoken.Present:
		return reasons.TokenVerificationFailed
	case p.past(c.Exp, now):
		return reasons.TokenExpired
	case c.Nbf.State == sessiontoken.Malformed:
		return reasons.TokenVerificationFailed
	case p.ahead(c.Nbf, now):
		return reasons.TokenNotActiveYet
	case c.Iat.State == sessiontoken.Malformed:
		return reasons.TokenVerificationFailed
	case p.ahead(c.Iat, now):
		return reasons.TokenFromTheFuture
	}
	return ""
}

// past reports whether d has passed, even with the leeway. Dates are whole seconds, so whole seconds are compared. For most
// tokens the first comparison is enough, as the leeway is never negative.
func (p *Policy) past(d sessiontoken.Date, now time.Time) bool {
	return d.State == sessiontoken.Present && d.Unix <= now.Unix() && d.Unix <= now.Add(-p.Skew).Unix()
}

// ahead reports whether d is still ahead, even with the leeway.
func (p *Policy) ahead(d sessiontoken.Date, now time.Time) bool {
	return d.State == sessiontoken.Present && d.Unix > now.Unix() && d.Unix > now.Add(p.Skew).Unix()
}

// allows asks the list, and then AllowParty, which sees origins in normal form only.
func (p *Policy) allows(ctx context.Context, party string, f *inbound.Request) bool {
	if p.List.Match(party) {
		return true
	}
	return p.Allow != nil && origin.Normal(party) && p.ask(ctx, party, f)
}

// ask calls AllowParty with an origin in normal form, once in a decision: the result may change meanwhile, or need a query.
// There are only a few origins: of the tokens that are judged, of Host, Origin and Referer.
func (p *Policy) ask(ctx context.Context, party string, f *inbound.Request) bool {
	for _, judged := range f.Judged {
		if judged.Origin == party {
			return judged.Allowed
		}
	}
	allowed := p.Allow(ctx, party, f.Host())
	f.Judged = append(f.Judged, inbound.JudgedOrigin{Origin: party, Allowed: allowed})
	return allowed
}

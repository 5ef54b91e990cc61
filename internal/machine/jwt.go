package machine

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/jose"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/redact"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// verifyJWT verifies a JWT with the instance's keys, unless it was verified before.
func (v *Verifier) verifyJWT(ctx context.Context, c Credential, now time.Time) Result {
	if c.known != nil {
		return Result{Claims: c.known, Hit: true}
	}
	if !c.token.Category {
		return Result{Reason: reasons.TokenInvalid, Detail: errCategory}
	}
	keys, reason := v.sessions.VerifyMachine(ctx, c.token, now)
	switch {
	case reason.CannotTell():
		return Result{Reason: reason, Detail: c.token.Detail(reason)}
	case reason != "": // Clerk has one reason for everything that is wrong with such a token
		return Result{Reason: reasons.TokenVerificationFailed, Detail: c.token.Detail(reason)}
	}
	claims, ok := newClaims(c.Kind, c.token)
	if !ok {
		return Result{Reason: reasons.TokenVerificationFailed, Detail: errScopes}
	}
	v.jwts.Put(strings.Clone(c.raw), keys.Generation, now, v.sessions.Keys().End(keys, now), claims.ExpiresAt.Add(v.Skew), claims)
	return Result{Claims: claims}
}

// newClaims reads the claims specific to such tokens from one whose signature was verified.
func newClaims(kind Kind, t *sessiontoken.MachineToken) (*Claims, bool) {
	c := &Claims{
		Kind: kind, Subject: t.Sub, Audience: t.Aud, Payload: t.Payload,
		CreatedAt: t.Iat.Time(), ExpiresAt: t.Exp.Time(),
		jwt: true, iss: t.Iss, exp: t.Exp, nbf: t.Nbf, iat: t.Iat,
	}
	var scopes []string
	ok, given := true, false
	for _, m := range t.Members {
		switch {
		case m.Name == "jti":
			c.ID, _ = jose.String(m.Raw)
		case m.Name == "client_id" && kind == OAuth:
			c.ClientID, _ = jose.String(m.Raw)
		case m.Name == "scopes" && kind == M2M, m.Name == "scope" && kind == OAuth:
			text, isText := jose.String(m.Raw)
			ok, given = ok && isText, true
			c.Scopes = strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }) // RFC 6749 section 3.3
		case m.Name == "scp" && kind == OAuth:
			var isList bool
			scopes, isList = texts(m.Raw)
			ok = ok && isList
		}
	}
	switch {
	case scopes != nil: // of both, Clerk's own SDK reads scp
		c.Scopes = scopes
	case kind == M2M && !given:
		c.Scopes = slices.Clone(t.Aud)
	}
	return c, ok
}

// texts is a JSON list of strings; not nil if it is one.
func texts(raw string) ([]string, bool) {
	elements, ok := jose.Array(raw)
	list := make([]string, 0, len(elements))
	for _, e := range elements {
		s, isText := jose.String(e)
		if !isText {
			return nil, false
		}
		list = append(list, s)
	}
	return list, ok
}

// judgeJWT checks issuer and times of a JWT whose signature was verified.
func (v *Verifier) judgeJWT(c *Claims, now time.Time) error {
	switch {
	case c.Subject == "":
		return errSubject
	case !v.Issues(c.iss):
		return sessiontoken.IssuerError{Seen: redact.See(c.iss), Expected: v.Issuers}
	case c.exp.State != sessiontoken.Present:
		return errNoExp
	case c.exp.Unix <= now.Add(-v.Skew).Unix():
		return sessiontoken.ClockError{Before: "the token expired ", Seconds: now.Unix() - c.exp.Unix, After: " ago", Skew: v.Skew}
	case c.nbf.State == sessiontoken.Malformed, c.iat.State == sessiontoken.Malformed:
		return errDate
	case v.ahead(c.nbf, now):
		return sessiontoken.ClockError{Before: "nbf is ", Seconds: c.nbf.Unix - now.Unix(), After: " ahead", Skew: v.Skew}
	case v.ahead(c.iat, now):
		return sessiontoken.ClockError{Before: "iat is ", Seconds: c.iat.Unix - now.Unix(), After: " ahead", Skew: v.Skew}
	}
	return nil
}

func (v *Verifier) ahead(d sessiontoken.Date, now time.Time) bool {
	return d.State == sessiontoken.Present && d.Unix > now.Add(v.Skew).Unix()
}

package clerkauth

import (
	"context"
	"slices"
	"time"
)

// verdict is what became of one candidate.
type verdict struct {
	read   parsed // without raw: there is no such candidate
	reason Reason // empty: it passes
}

// worth orders verdicts: a token that passes, one that a browser round can heal, and the rest.
type worth uint8

const (
	nothing worth = iota
	healable
	passing
)

func (v *verdict) worth() worth {
	switch v.reason {
	case "":
		if v.read.raw == "" {
			return nothing
		}
		return passing
	case ReasonTokenExpired, ReasonTokenNotActiveYet, ReasonTokenFromTheFuture, ReasonTokenMissingAzp:
		return healable
	}
	return nothing
}

// cookieEvidence is the session cookies of a request, one verdict for each name.
type cookieEvidence struct {
	verdicts       [slots]verdict
	ambiguous      bool // several sessions pass: which one counts cannot be told
	severalExpired bool // several sessions have expired
}

// maxSignatures is how many signatures are verified for one request's cookies.
const maxSignatures = 4

// weigh judges all session cookies of a request into e, which is empty.
func (a *Authenticator) weigh(ctx context.Context, e *cookieEvidence, f *facts, now time.Time) {
	tokens := f.tokens[:f.count]
	if len(tokens) == 0 {
		return
	}
	if !slices.ContainsFunc(tokens, func(c candidate) bool { return c.raw != tokens[0].raw }) {
		// As Clerk sets them: one token, under one name or both.
		v := verdict{read: a.verifier.read(tokens[0].raw, now)}
		v.reason = a.judgeParsed(ctx, &v.read, CarrierCookie, f, now)
		for _, c := range tokens {
			e.verdicts[c.slot] = v
		}
		return
	}
	verdicts := make([]verdict, len(tokens))
	for i, c := range tokens {
		if same := slices.IndexFunc(tokens[:i], func(d candidate) bool { return d.raw == c.raw }); same >= 0 {
			verdicts[i] = verdicts[same] // once it is verified, both have its claims
			continue
		}
		verdicts[i] = verdict{read: a.verifier.read(c.raw, now)}
	}
	a.verifyBest(ctx, verdicts, f, now)
	for i, v := range verdicts {
		best := &e.verdicts[tokens[i].slot]
		if best.read.raw == "" || v.worth() > best.worth() {
			*best = v
		}
	}
	e.ambiguous = severalSessions(verdicts, "")
	e.severalExpired = severalSessions(verdicts, ReasonTokenExpired)
}

// severalSessions reports whether cookies with one verdict name more than one session.
func severalSessions(verdicts []verdict, reason Reason) bool {
	first := ""
	for _, v := range verdicts {
		if v.reason != reason {
			continue
		}
		if first != "" && first != v.read.claims.sid {
			return true
		}
		first = v.read.claims.sid
	}
	return false
}

// verifyBest judges the verdicts, the most promising first: whoever plants cookies must not use up the
// signatures that are verified, nor make the request wait for keys that an honest cookie does not need.
func (a *Authenticator) verifyBest(ctx context.Context, verdicts []verdict, f *facts, now time.Time) {
	order, promises := make([]int, len(verdicts)), make([]int, len(verdicts))
	for i := range verdicts {
		order[i], promises[i] = i, a.promise(&verdicts[i], now)
	}
	slices.SortStableFunc(order, func(i, j int) int { return promises[j] - promises[i] })
	signatures, passed := 0, false
	for _, i := range order {
		v := &verdicts[i]
		switch same := slices.IndexFunc(verdicts[:i], func(w verdict) bool { return w.read.raw == v.read.raw }); {
		case v.read.reason != "":
			v.reason = v.read.reason
		case same >= 0:
			v.reason = verdicts[same].reason
		case signatures == maxSignatures, passed && a.promise(v, now) == 0: // the keys may have come since
			v.reason = ReasonKeyUnknown
		default:
			if !v.read.verified {
				signatures++
			}
			v.reason = a.judgeParsed(ctx, &v.read, CarrierCookie, f, now)
			passed = passed || v.reason == ""
		}
	}
}

// promise sorts candidates before any signature is verified. None of what it reads is believed.
func (a *Authenticator) promise(v *verdict, now time.Time) int {
	c, p := v.read.claims, &a.settings.policy
	switch {
	case v.read.reason != "":
		return 0
	case !v.read.verified && !a.verifier.keys.knows(&v.read.outside.header, now), !slices.Contains(p.issuers, c.iss):
		return 0
	case p.judgeTime(c, now) != "", !p.any && !p.list.Match(c.azp.value):
		return 1
	}
	return 2
}

// choose picks between the plain and the suffixed cookies. A cookie that is worth nothing does not hide one
// that is worth something: anybody below the same domain can plant it. A plain one of another issuer hides nothing:
// it says that the plain cookies are another instance's.
func (e *cookieEvidence) choose(f *facts, s *settings, now time.Time) slot {
	p, q := &e.verdicts[plain], &e.verdicts[suffixed]
	if p.worth() == nothing && q.worth() != nothing && (p.read.claims == nil || p.read.claims.iss == "" || s.own(p.read.claims.iss)) {
		p = &verdict{}
	}
	if q.worth() == nothing && p.worth() != nothing {
		q = &verdict{}
	}
	return choosePair(p, q, f.uat, s, now)
}

// choosePair is Clerk's rule: the suffixed cookies are this instance's own, the plain ones are kept up by older
// versions of Clerk's script too, so that whichever was written last is right.
func choosePair(p, q *verdict, uat [slots]text, s *settings, now time.Time) slot {
	const signedOut = "0"
	plainOut, suffixedOut := uat[plain].value == signedOut, uat[suffixed].value == signedOut
	hasUAT := uat[suffixed].value != ""
	switch {
	case p.read.raw != "" && (p.read.claims == nil || p.read.claims.iss == ""):
		return plain
	case p.read.raw != "" && !s.own(p.read.claims.iss):
		return suffixed
	case !hasUAT && q.read.raw == "":
		return plain
	case !suffixedOut && !plainOut && p.issued() > q.issued():
		return plain
	case suffixedOut && !plainOut:
		return plain
	case !s.live && !suffixedOut && plainOut && q.expired(now):
		return plain
	case !hasUAT && q.read.raw != "":
		return plain
	}
	return suffixed
}

// own reports whether iss is this instance's, as far as the choice of cookies goes.
func (s *settings) own(iss string) bool {
	if s.ownIssuer == "" {
		return slices.Contains(s.policy.issuers, iss)
	}
	return iss == s.ownIssuer
}

// issued is the iat of a token that nobody has verified; 0: none.
func (v *verdict) issued() int64 {
	if v.read.claims == nil {
		return 0
	}
	return v.read.claims.iat.unix
}

// expired reports whether a token that nobody has verified says that it has expired, without leeway.
func (v *verdict) expired(now time.Time) bool {
	return v.read.claims != nil && v.read.claims.exp.state == present && v.read.claims.exp.unix <= now.Unix()
}

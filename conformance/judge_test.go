package conformance_test

import (
	"maps"
	"slices"
)

// This file judges session cookies with several values. Cookies that a sibling subdomain can plant must not hide the browser's
// own, and cause no requests if another one is usable.

// A judgement is a session token and the result of its checks.
type judgement struct {
	*token
	reason string // why it is refused
	done   bool   // it was verified
}

// standing is how usable a session token is.
type standing int

const (
	noUse       standing = iota
	recoverable          // a handshake can renew it
	undecided            // it is unknown whether the signature is valid
	signsIn
)

func (j *judgement) standing() standing {
	switch j.reason {
	case "":
		return signsIn
	case "jwk-remote-failed-to-load":
		return undecided
	case expired, "session-token-nbf", "session-token-iat-in-the-future", missingAZP:
		return recoverable
	}
	return noUse
}

// judgeCookies judges the session cookies, and chooses between the plain ones and those with the suffix.
func (s *course) judgeCookies() {
	s.jar = s.Request.cookies()
	names := []string{"__session", "__session_" + s.suffix()}
	all := s.judgeAll()
	best := map[string]*judgement{}
	passing, overdue := map[string]bool{}, map[string]bool{}
	for _, name := range names {
		best[name] = &judgement{token: parseToken(""), reason: "none"}
		for _, raw := range s.cookieValues(name) {
			if j := all[raw]; raw != "" && (best[name].raw == "" || j.standing() > best[name].standing()) {
				best[name] = j
			}
		}
	}
	for _, j := range all {
		switch j.reason {
		case "":
			passing[text(j.claims["sid"])] = true
		case expired, "jwk-remote-failed-to-load":
			overdue[text(j.claims["sid"])] = true
		}
	}
	s.ambiguous, s.expired = len(passing) > 1, len(overdue)
	if s.foreign = s.foreignCookies(best[names[0]], best[names[1]]); s.foreign {
		best[names[0]], best[names[1]] = &judgement{token: parseToken("")}, &judgement{token: parseToken("")}
	}
	s.pair = s.pairOf(best[names[0]], best[names[1]])
	chosen := best["__session"+s.pair]
	s.chosen, s.reason, s.unread = chosen.token, chosen.reason, chosen.raw != "" && !chosen.done
	s.hidden = !s.foreign && (s.pair != s.chosenSuffix() || s.chosen.raw != s.jar["__session"+s.pair])
}

// judgeAll judges every token once, the most likely first.
func (s *course) judgeAll() map[string]*judgement {
	var order []*judgement
	all := map[string]*judgement{}
	found, fetched := noUse, false
	for _, t := range s.candidates() {
		j := &judgement{token: t.token, reason: s.badForm(t.token)}
		j.done = j.reason != ""
		if t.raw == s.brought && !j.done && s.badSignature(t.token) == "" {
			j.reason, j.done = s.whyRefused(t.token), true
			found, fetched = max(found, j.standing()), true
		}
		order, all[t.raw] = append(order, j), j
	}
	for {
		ranks := func(j *judgement) int { return s.rank(j.token, found == signsIn, fetched) }
		waiting := slices.DeleteFunc(slices.Clone(order), func(j *judgement) bool {
			return j.done || len(order) > 1 && found >= recoverable && ranks(j) == 0
		})
		if len(waiting) == 0 {
			break
		}
		j := slices.MaxFunc(waiting, func(a, b *judgement) int { return ranks(a) - ranks(b) })
		j.reason, j.done = s.whyRefused(j.token), true
		found, fetched = max(found, j.standing()), true
	}
	for _, j := range order {
		if !j.done {
			j.reason = "jwk-kid-mismatch" // its key was not needed
		}
	}
	return all
}

// rank is how likely a token is to be usable by its contents, 0 for not at all.
func (c *recorded) rank(t *token, passed, fetched bool) int {
	rank := 3
	typ, typed := t.head["typ"]
	if t.head["alg"] != "RS256" || typed && typ != "JWT" || !slices.Contains(c.issuers(), text(t.claims["iss"])) {
		return 0
	}
	switch (&judgement{reason: c.timely(t, c.skew())}).standing() {
	case noUse:
		return 0
	case recoverable:
		rank = 1
	}
	azp, named := t.claims["azp"]
	switch {
	case len(c.parties()) == 0 || slices.Contains(c.parties(), text(azp)):
	case named:
		return 0
	default:
		rank = 1
	}
	set, ok := c.keySet()
	if kid := text(t.head["kid"]); !c.pins() && (kid == "" || fetched && ok && len(set.usable()[kid]) != 1) {
		if passed {
			return 0
		}
		rank = min(rank, 2)
	}
	return rank
}

// pairOf is the reference's choice between the plain cookies and those with the suffix. An unusable token does not hide a
// usable one; a plain one of another instance hides nothing.
func (s *course) pairOf(plain, suffixed *judgement) string {
	p, q := s.readable(plain), s.readable(suffixed)
	own := text(p.claims["iss"]) == "https://"+s.ownHost()
	if plain.standing() == noUse && suffixed.raw != "" && suffixed.standing() != noUse && (text(p.claims["iss"]) == "" || own) {
		p = &token{}
	} else if suffixed.standing() == noUse && plain.raw != "" && plain.standing() != noUse {
		q = &token{}
	}
	if text(p.claims["iss"]) != "" && !own || s.choosesSuffixed(p, q, s.jar) {
		return "_" + s.suffix()
	}
	return ""
}

// readable is a session token with the claims that count unverified: none if it is malformed, and no malformed date.
func (s *course) readable(j *judgement) *token {
	t := &token{raw: j.raw, claims: maps.Clone(j.claims)}
	if s.badForm(j.token) != "" {
		t.claims = nil
	}
	maps.DeleteFunc(t.claims, func(name string, v any) bool {
		return (name == "iat" || name == "exp") && !t.dated(name) || name == "iss" && text(v) == ""
	})
	return t
}

// foreignCookies reports that no session cookie that counts names this instance as its issuer, and that no __client_uat
// says that somebody is signed in.
func (s *course) foreignCookies(cookies ...*judgement) bool {
	if clientUpdated(s.jar["__client_uat"]) != 0 || clientUpdated(s.jar["__client_uat_"+s.suffix()]) != 0 {
		return false
	}
	return !slices.ContainsFunc(cookies, func(j *judgement) bool {
		return slices.Contains(s.issuers(), text(s.readable(j).claims["iss"]))
	})
}

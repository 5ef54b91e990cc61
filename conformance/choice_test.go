package conformance_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// deciding is the token that the reference decided by: the bearer token, the
// chosen cookie's, or the one that came with a handshake or a refresh.
func (c *recorded) deciding() *token {
	if c.Expect.Token != "" {
		return parseToken(c.Expect.Token)
	}
	if raw, ok := c.bearer(); ok {
		return parseToken(raw)
	}
	return parseToken(c.Request.cookies()["__session"+c.chosenSuffix()])
}

// chosenSuffix is what follows the names of the cookies that the reference chose.
func (c *recorded) chosenSuffix() string {
	if c.choosesSuffixed(c.Request.cookies()) {
		return "_" + c.suffix()
	}
	return ""
}

var httpScheme = regexp.MustCompile(`(?i)https?://`)

// choosesSuffixed is the reference's choice between the plain cookies and
// those with the instance's suffix; it believes the tokens unverified.
func (c *recorded) choosesSuffixed(cookies map[string]string) bool {
	plainUAT, suffixedUAT := cookies["__client_uat"], cookies["__client_uat_"+c.suffix()]
	plain, suffixed := parseToken(cookies["__session"]), parseToken(cookies["__session_"+c.suffix()])
	iss := text(plain.claims["iss"])
	switch {
	case plain.raw != "" && iss == "":
		return false
	case plain.raw != "" && httpScheme.ReplaceAllString(iss, "") != c.ownHost():
		return true
	case suffixedUAT == "" && suffixed.raw == "":
		return false
	case suffixedUAT != "0" && plainUAT != "0" && plain.issuedLoosely() > suffixed.issuedLoosely():
		return false
	case suffixedUAT == "0" && plainUAT != "0":
		return false
	case c.development() && suffixedUAT != "0" && plainUAT == "0" && suffixed.endedBefore(c.Now):
		return false
	}
	return suffixedUAT != "" || suffixed.raw == ""
}

func (c *recorded) development() bool {
	public := c.public()
	return strings.HasPrefix(public, "pk_test_")
}

// issuedLoosely is iat as JavaScript compares it: a string of digits is a number.
func (t *token) issuedLoosely() float64 {
	n, err := strconv.ParseFloat(strings.Trim(show(t.claims["iat"]), `"`), 64)
	if err != nil {
		return 0
	}
	return n
}

func (t *token) endedBefore(now int64) bool {
	exp, ok := seconds(t.claims["exp"])
	return ok && exp <= now
}

// A candidate is a session cookie and the __client_uat of its kind.
type candidate struct {
	*token
	uat string
}

// sessionCookies counts the session cookies, empty ones included.
func (c *recorded) sessionCookies() int {
	n := 0
	for _, line := range c.Request.values("Cookie") {
		n += strings.Count(line, "__session=") + strings.Count(line, "__session_"+c.suffix()+"=")
	}
	return n
}

// candidates are all values of the session cookies, each once.
func (c *recorded) candidates() []candidate {
	cookies := c.Request.cookies()
	var found []candidate
	for _, line := range c.Request.values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			name, value, _ := strings.Cut(pair, "=")
			name, value = strings.Trim(name, " \t"), unescape(strings.Trim(value, " \t"))
			suffix, session := strings.CutPrefix(name, "__session")
			if !session || suffix != "" && suffix != "_"+c.suffix() || value == "" ||
				slices.ContainsFunc(found, func(f candidate) bool { return f.raw == value }) {
				continue
			}
			found = append(found, candidate{parseToken(value), cookies["__client_uat"+suffix]})
		}
	}
	return found
}

// goodSessions are the candidates that pass, one for each session.
func (c *recorded) goodSessions() []candidate {
	var good []candidate
	for _, t := range c.candidates() {
		if c.verdict(t.token) == "" && !slices.ContainsFunc(good, func(g candidate) bool { return g.claims["sid"] == t.claims["sid"] }) {
			good = append(good, t)
		}
	}
	return good
}

// candidateRules are about several session cookies.
var candidateRules = []rule{
	{
		name: "several sessions",
		why:  "of several good session cookies a sibling domain may have planted one, so that none of them counts",
		when: func(c *recorded, want outcome) bool {
			return !c.hasBearer() && want.Status != refused && len(c.goodSessions()) > 1
		},
	},
	{
		name:   "every session cookie is a candidate",
		why:    "a bad cookie, which a sibling domain can plant, does not hide a good one",
		kinder: true,
		when: func(c *recorded, want outcome) bool {
			return c.hidesAnother(want) && len(c.goodSessions()) == 1
		},
	},
	{
		name: "a cookie that can be healed decides",
		why:  "beside a bad cookie the expired one is the browser's own, and a round through Clerk renews it",
		when: func(c *recorded, want outcome) bool {
			return c.hidesAnother(want) && len(c.goodSessions()) == 0 && len(c.healable()) > 0
		},
	},
	{
		name: "a worthless cookie is not verified",
		why:  "beside one that can be renewed, a cookie of another issuer can change nothing, and costs no signature",
		when: func(c *recorded, want outcome) bool {
			return !c.hasBearer() && want.Reason == "token-invalid-issuer" && len(c.healable()) > 0
		},
		hold: func(_ *recorded, want *outcome) { *want = refusal("jwk-kid-mismatch") },
	},
}

// hidesAnother reports that the reference decided by a cookie that is good
// for nothing, beside which there are others.
func (c *recorded) hidesAnother(want outcome) bool {
	return !c.hasBearer() && (want.Status == signedOut || want.Status == handshake) && c.sessionCookies() > 1 && !c.worthSomething(c.deciding())
}

// worthSomething reports a token that passes, or fails by its dates alone.
func (c *recorded) worthSomething(t *token) bool {
	reason := c.verdict(t)
	return reason == "" || stageOf[reason] == dates
}

// healable are the candidates that a round through Clerk can renew.
func (c *recorded) healable() []candidate {
	return slices.DeleteFunc(c.candidates(), func(t candidate) bool { return stageOf[c.verdict(t.token)] != dates })
}

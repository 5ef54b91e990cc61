package conformance_test

import (
	"encoding/base64"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// deciding is the token with which the reference decided: the bearer token, the chosen cookie's, or the one of a handshake
// or a refresh.
func (c *recorded) deciding() *token {
	if c.Expect.Token != "" {
		return parseToken(c.Expect.Token)
	}
	if raw, ok := c.bearer(); ok {
		return parseToken(raw)
	}
	return parseToken(c.Request.cookies()["__session"+c.chosenSuffix()])
}

// chosenSuffix is the suffix of the cookies that the reference chose.
func (c *recorded) chosenSuffix() string {
	cookies := c.Request.cookies()
	plain, suffixed := parseToken(cookies["__session"]), parseToken(cookies["__session_"+c.suffix()])
	if suffixed.undecodable() {
		suffixed = &token{raw: suffixed.raw}
	}
	if !plain.undecodable() && c.choosesSuffixed(plain, suffixed, cookies) {
		return "_" + c.suffix()
	}
	return ""
}

// undecodable reports a value that is not a JWT even for the reference, which accepts padding.
func (t *token) undecodable() bool {
	if t.raw == "" || len(t.segments) != 3 {
		return t.raw != ""
	}
	_, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(t.segments[2], "="))
	return err != nil || t.headerKind == "" || t.claimsKind == ""
}

var httpScheme = regexp.MustCompile(`(?i)https?://`)

// choosesSuffixed is the reference's choice between the plain cookies and those with the instance's suffix; it reads the
// tokens unverified.
func (c *recorded) choosesSuffixed(plain, suffixed *token, cookies map[string]string) bool {
	plainUAT, suffixedUAT := cookies["__client_uat"], cookies["__client_uat_"+c.suffix()]
	iss := text(plain.claims["iss"])
	switch {
	case plain.raw != "" && !truthy(plain.claims["iss"]):
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

// issuedLoosely is iat as JavaScript compares it: a text of digits is a number, and so is a list of one.
func (t *token) issuedLoosely() float64 {
	v := t.claims["iat"]
	if list, _ := v.([]any); len(list) == 1 {
		v = list[0]
	}
	switch digits := strings.Trim(show(v), `" `); digits {
	case "", "[]", "false":
		return 0
	case "true":
		return 1
	default:
		n, err := strconv.ParseFloat(digits, 64)
		if err != nil {
			return math.NaN()
		}
		return n
	}
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

// candidateRules are about several session cookies.
var candidateRules = []rule{
	{
		name: "several sessions",
		why:  "of several good session cookies a sibling subdomain may have planted one, so that none of them counts",
		when: func(c *recorded, want outcome) bool {
			return want.Status != refused && !c.hasBearer() && c.judged().ambiguous
		},
	},
	{
		name:   "every session cookie is a candidate",
		why:    "a bad cookie, which a sibling subdomain can plant, does not hide a good one",
		kinder: true,
		when: func(c *recorded, want outcome) bool {
			return want.Status != refused && !c.hasBearer() && c.judged().hidden && c.judged().reason == ""
		},
	},
	{
		name:   "a cookie that can be renewed decides",
		kinder: true, // where a refresh renews it at once
		why:    "beside a bad cookie the expired one is the browser's own, and a handshake renews it",
		when: func(c *recorded, want outcome) bool {
			return want.Status != refused && !c.hasBearer() && c.judged().hidden && c.judged().reason != ""
		},
	},
	{
		name: "a cookie of no use is not verified",
		why:  "beside one that is of use, a cookie that says itself that it is not can change nothing, and costs no signature",
		when: func(c *recorded, want outcome) bool {
			return want.Status != refused && !c.hasBearer() && c.judged().unread
		},
	},
}

// judged are the session cookies with the results of their checks.
func (c *recorded) judged() *course {
	s := &course{recorded: c}
	s.judgeCookies()
	return s
}

package conformance_test

import (
	"net/http"
	"slices"
	"strings"
)

// answerRules are about the results of handshakes.
var answerRules = []rule{
	{
		name:   "failed answers fall through",
		kinder: true,
		why:    "a nonce or token that is not valid leaves the cookies as they are: anybody can put one into a link",
		when: func(c *recorded, want outcome) bool {
			return c.answerFails() && len(want.Cookies) == 0 && (want.Reason == "session-token-missing" || want.Status == refused)
		},
	},
	{
		name:   "answers are for documents",
		kinder: true, // one that signs out counts as little as one that signs in
		why:    "a browser brings an answer on a navigation; on any other request it was put there by somebody else",
		when:   func(c *recorded, _ outcome) bool { return c.hasResult() && !c.navigates() },
	},
	{
		name:   "answers come once, by their source",
		kinder: true, // what is in the right one decides, whatever is in the other
		why:    "production has answers in cookies and development in the address, and several answers are none: a link, or a cookie beside the honest one, would sign a visitor in as another person",
		when: func(c *recorded, _ outcome) bool {
			return len(c.handshakeParameters("__clerk_handshake")) > 1 || len(c.handshakeParameters("__clerk_handshake_nonce")) > 1 || c.development() && c.resultInCookies() || !c.development() && c.resultInAddress()
		},
	},
	{
		name: "answer is judged",
		why:  "a nonce has Clerk's form, a handshake token is of this instance and of now, and a session's token, which an application can fill, is none",
		when: func(c *recorded, _ outcome) bool {
			nonce := only(c.handshakeParameters("__clerk_handshake_nonce"))
			return c.answerFails() && (c.handshakeRefused() || nonce != "" && !nonceForm.MatchString(nonce))
		},
	},
	{
		name:   "answer's content decides",
		kinder: true,
		why:    "the Backend API's answer is read whatever parameters its Content-Type has",
		when: func(c *recorded, want outcome) bool {
			return (want.Reason == "session-token-missing" || strings.HasSuffix(want.Reason, "unexpected-sdk-error")) && c.oddContentType()
		},
	},
	{
		name: "session in an answer passes every check",
		why:  "the session token that an answer sets is judged as any other: kind, claims, issuer and list; one that has expired may be of an old answer, unless a nonce brought it",
		when: func(c *recorded, want outcome) bool {
			return want.Status == signedIn && want.Token != "" && c.whyRefused(parseToken(want.Token)) != "" && !c.forgiven(want.Token)
		},
	},
	{
		name:   "session cookie by its exact name",
		why:    "a cookie whose name merely begins like the session's is another cookie, and says nothing about the session",
		kinder: true,
		when: func(c *recorded, _ outcome) bool {
			return slices.ContainsFunc(c.directives(), func(d string) bool {
				name, _, _ := directiveOf(d)
				return strings.HasPrefix(name, "__session") && !c.sessionName(name)
			})
		},
	},
	{
		name:   "session cookie's whole value",
		kinder: true, // blanks around it are no part of it
		why:    "the value of a cookie ends at the semicolon; what is behind a second = belongs to it",
		when: func(c *recorded, _ outcome) bool {
			return slices.ContainsFunc(c.directives(), func(d string) bool {
				name, value, ok := directiveOf(d)
				_, sent, _ := strings.Cut(strings.SplitN(d, ";", 2)[0], "=")
				return ok && c.sessionName(name) && (strings.Contains(value, "=") || sent != value)
			})
		},
	},
	{
		name:   "directives are cookies",
		kinder: true, // a good cookie beside it decides
		why:    "an answer with a value that is no cookie, or cannot stand in a header, is none",
		when: func(c *recorded, want outcome) bool {
			return want.Status != refused && want.Status != handshake && slices.ContainsFunc(append(c.directives(), want.Cookies...), func(d string) bool {
				_, _, ok := directiveOf(d)
				return !ok
			})
		},
	},
	{
		name:   "nonces that nobody could exchange",
		kinder: true,
		why:    "a nonce that the Backend API did not answer for has not failed: the next handshake asks for a token, which needs no Backend API, and a token beside it decides",
		when: func(c *recorded, _ outcome) bool {
			s := &course{recorded: c, chosen: parseToken("")}
			s.answer()
			return !c.hasBearer() && s.notExchanged
		},
	},
	{
		name:   "answers come to the application's own hosts",
		kinder: true, // one that signs out counts as little as one that signs in
		why:    "nobody was sent out from a host that is not in the list, so that an answer there was put into a link by somebody else",
		when: func(c *recorded, _ outcome) bool {
			s := &course{recorded: c, chosen: parseToken("")}
			s.answer()
			return !c.hasBearer() && s.unsent
		},
	},
	{
		name: "an answer beside another good session",
		why:  "a session that needed no handshake is not replaced by the answer to one: a sibling subdomain planted that",
		when: func(c *recorded, _ outcome) bool {
			s := &course{recorded: c, chosen: parseToken("")}
			s.answer()
			return !c.hasBearer() && s.injected
		},
	},
	{
		name: "a handshake's session has an azp",
		why:  "a session token that does not say for whom it was minted signs nobody in, and the next handshake would bring no other: that is said, not tried again",
		when: func(c *recorded, _ outcome) bool {
			s := &course{recorded: c, chosen: parseToken("")}
			s.answer()
			return !c.hasBearer() && s.refusedAs == missingAZP
		},
	},
	{
		name: "answers without keys",
		why:  "whether an answer is good cannot be told without keys, and the next one would not be better: that is said, not tried again",
		when: func(c *recorded, _ outcome) bool {
			s := &course{recorded: c, chosen: parseToken("")}
			s.answer()
			return !c.hasBearer() && s.refusedAs == "jwk-remote-failed-to-load"
		},
	},
	{
		name: "failed answers stay behind",
		why:  "the address to come back to is without the answer that was not valid: of two answers none would count",
		when: func(c *recorded, want outcome) bool {
			return want.Status == handshake && c.development() && c.resultInAddress()
		},
	},
}

func (c *recorded) resultInCookies() bool {
	return len(c.cookieValues("__clerk_handshake"))+len(c.cookieValues("__clerk_handshake_nonce")) > 0
}

func (c *recorded) resultInAddress() bool {
	_, tokens := c.parameter("__clerk_handshake")
	_, nonces := c.parameter("__clerk_handshake_nonce")
	return tokens+nonces > 0
}

func (c *recorded) hasResult() bool { return c.resultInCookies() || c.resultInAddress() }

// answerFails reports a handshake result that is not valid.
func (c *recorded) answerFails() bool {
	s := &course{recorded: c, chosen: parseToken("")}
	_, ok := s.answer()
	return !c.hasBearer() && c.hasResult() && !ok
}

// handshakeRefused reports a handshake token that is signed well and refused all the same.
func (c *recorded) handshakeRefused() bool {
	t := parseToken(only(c.handshakeParameters("__clerk_handshake")))
	s := &course{recorded: c}
	_, ok := s.handshakeToken(t)
	return t.raw != "" && !ok && c.badForm(t) == "" && c.badSignature(t) == ""
}

// forgiven reports a development session whose times are off by a day at most, and which cannot be of an old result: a
// nonce has just been exchanged for it, or it is of the future. The recorded servers have no clock.
func (c *recorded) forgiven(raw string) bool {
	_, fresh := (&course{recorded: c}).exchange(only(c.handshakeParameters("__clerk_handshake_nonce")))
	return (fresh || c.whyRefused(parseToken(raw)) != expired) && c.development() && c.hasResult() && c.whyRefusedWithin(parseToken(raw), day) == ""
}

// directives are the Set-Cookie values in the answers that are there or could be had.
func (c *recorded) directives() []string {
	var all []string
	for _, raw := range c.handshakeParameters("__clerk_handshake") {
		list, _ := textsIn(parseToken(raw).claims["handshake"])
		all = append(all, list...)
	}
	for _, r := range c.Backend {
		if strings.HasSuffix(r.Path, "/jwks") || len(r.Responses) == 0 {
			continue
		}
		all = append(all, cookiesIn(r.Responses[0])...)
	}
	return all
}

// oddContentType reports an answer of JSON that does not say so in exactly Clerk's way.
func (c *recorded) oddContentType() bool {
	return slices.ContainsFunc(c.Backend, func(r route) bool {
		return len(r.Responses) > 0 && r.Responses[0].ContentType != "" && r.Responses[0].ContentType != "application/json" &&
			r.Responses[0].Status < http.StatusBadRequest
	})
}

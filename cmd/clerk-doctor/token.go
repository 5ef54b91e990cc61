package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/clerkauth/clerkauth"
)

// tokenLimit is how much is read from standard input. A session token is a few KiB at most.
const tokenLimit = 64 << 10

// claimLimit is how much of a claim is shown.
const claimLimit = 100

// advice is what to do about a refusal. Other reasons need none.
var advice = map[clerkauth.Reason]string{
	clerkauth.ReasonTokenInvalid:            "give the whole token, three parts with dots between, and nothing else",
	clerkauth.ReasonTokenTypeMismatch:       "give a session token: what getToken() without a template returns, or the __session cookie",
	clerkauth.ReasonKeyUnknown:              "the token was issued by another instance: compare the publishable key of the page with the one here",
	clerkauth.ReasonTokenIssuer:             "the token was issued by another instance: compare its iss with the domain, and the publishable key of the page with the one here",
	clerkauth.ReasonKeysUnavailable:         "first fix what is reported about the Frontend API",
	clerkauth.ReasonTokenInvalidParties:     "the page that got the token is not in the allowlist: add its azp to it, if the page is yours",
	clerkauth.ReasonTokenMissingAZP:         "the token has no azp, which Clerk leaves out when the page sends no Origin",
	clerkauth.ReasonTokenExpired:            "a session token lives for a minute: get a new one; if it is new, the clock here is ahead",
	clerkauth.ReasonTokenNotActiveYet:       "set the clock here: it is behind Clerk's",
	clerkauth.ReasonTokenFromTheFuture:      "set the clock here: it is behind Clerk's",
	clerkauth.ReasonSessionPending:          "the user still has something to do before the session counts, such as choosing an organization",
	clerkauth.ReasonTokenSignature:          "the token was changed or cut off on its way, or somebody else signed it: get a new one",
	clerkauth.ReasonTokenVerificationFailed: "a claim is missing or does not match what the middleware expects of a session token",
}

// checkToken checks the token from standard input with the middleware. The token itself is never shown; azp, iss and exp
// are not secret.
func (d *doctor) checkToken(ctx context.Context) []check {
	c := check{code: tokenGood, name: "session token", see: []string{"cut -d. -f2 | basenc --base64url -d   # then paste the token"}}
	cfg, known := d.tokenConfig()
	switch {
	case !d.askToken:
		c.code, c.says, c.see = tokenNotGiven, "-token -", nil
		return []check{c}
	case !known:
		c.code, c.says = tokenUnknown, "neither a domain nor a publishable key says to which instance it should belong"
		return []check{c}
	}
	shown := claimsOf(d.token)
	auth, err := clerkauth.New(cfg)
	if err != nil {
		c.code, c.says = tokenUnknown, "the middleware does not start with this allowlist"
		c.fix = []string{"fix the allowlist first"}
		return []check{c}
	}
	session, err := auth.VerifyToken(ctx, d.token)
	if err != nil {
		refusal(&c, err)
		if c.code == tokenUnknown && d.domain != "" {
			c.cause = d.offline(ctx)
		}
		c.says += shown.words(d.net.now())
		return []check{c}
	}
	c.says = "issued to " + party(session) + shown.words(d.net.now())
	if len(d.parties) == 0 {
		c.code = tokenUncompared
		c.fix = []string{"give the allowlist of your server: set CLERK_AUTHORIZED_PARTIES or -authorized-party"}
	}
	return []check{c}
}

// tokenConfig is the configuration for checking the token. With the key of a development instance it is that instance's,
// since an application with that key would do the same.
func (d *doctor) tokenConfig() (clerkauth.Config, bool) {
	k, err := parseKey(d.key)
	cfg := d.config()
	if err == nil && !k.live {
		cfg.PublishableKey, cfg.FrontendAPIURL, cfg.Issuers = d.key, "https://"+k.host, []string{"https://" + k.host}
	}
	return cfg, d.domain != "" || err == nil
}

func party(s *clerkauth.Session) string {
	if s.AuthorizedParty == "" {
		return "no particular page"
	}
	return s.AuthorizedParty
}

// refusal reports the reason. If keys could not be fetched, this says nothing about the token.
func refusal(c *check, err error) {
	var refused *clerkauth.Error
	if !errors.As(err, &refused) {
		c.code, c.says = tokenUnknown, err.Error()
		return
	}
	c.code, c.says = tokenRefused, string(refused.Reason)
	if words, found := advice[refused.Reason]; found {
		c.fix = []string{words}
	}
	if refused.Reason == clerkauth.ReasonKeysUnavailable {
		c.code = tokenUnknown
	}
}

// claims are those of a token that help to find what is wrong. The zero claims is a token that cannot be parsed.
type claims struct {
	readable bool
	azp, iss string
	exp      time.Time // zero: none
}

// claimsOf reads the claims without verifying them.
func claimsOf(token string) claims {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return claims{}
	}
	var raw struct{ AZP, Iss, Exp any }
	if json.Unmarshal(b, &raw) != nil {
		return claims{}
	}
	c := claims{readable: true, azp: claim(raw.AZP), iss: claim(raw.Iss)}
	if exp, is := raw.Exp.(float64); is && exp > 0 && exp < math.MaxInt32*2 {
		c.exp = time.Unix(int64(exp), 0).UTC()
	}
	return c
}

func claim(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case string:
		return printable(v)
	}
	return "not a string"
}

// printable is s without control characters, and shortened.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		s = strconv.QuoteToASCII(s)
	}
	if r := []rune(s); len(r) > claimLimit {
		return string(r[:claimLimit]) + "…"
	}
	return s
}

func (c claims) words(now time.Time) string {
	if !c.readable {
		return ""
	}
	exp := "none"
	if !c.exp.IsZero() {
		exp = c.exp.Format(time.RFC3339)
		if left := c.exp.Sub(now).Round(time.Second); left >= 0 {
			exp += fmt.Sprintf(" (in %v)", left)
		} else {
			exp += fmt.Sprintf(" (%v ago)", -left)
		}
	}
	return "; azp " + c.azp + "; iss " + c.iss + "; exp " + exp
}

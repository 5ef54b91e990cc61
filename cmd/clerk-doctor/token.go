package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clerkauth/clerkauth"
)

// tokenLimit is how much is read from standard input. A session token is a few KiB at most.
const tokenLimit = 64 << 10

// advice is what to do about a refusal. Reasons that are not here say it themselves.
var advice = map[clerkauth.Reason]string{
	clerkauth.ReasonTokenInvalid:            "give the whole token, three parts with dots between, and nothing else",
	clerkauth.ReasonTokenTypeMismatch:       "give a session token: what getToken() without a template returns, or the __session cookie",
	clerkauth.ReasonKeyUnknown:              "the token is of another instance: compare the publishable key of the page with the one here",
	clerkauth.ReasonTokenIssuer:             "the token is of another instance: compare the publishable key of the page with the one here",
	clerkauth.ReasonKeysUnavailable:         "mend the Frontend API first",
	clerkauth.ReasonTokenInvalidParties:     "the page that got the token is not in the allowlist: add its origin, if it is yours",
	clerkauth.ReasonTokenMissingAzp:         "the token does not say which page it was issued to, which Clerk leaves out when the page sends no Origin",
	clerkauth.ReasonTokenExpired:            "a session token lives for a minute: get a new one; if it is new, the clock here is ahead",
	clerkauth.ReasonTokenNotActiveYet:       "the clock here is behind: see clock",
	clerkauth.ReasonTokenFromTheFuture:      "the clock here is behind: see clock",
	clerkauth.ReasonSessionPending:          "the user still has something to do before the session counts, such as choosing an organization",
	clerkauth.ReasonTokenSignature:          "the token was changed or cut off on its way, or somebody else signed it",
	clerkauth.ReasonTokenVerificationFailed: "a claim is missing or does not match what the middleware expects of a session token",
}

// checkToken has the middleware's own judge look at the token from standard input. The token is shown nowhere.
func (d *doctor) checkToken(ctx context.Context) []check {
	c := check{Group: groupToken, Name: "session token", See: []string{"cut -d. -f2 | basenc --base64url -d   # then paste the token"}}
	if !d.askToken {
		c.Status, c.Says, c.See = skipped, "not given: pipe one in with -token -", nil
		return []check{c}
	}
	auth, err := clerkauth.New(d.config())
	if err != nil {
		c.Status, c.Says = fail, "not judged: the middleware would not start with this allowlist"
		c.Fix = []string{"mend the allowlist first"}
		return []check{c}
	}
	session, err := auth.VerifyToken(ctx, d.token)
	if err != nil {
		d.refusal(&c, err)
		return []check{c}
	}
	left := session.ExpiresAt.Sub(d.net.now()).Round(time.Second)
	c.Status, c.Says = ok, fmt.Sprintf("accepted: issued to %s, expires in %v", party(session), left)
	if len(d.parties) == 0 {
		c.Status, c.Says = warn, c.Says+"; not compared with an allowlist, as none was given"
		c.Fix = []string{"give the allowlist of your server: set CLERK_AUTHORIZED_PARTIES or -authorized-party"}
	}
	return []check{c}
}

func party(s *clerkauth.Session) string {
	if s.AuthorizedParty == "" {
		return "no particular page"
	}
	return s.AuthorizedParty
}

// refusal tells the reason. That keys could not be had is no verdict on the token.
func (d *doctor) refusal(c *check, err error) {
	var refused *clerkauth.Error
	if !errors.As(err, &refused) {
		c.Status, c.Says = unknown, "not judged: "+err.Error()
		return
	}
	c.Status, c.Says = fail, "refused: "+string(refused.Reason)
	if refused.Reason == clerkauth.ReasonKeysUnavailable {
		c.Status, c.Says = unknown, "not judged: "+string(refused.Reason)
	}
	if words, found := advice[refused.Reason]; found {
		c.Fix = []string{words}
	}
}

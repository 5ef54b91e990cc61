package decision

import (
	"strconv"
	"time"

	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/redact"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// tokenDetail says what is wrong with a token that was refused for reason.
func (d *Decider) tokenDetail(reason reasons.Reason, t *sessiontoken.Token, now time.Time) error {
	if detail := t.Detail(reason); detail != nil {
		return detail
	}
	p, c := &d.Policy, t.Claims
	switch {
	case reason == reasons.TokenVerificationFailed:
		return p.badClaim(c)
	case reason == reasons.TokenInvalidParties && c.AZP.State == sessiontoken.Present:
		return partyError{redact.See(c.AZP.Value), p.List.Len(), p.Allow != nil}
	case reason == reasons.TokenInvalidParties && c.AZP.State == sessiontoken.Absent: // only bearer tokens are refused so
		return errBearerAZP
	case reason == reasons.TokenInvalidParties:
		return errAZP
	case reason == reasons.TokenMissingAZP:
		return missingAZPError(p.Party != nil)
	case reason == reasons.TokenIssuer:
		return sessiontoken.IssuerError{Seen: redact.See(c.Iss), Expected: p.Issuers}
	case reason == reasons.TokenExpired:
		return sessiontoken.ClockError{Before: "the token expired ", Seconds: now.Unix() - c.Exp.Unix, After: " ago", Skew: p.Skew}
	case reason == reasons.TokenNotActiveYet:
		return sessiontoken.ClockError{Before: "nbf is ", Seconds: c.Nbf.Unix - now.Unix(), After: " ahead", Skew: p.Skew}
	case reason == reasons.TokenFromTheFuture:
		return sessiontoken.ClockError{Before: "iat is ", Seconds: c.Iat.Unix - now.Unix(), After: " ahead", Skew: p.Skew}
	}
	return plain[reason]
}

var (
	errAZP       error = &fixedError{text: "azp is not a string", field: "AuthorizedParties"}
	errBearerAZP error = &fixedError{
		text:  "azp is missing, as in the tokens of native apps; InsecureAllowBearerWithoutParty would accept it",
		field: "InsecureAllowBearerWithoutParty", sentence: "The session token does not say for which origin it was issued.",
	}
)

// badClaim is the first claim that judge refuses.
func (p *Policy) badClaim(c *sessiontoken.Claims) error {
	switch {
	case c.Sub == "":
		return claimError("sub")
	case c.SID == "":
		return claimError("sid")
	case c.Unreadable:
		return claimError("o or fea")
	case !p.forMe(c):
		return audienceError(len(p.Audience))
	case c.Exp.State != sessiontoken.Present:
		return claimError("exp")
	case c.Nbf.State == sessiontoken.Malformed:
		return claimError("nbf")
	}
	return claimError("iat")
}

type claimError string

func (claim claimError) Error() string {
	return "the claim " + string(claim) + " is missing or malformed"
}

type audienceError int

func (n audienceError) Error() string {
	return "the claim aud is missing, or matches none of the " + strconv.Itoa(int(n)) + " in Audience"
}

func (audienceError) Field() string { return "Audience" }

type partyError struct {
	azp           redact.Seen
	entries       int
	hasAllowParty bool
}

func (e partyError) Error() string {
	text := "azp is " + e.azp.String() + ", which matches nothing in AuthorizedParties (" + entries(e.entries) + ")"
	if e.hasAllowParty {
		text += ", and AllowParty refuses it"
	}
	return text
}

func (partyError) Field() string { return "AuthorizedParties" }

// entries counts the entries of a list.
func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return strconv.Itoa(n) + " entries"
}

type missingAZPError bool

func (keyed missingAZPError) Error() string {
	if keyed {
		return "azp is missing, and no party cookie shows that this browser had the session here before"
	}
	return "azp is missing, and without StateKey or SecretKey no cookie can show that this browser had the session here before"
}

func (keyed missingAZPError) Field() string {
	if keyed {
		return ""
	}
	return "StateKey"
}

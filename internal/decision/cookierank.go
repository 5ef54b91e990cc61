package decision

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/clerkauth/clerkauth/internal/jwks"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// rank orders tokens that were not verified by what they claim. None of it is trusted.
type rank uint8

const (
	rankUnusable rank = iota
	rankRecoverable
	rankPerhaps // its key is not among the known ones, or AllowParty has to be asked
	rankPromising

	ranksHeld = 4 // added, where a party cookie is for its session
)

func (j *cookieJudge) rankAll() {
	for i := range j.cookies {
		if c := &j.cookies[i]; !c.done {
			c.rank = j.rankOf(c)
		}
	}
}

// rankOf judges a token as far as that needs no key. Something unknown never makes it unusable, with one exception: a key
// that is not known when another token has passed, as fetching it would make the visitor wait.
func (j *cookieJudge) rankOf(c *judgedCookie) rank {
	t, p := c.read.Claims, &j.Policy
	if !c.read.SignedAsClerkDoes() || !p.Issues(t.Iss) {
		return rankUnusable
	}
	r := rankPromising
	switch p.judgeTime(t, j.now) {
	case "":
	case reasons.TokenExpired, reasons.TokenNotActiveYet, reasons.TokenFromTheFuture:
		r = rankRecoverable
	default:
		return rankUnusable
	}
	switch {
	case p.Any, p.List.Match(t.AZP.Value), t.AZP.State == sessiontoken.Absent && p.CookieWithout:
	case t.AZP.State == sessiontoken.Absent:
		r = rankRecoverable
	case p.Allow == nil:
		return rankUnusable
	default:
		r = min(r, rankPerhaps)
	}
	if !j.mayHaveKey(c.read.KID()) {
		if j.passed && !c.held {
			return rankUnusable
		}
		r = min(r, rankPerhaps)
	}
	if c.held {
		r += ranksHeld
	}
	return r
}

// mayHaveKey reports whether the key of a token is known, or cannot be told to be missing.
func (j *cookieJudge) mayHaveKey(kid string) bool {
	if j.keys != nil {
		return j.keys.Has(kid)
	}
	return jwks.WellFormedKID(kid)
}

// knownForged reports whether the signature of a token failed lately. It is remembered as long as the token keeps arriving:
// a planted cookie can live for more than a year.
func (j *cookieJudge) knownForged(c *judgedCookie) bool {
	key := j.forgedKey(c)
	known := j.forged.has(key, j.now)
	if known {
		j.forged.add(key, j.now)
	}
	return known
}

// forgedKey identifies a token and the set of keys that its signature failed with: with another set it may pass.
func (j *cookieJudge) forgedKey(c *judgedCookie) [sha256.Size]byte {
	var generation uint64
	if keys := j.verifier.Keys().Current(); keys != nil {
		generation = keys.Generation
	}
	return sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, generation), c.read.Raw...))
}

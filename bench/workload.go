package bench

import (
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Workload is what the requests of one measurement carry.
type Workload struct {
	Name string
	Note string
	// Admitted is whether the application must be reached.
	Admitted bool
	// Seen says that every token is sent once before the clock starts.
	Seen bool
	// Tokens are sent one after the other, and then from the first again. None: requests without a token.
	Tokens func(p *Pool) ([]string, error)

	remembered int // for Site.Remembered
}

// The workloads that the report refers to.
const (
	SameToken  = "same token"
	FreshToken = "fresh tokens"
)

// Workloads are all workloads, in the order of the tables.
func Workloads() []Workload {
	return []Workload{
		{
			Name: SameToken, Note: "one valid token, again and again", Admitted: true,
			Tokens: func(p *Pool) ([]string, error) { return p.Tokens[:1], nil },
		},
		{
			Name: FreshToken, Note: "20 000 valid tokens in turn, and a cache of 4096: none is remembered when it is sent again", Admitted: true,
			remembered: 4096,
			Tokens:     func(p *Pool) ([]string, error) { return p.Tokens, nil },
		},
		{
			Name: "10 000 live", Note: "10 000 valid tokens in turn, all of them seen before", Admitted: true, Seen: true,
			Tokens: func(p *Pool) ([]string, error) { return p.Tokens[:10_000], nil },
		},
		{
			Name: "none", Note: "no token at all",
			Tokens: func(*Pool) ([]string, error) { return nil, nil },
		},
		{
			Name: "garbage", Note: "a value of a token's length that is none",
			Tokens: func(p *Pool) ([]string, error) { return []string{strings.Repeat("g", len(p.Tokens[0]))}, nil },
		},
		{Name: "expired", Note: "ran out an hour ago", Tokens: signed(func(c jwt.MapClaims) {
			c["exp"] = time.Now().Add(-time.Hour).Unix()
		})},
		{Name: "wrong azp", Note: "minted for another origin", Tokens: signed(func(c jwt.MapClaims) {
			c["azp"] = "https://evil.bench.example"
		})},
		{
			Name: "bad signature", Note: "a valid token with one byte of its signature changed",
			Tokens: func(p *Pool) ([]string, error) { return []string{flipped(p.Tokens[0])}, nil },
		},
	}
}

// signed is one token of the pool's key with a change to its claims.
func signed(change func(jwt.MapClaims)) func(*Pool) ([]string, error) {
	return func(p *Pool) ([]string, error) {
		claims := Claims(0)
		change(claims)
		token, err := Sign(p.Key, KeyID, claims)
		return []string{token}, err
	}
}

// flipped changes a character in the middle of the signature, so that what is left is still canonical base64url.
func flipped(token string) string {
	i := len(token) - 100
	other := "A"
	if token[i] == 'A' {
		other = "B"
	}
	return token[:i] + other + token[i+1:]
}

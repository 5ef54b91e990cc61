package bench

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Case is one token of the table of answers.
type Case struct {
	Name string
	// Admit is what an application that trusts one origin of one Clerk instance wants.
	Admit bool
	Token func(p *Pool) (string, error)
}

// Cases are the questions of the table of answers.
func Cases() []Case {
	claims := func(name string, admit bool, change func(jwt.MapClaims)) Case {
		return Case{name, admit, func(p *Pool) (string, error) {
			tokens, err := signed(change)(p)
			return tokens[0], err
		}}
	}
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	return []Case{
		claims("valid", true, func(jwt.MapClaims) {}),
		claims("valid, without aud, as Clerk mints by default", true, func(c jwt.MapClaims) { delete(c, "aud") }),
		{"no token", false, func(*Pool) (string, error) { return "", nil }},
		{"garbage", false, func(*Pool) (string, error) { return "garbage", nil }},
		{"signature of another token", false, func(p *Pool) (string, error) {
			signed, _, _ := cutLast(p.Tokens[0])
			_, signature, _ := cutLast(p.Tokens[1])
			return signed + "." + signature, nil
		}},
		claims("expired an hour ago", false, func(c jwt.MapClaims) { c["exp"] = in(-time.Hour) }),
		claims("expired 2 s ago (clocks differ)", true, func(c jwt.MapClaims) { c["exp"] = in(-2 * time.Second) }),
		claims("no exp", false, func(c jwt.MapClaims) { delete(c, "exp") }),
		claims("issued 2 s in the future (clocks differ)", true, func(c jwt.MapClaims) {
			c["iat"], c["nbf"] = in(2*time.Second), in(2*time.Second)
		}),
		claims("not valid before an hour from now", false, func(c jwt.MapClaims) { c["nbf"] = in(time.Hour) }),
		claims("issued an hour in the future", false, func(c jwt.MapClaims) { c["iat"] = in(time.Hour) }),
		claims("azp of another origin", false, func(c jwt.MapClaims) { c["azp"] = "https://evil.bench.example" }),
		claims("azp in another case of letters: AZP", false, func(c jwt.MapClaims) {
			delete(c, "azp")
			c["AZP"] = Party
		}),
		claims("no azp", false, func(c jwt.MapClaims) { delete(c, "azp") }),
		claims("issuer of another instance", false, func(c jwt.MapClaims) { c["iss"] = "https://clerk.evil.example" }),
		claims("machine token (sub mch_)", false, func(c jwt.MapClaims) { c["sub"] = "mch_2bench" }),
		claims("no sub and no sid", false, func(c jwt.MapClaims) {
			delete(c, "sub")
			delete(c, "sid")
		}),
		claims("pending session (sts)", false, func(c jwt.MapClaims) { c["sts"] = "pending" }),
		header("category of a token that is no session (cat)", func(h map[string]any) { h["cat"] = "cl_B7d4PD222AAA" }),
		header("unknown critical header (crit)", func(h map[string]any) { h["crit"], h["exp2"] = []string{"exp2"}, 1 }),
		header("unknown kid", func(h map[string]any) { h["kid"] = "ins_unknown" }),
		header("no kid", func(h map[string]any) { delete(h, "kid") }),
		{"alg none", false, func(*Pool) (string, error) {
			token := jwt.NewWithClaims(jwt.SigningMethodNone, Claims(0))
			token.Header["kid"] = KeyID
			return token.SignedString(jwt.UnsafeAllowNoneSignatureType)
		}},
		{"alg HS256, keyed with the public key", false, hmacWithPublicKey},
		{"a million dots", false, func(*Pool) (string, error) { return strings.Repeat(".", 1_000_000), nil }},
	}
}

// header is a case with a change to a token's header.
func header(name string, change func(map[string]any)) Case {
	return Case{name, false, func(p *Pool) (string, error) {
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, Claims(0))
		token.Header["kid"] = KeyID
		change(token.Header)
		return token.SignedString(p.Key)
	}}
}

func hmacWithPublicKey(p *Pool) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(&p.Key.PublicKey)
	if err != nil {
		return "", err
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, Claims(0))
	token.Header["kid"] = KeyID
	return token.SignedString(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

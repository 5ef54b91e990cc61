package clerktest

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth"
)

// Token mints a token and signs it with the current key.
//
// If Claims.Header has an alg, the token is signed with it, as by an attacker who knows the published key and hopes that
// the verifier obeys alg: with HS256, HS384 or HS512 the secret is JWTKey, with "none" the signature is empty. If an RSA
// key cannot sign with that alg, the signature is RS256.
func (in *Instance) Token(c Claims) string {
	return mint(in, c, in.keys.signing())
}

// Forge is Token, signed with a key that is never published, under the kid of the current key.
func (in *Instance) Forge(c Claims) string {
	private, err := forgeryKey()
	if err != nil {
		panic("clerktest: make an RSA key: " + err.Error())
	}
	return mint(in, c, signingKey{kid: in.KeyID(), private: private})
}

// Session returns the session that the middleware makes of a token with these claims, for clerkauth.NewContext. Any
// authorized party and Issuer are accepted, and a pending session is returned. It panics if the claims are not those of a
// session that could be accepted.
func (in *Instance) Session(c Claims) *clerkauth.Session {
	key := in.keys.signing()
	auth, err := clerkauth.New(clerkauth.Config{
		PublishableKey:        in.publishableKey,
		JWTKey:                string(key.pem()),
		Issuers:               []string{cmp.Or(c.Issuer, in.Issuer())},
		InsecureAllowAnyParty: true,
		AllowPending:          true,
		Now:                   in.now,
	})
	if err != nil {
		panic("clerktest: Session: " + err.Error())
	}
	session, err := auth.VerifyToken(context.Background(), mint(in, c, key))
	if err != nil {
		panic("clerktest: Session: " + err.Error())
	}
	return session
}

func mint(in *Instance, c Claims, key signingKey) string {
	segment := base64.RawURLEncoding.EncodeToString
	c = c.filled(in)
	header := c.header(key.kid)
	signed := segment(header) + "." + segment(c.payload())
	return signed + "." + segment(sign(algorithm(header), signed, key))
}

// algorithm is the alg of the header; empty if there is none.
func algorithm(header []byte) string {
	var h struct {
		Alg any `json:"alg"`
	}
	_ = json.Unmarshal(header, &h) // a RawHeader may be anything
	alg, _ := h.Alg.(string)
	return alg
}

func sign(alg, signed string, key signingKey) []byte {
	method, with := jwt.GetSigningMethod(alg), any(key.private)
	switch method.(type) {
	case *jwt.SigningMethodRSA, *jwt.SigningMethodRSAPSS:
	case *jwt.SigningMethodHMAC:
		with = key.pem()
	default:
		if alg == jwt.SigningMethodNone.Alg() {
			with = jwt.UnsafeAllowNoneSignatureType
			break
		}
		method = jwt.SigningMethodRS256
	}
	signature, err := method.Sign(signed, with)
	if err != nil {
		panic("clerktest: sign: " + err.Error()) // cannot happen: the key suits the method
	}
	return signature
}

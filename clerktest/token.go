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
// An alg in Claims.Header is signed with, as an attacker would who knows the published key and a verifier that lets
// the token choose: with HS256 and its kin the secret is JWTKey, with "none" the signature is empty. With what an RSA
// key cannot sign it is RS256 that signs.
func (in *Instance) Token(c Claims) string {
	return mint(in, c, in.keys.signing())
}

// Forge is Token with a key that is published nowhere, under the kid of the current one.
func (in *Instance) Forge(c Claims) string {
	private, err := forgeryKey()
	if err != nil {
		panic("clerktest: make an RSA key: " + err.Error())
	}
	return mint(in, c, signingKey{kid: in.KeyID(), private: private})
}

// Session is what the middleware makes of a token with these claims, for clerkauth.NewContext. Any authorized party
// and any Issuer will do, and a pending session is returned as one. It panics if they are not the claims of a session to accept.
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

// algorithm is what the header says, and empty if it does not.
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
		panic("clerktest: sign: " + err.Error()) // cannot be: the key is the method's own
	}
	return signature
}

package sessiontoken

import (
	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/jose"
)

// header is a JOSE header, as far as it matters.
type header struct {
	alg           string
	kid, typ, cat Text
}

// decodeHeader refuses headers that ask for something this package does not do: extensions that must be
// understood (RFC 7515 section 4.1.11), unencoded payloads (RFC 7797), encryption, compression, and keys that
// the token brings along itself.
func decodeHeader(text string) (header, Fault) {
	members, err := jose.Object(text)
	if err != nil {
		return header{}, faultHeader
	}
	var h header
	for _, m := range members {
		switch m.Name {
		case "alg":
			h.alg, _ = jose.String(m.Raw)
		case "kid":
			h.kid = decodeText(m.Raw)
		case "typ":
			h.typ = decodeText(m.Raw)
		case "cat":
			h.cat = decodeText(m.Raw)
		case "crit", "b64", "enc", "zip", "jwk", "jku", "x5u", "x5c":
			return header{}, faultExtension
		}
	}
	return h, NoFault
}

// Categories that Clerk puts into the cat header of session tokens.
const (
	categorySession = "cl_B7d4PD111AAA"
	categoryIgnore  = "cl_I7d4PD111III"
)

// categoryM2M is that of machine-to-machine tokens. Tokens of JWT templates have another; OAuth access tokens have none.
const categoryM2M = "cl_B7d4PD333AAA"

// rs256 reports whether a token is signed with the one algorithm that Clerk uses.
func (h *header) rs256() bool { return h.alg == jwt.SigningMethodRS256.Alg() }

// jwt reports whether a token is a JWT (RFC 7519 section 5.1), or does not say.
func (h *header) jwt() bool { return h.typ.State == Absent || h.typ.Value == "JWT" }

// kindFault tells a session token from one made for a machine, for OAuth or from a JWT template: those are signed with
// the same keys.
func (h *header) kindFault(c *Claims) Fault {
	switch {
	case h.accessToken():
		return faultAccessToken
	case ofMachine(c):
		return faultMachine
	case h.cat.State != Absent && h.cat.Value != categorySession && h.cat.Value != categoryIgnore:
		return faultCategory
	}
	return NoFault
}

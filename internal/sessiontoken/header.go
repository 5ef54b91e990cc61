package sessiontoken

import (
	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/jose"
)

// header has the relevant members of a JOSE header.
type header struct {
	alg           string
	kid, typ, cat Text
}

// decodeHeader refuses headers that require unsupported features: critical extensions (RFC 7515 section 4.1.11), unencoded
// payloads (RFC 7797), encryption, compression, and keys in the token itself.
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

// The values of cat in the header of Clerk's session tokens.
const (
	categorySession = "cl_B7d4PD111AAA"
	categoryIgnore  = "cl_I7d4PD111III"
)

// categoryM2M is the category of machine-to-machine tokens. Tokens of JWT templates have another; OAuth access tokens have
// none.
const categoryM2M = "cl_B7d4PD333AAA"

// rs256 reports whether a token is signed with the one algorithm that Clerk uses.
func (h *header) rs256() bool { return h.alg == jwt.SigningMethodRS256.Alg() }

// jwt reports whether typ is JWT (RFC 7519 section 5.1), or absent.
func (h *header) jwt() bool { return h.typ.State == Absent || h.typ.Value == "JWT" }

// kindFault distinguishes a session token from tokens of machines, OAuth and JWT templates, which are signed with the same
// keys.
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

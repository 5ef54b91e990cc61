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
func decodeHeader(text string) (header, bool) {
	members, err := jose.Object(text)
	if err != nil {
		return header{}, false
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
			return header{}, false
		}
	}
	return h, true
}

// Categories that Clerk puts into the cat header of session tokens.
const (
	categorySession = "cl_B7d4PD111AAA"
	categoryIgnore  = "cl_I7d4PD111III"
)

// Categories of tokens that are no session's.
const (
	categoryTemplate = "cl_B7d4PD222AAA"
	categoryM2M      = "cl_B7d4PD333AAA"
)

// rs256 reports whether a token is signed with the one algorithm that Clerk uses.
func (h *header) rs256() bool { return h.alg == jwt.SigningMethodRS256.Alg() }

// jwt reports whether a token is a JWT (RFC 7519 section 5.1), or does not say.
func (h *header) jwt() bool { return h.typ.State == Absent || h.typ.Value == "JWT" }

// sessionKind reports whether a token is a session token, rather than one made for a machine, for OAuth or from
// a JWT template: those are signed with the same keys.
func (h *header) sessionKind(c *Claims) bool {
	if h.accessToken() || ofMachine(c) {
		return false
	}
	return h.cat.State == Absent || h.cat.Value == categorySession || h.cat.Value == categoryIgnore
}

package sessiontoken

import (
	"errors"
	"strconv"

	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/redact"
)

// Fault is what is wrong with the size, the form, the header or the kind of a token.
type Fault uint8

// NoFault means that the signature of a token can be verified.
const NoFault Fault = 0

const (
	faultSize Fault = iota + 1
	faultDots
	faultForm
	faultHeader
	faultExtension
	faultPayload
	faultCredential
	faultAccessToken
	faultMachine
	faultCategory
)

var faultTexts = [...]string{ //nolint:gosec // no credential is in it
	faultDots:        "the token has no dots; a session token is a JWT, three parts with dots between them",
	faultForm:        "the token is not three parts of base64url with dots between them: was it cut off?",
	faultHeader:      "the token's header is not a JSON object, or repeats a name",
	faultExtension:   "the token's header has crit, b64, enc, zip, jwk, jku, x5u or x5c, which Clerk never sets",
	faultPayload:     "the token's payload is not a JSON object, or repeats a name",
	faultCredential:  "the token is an API key, a machine token or an OAuth token (ak_, mt_, oat_), not a session token",
	faultAccessToken: "typ is at+jwt: the token is an OAuth access token, not a session token",
	faultMachine:     "sub is a machine: the token is not a session token",
	faultCategory:    "cat is not that of a session token: was the token made from a JWT template?",
}

// Reason is the reason for this fault; empty: NoFault.
func (f Fault) Reason() reasons.Reason {
	switch f {
	case NoFault:
		return ""
	case faultCredential, faultAccessToken, faultMachine, faultCategory:
		return reasons.TokenTypeMismatch
	}
	return reasons.TokenInvalid
}

// Detail describes this fault of a token of size n, for logs.
func (f Fault) Detail(n *SizeError) error {
	if f == faultSize {
		return n
	}
	return faultError(f)
}

type faultError Fault

func (f faultError) Error() string { return faultTexts[f] }

// SizeError is the size of a token that is too long, in bytes. The pointer is the error, so that it can be part of another
// struct.
type SizeError int

func (n *SizeError) Error() string {
	return "the token has " + strconv.Itoa(int(*n)) + " bytes, more than the limit"
}

// Detail describes, for logs, what is wrong with a token that was refused for reason; nil: it is the claims, or unknown.
func (t *Token) Detail(reason reasons.Reason) error {
	switch {
	case t.Fault == faultSize:
		n := SizeError(len(t.Raw))
		return &n
	case t.Fault != NoFault:
		return faultError(t.Fault)
	case t.jws == nil:
		return nil
	}
	h := &t.jws.header
	switch reason {
	case reasons.KeyUnknown:
		if h.kid.State != Present {
			return errNoKID
		}
		return keyError{redact.SeenError{Before: "this instance has no key with the kid ", Seen: redact.See(h.kid.Value)}}
	case reasons.KeysUnavailable:
		return t.jws.failure
	case reasons.TokenInvalid:
		return redact.SeenError{Before: "typ is ", Seen: redact.See(h.typ.Value), After: ", but must be JWT"}
	case reasons.TokenAlgorithm:
		return redact.SeenError{Before: "alg is ", Seen: redact.See(h.alg), After: ", but must be RS256"}
	case reasons.TokenSignature:
		return keyError{redact.SeenError{Before: "the signature does not match the key with the kid ", Seen: redact.See(h.kid.Value)}}
	}
	return nil
}

// FieldOfKeys is the field of details about the instance's keys, from wherever they are fetched.
const FieldOfKeys = "keys"

// keyError is about a token that is not signed with a key of the instance.
type keyError struct{ redact.SeenError }

func (keyError) Field() string { return FieldOfKeys }

var errNoKID = errors.New("the token's header has no kid, or one that is not a string")

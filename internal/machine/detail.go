package machine

import (
	"errors"
	"strconv"
)

// A detail is one line for logs about a refusal. It contains no more of a credential than the four letters of its kind, and
// nothing about its owner.

// Why a credential is not accepted.
var (
	errSubject     = errors.New("the claim sub is missing")
	errCategory    = errors.New("the claim cat is that of another kind of token")
	errScopes      = errors.New("the scopes are malformed")
	errExpired     = errors.New("the credential has expired")
	errRevoked     = errors.New("the credential was revoked")
	errUnknown     = errors.New("the Backend API does not know the credential")
	errRefused     = errors.New("the Backend API refuses the credential")
	errInactive    = errors.New("the credential is not active any more")
	errNoExp       = errors.New("the claim exp is missing or malformed")
	errDate        = errors.New("the claim nbf or iat is malformed")
	errOtherTarget = &fieldError{"the token is for other machines, not for MachineID", "MachineID"}
)

// Why nothing is known about it.
var (
	errNoSecret = &fieldError{"the credential cannot be verified without SecretKey; set it", "SecretKey"}
	errTooMany  = errors.New("too many calls to the Backend API are running, or were made a moment ago")
	errLeft     = errors.New("the request ended before the Backend API answered")
)

// formError is the detail of a malformed credential with this prefix.
type formError string

func (begin formError) Error() string {
	return string(begin) + " is malformed: Clerk issues no such credential"
}

// fieldError is a detail with a fixed text.
type fieldError struct{ text, field string }

func (e *fieldError) Error() string { return e.text }

// Field is the field of Config that it is about.
func (e *fieldError) Field() string { return e.field }

type audienceError int

func (n audienceError) Error() string {
	return "the claim aud is missing, or matches none of the " + strconv.Itoa(int(n)) + " in MachineAudience"
}

// Field is the field of Config that it is about.
func (audienceError) Field() string { return "MachineAudience" }

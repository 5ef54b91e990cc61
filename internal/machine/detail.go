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
	errCategory    = errors.New("the category is another kind of token's")
	errScopes      = errors.New("the scopes have another form than Clerk's")
	errExpired     = errors.New("it has expired")
	errRevoked     = errors.New("it was revoked")
	errUnknown     = errors.New("the Backend API does not know it")
	errRefused     = errors.New("the Backend API refuses it")
	errInactive    = errors.New("it is not active any more")
	errNoExp       = errors.New("the claim exp is missing or has another form than Clerk's")
	errDate        = errors.New("the claim nbf or iat has another form than Clerk's")
	errOtherTarget = &fieldError{"the token is for other machines than MachineID", "MachineID"}
)

// Why nothing is known about it.
var (
	errNoSecret = &fieldError{"there is no secret key to verify it with", "SecretKey"}
	errTooMany  = errors.New("too many questions are under way, or were asked lately")
	errLeft     = errors.New("the request ended before the Backend API answered")
)

// formError is the detail of a malformed credential with this prefix.
type formError string

func (begin formError) Error() string {
	return string(begin) + " has a form that Clerk does not issue"
}

// fieldError is a detail with a fixed text.
type fieldError struct{ text, field string }

func (e *fieldError) Error() string { return e.text }

// Field is the field of Config that it is about.
func (e *fieldError) Field() string { return e.field }

type audienceError int

func (n audienceError) Error() string {
	return "the claim aud is missing, or has none of the " + strconv.Itoa(int(n)) + " in MachineAudience"
}

// Field is the field of Config that it is about.
func (audienceError) Field() string { return "MachineAudience" }

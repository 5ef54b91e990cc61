package machine

import (
	"errors"
	"strconv"
)

// A detail says in one line, for logs, what there is to know about a refusal. None has more of a credential than the four
// letters that tell its kind, nor whose it is.

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

// Why nothing is known of it.
var (
	errNoSecret = &fieldError{"there is no secret key to verify it with", "SecretKey"}
	errTooMany  = errors.New("too many questions are under way, or were asked lately")
	errLeft     = errors.New("the request ended before the Backend API answered")
)

// formError is the detail of a credential that begins like this.
type formError string

func (begin formError) Error() string {
	return string(begin) + " has a form that Clerk does not issue"
}

// fieldError is a detail that is always the same.
type fieldError struct{ text, field string }

func (e *fieldError) Error() string { return e.text }

// Field is that of Config which it speaks of.
func (e *fieldError) Field() string { return e.field }

type audienceError int

func (n audienceError) Error() string {
	return "the claim aud is missing, or has none of the " + strconv.Itoa(int(n)) + " in MachineAudience"
}

// Field is that of Config which it speaks of.
func (audienceError) Field() string { return "MachineAudience" }

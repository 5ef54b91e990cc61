package backendapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/clerkauth/clerkauth/internal/limits"
	"github.com/clerkauth/clerkauth/internal/transport"
)

// ErrUnreachable is a question without an answer, or with none that is JSON.
var ErrUnreachable error = unanswered{errFetch, nil}

var (
	errFetch            = errors.New("fetch-error")
	errMalformed  error = unanswered{errors.New("unexpected-sdk-error"), nil} // an answer of another shape
	errUnexpected       = errors.New("unexpected-bapi-error")                 // an answer without what was asked for
	errTooMany          = errors.New("too-many-questions")                    // a limit of this package's own is used up
)

// APIError is the code of an error that the Backend API names.
type APIError string

func (e APIError) Error() string { return string(e) }

// unanswered is an error that says nothing about what was asked: whether the nonce or the session is good is not known.
type unanswered struct {
	error                        // its code
	cause *transport.OutageError // nil: none is known
}

func (u unanswered) Unwrap() error { return u.error }

// Is serves errors.Is: what arrived instead of an answer makes no other error of it.
func (u unanswered) Is(target error) bool {
	other, ok := target.(unanswered)
	return ok && other.error == u.error
}

// Cause is what there is to know about err, of this package, for logs; nil: no more than it says itself.
func Cause(err error) error {
	if u, ok := errors.AsType[unanswered](err); ok && u.cause != nil {
		return u.cause
	}
	return nil
}

// outage adds to err, of a question, what arrived instead of an answer, and returns that too.
func outage(err error, address string, status int, failure error) (*transport.OutageError, error) {
	u, ok := errors.AsType[unanswered](err)
	if !ok {
		return nil, err
	}
	u.cause = transport.NewOutage(address, status, failure)
	return u.cause, u
}

// Unanswered reports whether err, of this package, leaves open what was asked: the Backend API could not be reached,
// was overloaded, refused the secret key or was not asked at all.
func Unanswered(err error) bool {
	_, ok := errors.AsType[unanswered](err)
	return ok
}

// code is what a code may look like: it goes into a header and a redirect.
var code = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// readError reads a status that is not 200. Only an error that Clerk names says something about what was asked: any other
// may come from whatever stands in between, or answers at another address.
func readError(status int, content []byte) error {
	err := namedError(content)
	_, named := err.(APIError) //nolint:errorlint // it was just made
	if !named || status < http.StatusBadRequest || limits.Overloaded(status) || refusesKey(status, err) {
		return unanswered{err, nil}
	}
	return err
}

func namedError(content []byte) error {
	var body struct {
		Errors []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	if json.Unmarshal(content, &body) != nil || len(body.Errors) == 0 {
		return errUnexpected
	}
	switch name := body.Errors[0].Code; {
	case name == "":
		return errMalformed
	case name == "unexpected_error":
		return ErrUnreachable
	case !code.MatchString(name):
		return errUnexpected
	default:
		return APIError(name)
	}
}

// refusesKey reports whether the secret key was refused, rather than what was asked: a refused session or refresh token
// has a code that names it.
func refusesKey(status int, err error) bool {
	if status != http.StatusUnauthorized && status != http.StatusForbidden {
		return false
	}
	name, ok := errors.AsType[APIError](err)
	return !ok || !strings.Contains(string(name), "session") && !strings.Contains(string(name), "refresh")
}

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

// ErrUnreachable is the error of a call without an answer, or with an answer that is not JSON.
var ErrUnreachable error = unanswered{errFetch, nil}

var (
	errFetch            = errors.New("fetch-error")
	errMalformed  error = unanswered{errors.New("unexpected-sdk-error"), nil} // an answer of another form
	errUnexpected       = errors.New("unexpected-bapi-error")                 // an answer without the expected contents
	errTooMany          = errors.New("too-many-questions")                    // a limit of this package was exceeded
)

// APIError is the code of an error that the Backend API names.
type APIError string

func (e APIError) Error() string { return string(e) }

// unanswered is an error that decides nothing: whether the nonce or the session is valid remains unknown.
type unanswered struct {
	error                        // its code
	cause *transport.OutageError // nil: unknown
}

func (u unanswered) Unwrap() error { return u.error }

// Is serves errors.Is: errors are equal whatever their cause.
func (u unanswered) Is(target error) bool {
	other, ok := target.(unanswered)
	return ok && other.error == u.error
}

// Cause is what is known about err, an error of this package, for logs; nil: nothing but its text.
func Cause(err error) error {
	if u, ok := errors.AsType[unanswered](err); ok && u.cause != nil {
		return u.cause
	}
	return nil
}

// outage adds the cause to err, the error of a call, and returns the cause too.
func outage(err error, address string, status int, failure error) (*transport.OutageError, error) {
	u, ok := errors.AsType[unanswered](err)
	if !ok {
		return nil, err
	}
	u.cause = transport.NewOutage(address, status, failure)
	return u.cause, u
}

// Unanswered reports whether err, an error of this package, decides nothing: the Backend API could not be reached, was
// overloaded, refused the secret key, or was not called.
func Unanswered(err error) bool {
	_, ok := errors.AsType[unanswered](err)
	return ok
}

// code is the form of an error code, which is sent in a header and a redirect.
var code = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// readError returns the error of a status that is not 200. Only an error with Clerk's code says something about the nonce
// or session: any other may come from a proxy in between, or from a wrong address.
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

// refusesKey reports whether the secret key was refused, rather than the nonce or session: for those, the code names them.
func refusesKey(status int, err error) bool {
	if status != http.StatusUnauthorized && status != http.StatusForbidden {
		return false
	}
	name, ok := errors.AsType[APIError](err)
	return !ok || !strings.Contains(string(name), "session") && !strings.Contains(string(name), "refresh")
}

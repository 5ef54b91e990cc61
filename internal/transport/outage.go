package transport

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
)

// OutageError describes a call to the Backend API that was not answered, for logs.
type OutageError struct {
	URL     string // of the endpoint, without anything of a single call
	Status  int    // 0: there was no response
	Err     error  // the cause; nil: the status
	Machine bool   // the call had MachineSecretKey instead of SecretKey
}

// NewOutage returns the OutageError of a call to address. err is the error of the http.Client.
func NewOutage(address string, status int, err error) *OutageError {
	if whole, ok := errors.AsType[*url.Error](err); ok {
		err = whole.Err // without the URL
	}
	return &OutageError{URL: address, Status: status, Err: err}
}

func (e *OutageError) Error() string {
	switch {
	case e.KeyRefused():
		return e.URL + " answered " + strconv.Itoa(e.Status) + "; check that " + e.Key() + " is of this instance and not revoked"
	case e.Status != 0:
		return e.URL + " answered " + strconv.Itoa(e.Status) + ", which is not a usable answer"
	}
	return e.URL + ": " + e.Err.Error()
}

func (e *OutageError) Unwrap() error { return e.Err }

// KeyRefused reports whether the secret key was refused.
func (e *OutageError) KeyRefused() bool {
	return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
}

// Key names the secret key that was sent: its field of Config and its variable.
func (e *OutageError) Key() string {
	if e.Machine {
		return "MachineSecretKey (CLERK_MACHINE_SECRET_KEY)"
	}
	return "SecretKey (CLERK_SECRET_KEY)"
}

// Field is the field of Config that an outage is about.
func (e *OutageError) Field() string {
	switch {
	case e.KeyRefused() && e.Machine:
		return "MachineSecretKey"
	case e.KeyRefused():
		return "SecretKey"
	}
	return "BackendAPIURL"
}

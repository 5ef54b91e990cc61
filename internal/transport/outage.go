package transport

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
)

// OutageError is what became of a question to the Backend API instead of an answer, for logs.
type OutageError struct {
	URL     string // of the endpoint: nothing of one question is in it
	Status  int    // 0: nothing arrived
	Err     error  // why; nil: the status says it
	Machine bool   // MachineSecretKey was sent, and not SecretKey
}

// NewOutage returns the OutageError of a question to address. err is what an http.Client says.
func NewOutage(address string, status int, err error) *OutageError {
	if whole, ok := errors.AsType[*url.Error](err); ok {
		err = whole.Err // without the address
	}
	return &OutageError{URL: address, Status: status, Err: err}
}

func (e *OutageError) Error() string {
	switch {
	case e.KeyRefused():
		return e.URL + " answered " + strconv.Itoa(e.Status) + ": is " + e.Key() + " this instance's, and not revoked?"
	case e.Status != 0:
		return e.URL + " answered " + strconv.Itoa(e.Status) + ", which is no answer to what was asked"
	}
	return e.URL + ": " + e.Err.Error()
}

func (e *OutageError) Unwrap() error { return e.Err }

// KeyRefused reports whether the secret key was refused.
func (e *OutageError) KeyRefused() bool {
	return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
}

// Key names the secret key that was sent: the field of Config and the variable.
func (e *OutageError) Key() string {
	if e.Machine {
		return "MachineSecretKey (CLERK_MACHINE_SECRET_KEY)"
	}
	return "SecretKey (CLERK_SECRET_KEY)"
}

// Field is that of Config which an outage speaks of.
func (e *OutageError) Field() string {
	switch {
	case e.KeyRefused() && e.Machine:
		return "MachineSecretKey"
	case e.KeyRefused():
		return "SecretKey"
	}
	return "BackendAPIURL"
}

package clerkauth

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/jwks"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
	"github.com/clerkauth/clerkauth/internal/transport"
)

// newKeys chooses where keys are fetched. It never falls back from one source to another: whoever controls the host of the
// Frontend API must not choose the keys of an application that has a secret key.
func newKeys(s *settings) *jwks.Keys {
	if s.jwtKey != nil {
		return jwks.Fixed(s.jwtKey, s.keyMaxAge)
	}
	source := jwks.Endpoint(s.client, s.frontend+"/.well-known/jwks.json")
	if s.secretKey != "" {
		source = explained(jwks.Endpoint(backendapi.Authorize(s.client, s.secretKey), s.backend+"/v1/jwks"))
	}
	return jwks.New(source, s.keyMaxAge, s.now, s.warnOfKeys)
}

// explained wraps a source at the Backend API, and reports when a status means that the secret key was refused.
func explained(source jwks.Source) jwks.Source {
	return func(ctx context.Context, etag string, fresh bool) (jwks.Document, error) {
		doc, err := source(ctx, etag, fresh)
		if s, ok := errors.AsType[*jwks.StatusError](err); ok {
			if outage := (&transport.OutageError{URL: s.URL, Status: s.Status}); outage.KeyRefused() {
				err = outage
			}
		}
		return doc, err
	}
}

// warnOfKeys logs why keys could not be fetched, with the field of Config to check.
func (s *settings) warnOfKeys(err error) {
	if clock, ok := errors.AsType[*jwks.ClockError](err); ok {
		s.warnings.Warn("clock", "the clock of this machine is wrong, so that sessions end early or start late; synchronize it", "ahead_of_clerk", clock.Ahead.String())
		return
	}
	if outage, ok := errors.AsType[*transport.OutageError](err); ok {
		s.warnOfBackend(outage)
		return
	}
	if status, ok := errors.AsType[*jwks.StatusError](err); ok {
		s.warnings.Warn("keys "+strconv.Itoa(status.Status), "keys could not be loaded", "url", status.URL, "status", status.Status)
		return
	}
	s.warnings.Warn("keys", "keys could not be loaded", "error", err)
}

// warnOfBackend logs that the Backend API did not answer, or refused the secret key.
func (s *settings) warnOfBackend(e *transport.OutageError) {
	if e.KeyRefused() {
		s.warnings.Warn("secret key "+e.Key(), "the Backend API refuses the secret key; check that Config."+e.Key()+" is of this instance and not revoked", "url", e.URL, "status", e.Status)
		return
	}
	s.warnings.Warn("backend "+e.URL+strconv.Itoa(e.Status), "a call to the Backend API failed", "url", e.URL, "status", e.Status, "error", e.Err)
}

// warnOfClock logs that the times of a token that was just minted differ from this machine's clock.
func (s *settings) warnOfClock(ahead time.Duration) {
	s.warnings.Warn("clock", "the clock of this machine is wrong, so that session tokens are refused; synchronize it", "ahead_of_clerk", ahead.String())
}

// warnOfSize logs that a session cookie is too large for browsers to keep.
func (s *settings) warnOfSize(bytes, limit int) {
	s.warnings.Warn("size", "a session token is larger than browsers keep as a cookie, so that each page load needs a handshake; remove custom claims in Clerk's Dashboard, Sessions, Customize session token", "bytes", bytes, "limit", limit)
}

// field is the field of Config that a detail is about. The keys come from one of three.
func (s *settings) field(name string) string {
	switch {
	case name != sessiontoken.FieldOfKeys:
		return name
	case s.jwtKey != nil:
		return "JWTKey"
	case s.secretKey != "":
		return "SecretKey"
	}
	return "PublishableKey"
}

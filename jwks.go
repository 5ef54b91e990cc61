package clerkauth

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/jwks"
)

// newKeys chooses where keys come from. There is no fallback from one to the next: whoever controls the
// Frontend API's host must not choose the keys of an application that has a secret.
func newKeys(s *settings) *jwks.Keys {
	if s.jwtKey != nil {
		return jwks.Fixed(s.jwtKey, s.keyMaxAge)
	}
	source := jwks.Endpoint(s.client, s.frontend+"/.well-known/jwks.json")
	if s.secretKey != "" {
		source = jwks.Endpoint(backendapi.Authorize(s.client, s.secretKey), s.backend+"/v1/jwks")
	}
	return jwks.New(source, s.keyMaxAge, s.now, s.warnOfKeys)
}

// warnOfKeys logs what a fetch of keys showed to be wrong, with the field of Config to look at.
func (s *settings) warnOfKeys(err error) {
	if clock, ok := errors.AsType[*jwks.ClockError](err); ok {
		s.warnings.Warn("clock", "sessions end early or begin late, because the clock of this machine is off", "ahead_of_clerk", clock.Ahead.String())
		return
	}
	status, answered := errors.AsType[*jwks.StatusError](err)
	switch {
	case answered && s.secretKey != "" && (status.Status == http.StatusUnauthorized || status.Status == http.StatusForbidden):
		s.warnings.Warn("keys refused", "the Backend API refuses the secret key: is Config.SecretKey (CLERK_SECRET_KEY) this instance's, and not revoked?", "url", status.URL, "status", status.Status)
	case answered:
		s.warnings.Warn("keys "+strconv.Itoa(status.Status), "keys could not be loaded", "url", status.URL, "status", status.Status)
	default:
		s.warnings.Warn("keys", "keys could not be loaded", "error", err)
	}
}

// warnOfClock logs that a token which was just minted is of another time than this machine's.
func (s *settings) warnOfClock(ahead time.Duration) {
	s.log.Warn("clerkauth: this machine's clock is off; sessions will not last", "ahead_of_clerk", ahead.String())
}

package clerkauth

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/jwks"
)

// keys are one instance's keys. They belong to an Authenticator, never to the process.
type keys struct{ *jwks.Keys }

// newKeys chooses where keys come from. There is no fallback from one to the next: whoever controls the
// Frontend API's host must not choose the keys of an application that has a secret.
func newKeys(s *settings) keys {
	if s.jwtKey != nil {
		return keys{jwks.Fixed(s.jwtKey, s.keyMaxAge)}
	}
	source := jwks.Endpoint(s.client, s.frontend+"/.well-known/jwks.json")
	if s.secretKey != "" {
		source = jwks.Endpoint(backendapi.Authorize(s.client, s.secretKey), s.backend+"/v1/jwks")
	}
	return keys{jwks.New(source, s.keyMaxAge, s.now, s.warnOfKeys)}
}

// warnOfKeys logs what a fetch of keys showed to be wrong, with the field of Config to look at.
func (s *settings) warnOfKeys(err error) {
	if clock, ok := errors.AsType[*jwks.ClockError](err); ok {
		s.warnings.warn("clock", "sessions end early or begin late, because the clock of this machine is off", "ahead_of_clerk", clock.Ahead.String())
		return
	}
	status, answered := errors.AsType[*jwks.StatusError](err)
	switch {
	case answered && s.secretKey != "" && (status.Status == http.StatusUnauthorized || status.Status == http.StatusForbidden):
		s.warnings.warn("keys refused", "the Backend API refuses the secret key: is Config.SecretKey (CLERK_SECRET_KEY) this instance's, and not revoked?", "url", status.URL, "status", status.Status)
	case answered:
		s.warnings.warn("keys "+strconv.Itoa(status.Status), "keys could not be loaded", "url", status.URL, "status", status.Status)
	default:
		s.warnings.warn("keys", "keys could not be loaded", "error", err)
	}
}

// forHeader returns the keys for a token, or why there are none.
func (k keys) forHeader(ctx context.Context, h *header, now time.Time) (*jwks.Snapshot, Reason) {
	s, err := k.Find(ctx, h.kid.value, now)
	switch {
	case err == nil:
		return s, ""
	case errors.Is(err, jwks.ErrUnknownKID):
		return nil, ReasonKeyUnknown
	}
	return nil, ReasonKeysUnavailable
}

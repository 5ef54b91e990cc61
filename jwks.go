package clerkauth

import (
	"context"
	"errors"
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
	return keys{jwks.New(source, s.keyMaxAge, s.now, func(err error) {
		s.log.Warn("clerkauth: keys could not be loaded", "error", err)
	})}
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

// knows reports whether the keys for a token are here, without waiting.
func (k keys) knows(h *header, now time.Time) bool { return k.Knows(h.kid.value, now) }

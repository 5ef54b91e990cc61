package connect

import (
	"context"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"github.com/clerkauth/clerkauth"
)

// UntilExpiry goes between Require and a handler that has the interceptor Expiring. It ends the wait for a client that says
// nothing.
func UntilExpiry(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if session, ok := clerkauth.FromContext(r.Context()); ok {
			// A second later, so that the handler's context has ended, and says why. A writer that cannot do this leaves the
			// stream open; Expiring hears nothing from it any more.
			_ = http.NewResponseController(w).SetReadDeadline(session.ExpiresAt.Add(time.Second))
		}
		next.ServeHTTP(w, r)
	})
}

// Expiring is an interceptor that ends streams with their token, which for Clerk's own is after a minute: nobody is served
// who has signed out since, and clients come back with a new token.
type Expiring struct{}

// WrapUnary changes nothing: what is answered once does not go on.
func (Expiring) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc { return next }

// WrapStreamingClient changes nothing.
func (Expiring) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler gives the handler a context and a stream that end with the token.
func (Expiring) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, stream connect.StreamingHandlerConn) error {
		expired := refused(&clerkauth.Error{Reason: clerkauth.ReasonTokenExpired})
		session, ok := clerkauth.FromContext(ctx)
		if !ok {
			return expired // Require is missing
		}
		// The client's own deadline, where it comes first, is not the token's.
		ctx, cancel := context.WithDeadlineCause(ctx, session.ExpiresAt, expired)
		defer cancel()
		err := next(ctx, expiring{stream, ctx})
		if err != nil && context.Cause(ctx) == error(expired) { //nolint:errorlint // the very error
			return expired
		}
		return err
	}
}

// expiring sends and receives nothing after its context.
type expiring struct {
	connect.StreamingHandlerConn
	ctx context.Context
}

func (s expiring) Send(message any) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	return s.StreamingHandlerConn.Send(message)
}

func (s expiring) Receive(message any) error {
	err := s.StreamingHandlerConn.Receive(message)
	if s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	return err
}

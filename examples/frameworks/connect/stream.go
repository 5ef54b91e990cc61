package connect

import (
	"context"
	"errors"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"github.com/clerkauth/clerkauth"
)

var (
	errNobody  = refused(&clerkauth.Error{Reason: clerkauth.ReasonSessionTokenAndUATMissing})
	errExpired = refused(&clerkauth.Error{Reason: clerkauth.ReasonTokenExpired})
)

// until is the context's key for what UntilExpiry has seen.
type until struct{}

// UntilExpiry goes between Require and a handler that has the interceptor Expiring. A stream ends with its token, which for
// Clerk's own is after a minute: nobody is served who has signed out since, and clients come back with a new token. Nobody
// gets past it without a session, or on a connection without deadlines: a client that reads nothing would keep its stream.
func UntilExpiry(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, ok := clerkauth.FromContext(r.Context())
		if !ok {
			_ = refusals.Write(w, r, errNobody) // the client may be gone
			return
		}
		// Seconds later, so that the context has ended by then, and the answer can say why.
		control, end := http.NewResponseController(w), session.ExpiresAt
		if err := errors.Join(control.SetReadDeadline(end.Add(time.Second)), control.SetWriteDeadline(end.Add(2*time.Second))); err != nil {
			_ = refusals.Write(w, r, connect.NewError(connect.CodeInternal, err))
			return
		}
		ctx, cancel := context.WithDeadlineCause(context.WithValue(r.Context(), until{}, session), end, errExpired)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Expiring is an interceptor that sends and receives nothing more once the token has expired, and says so to the client.
type Expiring struct{}

// WrapUnary changes nothing: what is answered once does not go on.
func (Expiring) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc { return next }

// WrapStreamingClient changes nothing.
func (Expiring) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler refuses a stream that UntilExpiry has not seen, and would not end.
func (Expiring) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, stream connect.StreamingHandlerConn) error {
		if ctx.Value(until{}) == nil {
			return connect.NewError(connect.CodeInternal, errors.New("the handler is not behind UntilExpiry"))
		}
		err := next(ctx, expiring{stream, ctx})
		// Whatever the handler says; but the client's own deadline, where it comes first, is not the token's.
		if context.Cause(ctx) == error(errExpired) { //nolint:errorlint // the very error
			return errExpired
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

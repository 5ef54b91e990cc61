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

// until is the context's key that UntilExpiry sets.
type until struct{}

// UntilExpiry goes between Require and a handler with the interceptor Expiring. A stream ends with its token, by default
// after a minute: somebody who has signed out gets nothing more, and clients reconnect with a new token. It refuses
// requests without a session, and connections without deadlines: a client that reads nothing would keep its stream open.
func UntilExpiry(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, ok := clerkauth.FromContext(r.Context())
		if !ok {
			_ = refusals.Write(w, r, errNobody) // the client may have gone away
			return
		}
		// A few seconds later, when the context has ended and the response can say why.
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

// Expiring is an interceptor that sends and receives nothing after the token has expired, and tells the client.
type Expiring struct{}

// WrapUnary changes nothing: a unary call has one response.
func (Expiring) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc { return next }

// WrapStreamingClient changes nothing.
func (Expiring) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler refuses a stream without UntilExpiry, which would not end.
func (Expiring) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, stream connect.StreamingHandlerConn) error {
		if ctx.Value(until{}) == nil {
			return connect.NewError(connect.CodeInternal, errors.New("the handler is not behind UntilExpiry"))
		}
		err := next(ctx, expiring{stream, ctx})
		// Whatever the handler returns. If the client's own deadline comes first, it is not the token's.
		if context.Cause(ctx) == error(errExpired) { //nolint:errorlint // the very error
			return errExpired
		}
		return err
	}
}

// expiring sends and receives nothing after its context has ended.
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

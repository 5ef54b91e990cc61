// Package grpc judges calls for google.golang.org/grpc: the authorization metadata has to be one bearer token.
//
// VerifyToken judges it, not a request: there are no cookies, no handshakes and no origin, and Config.Observe is not
// called. Metadata travels as it is; use TLS.
package grpc

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/clerkauth/clerkauth"
)

// Guard lets calls through that have a session. Handlers find it with clerkauth.FromContext.
type Guard struct {
	Auth *clerkauth.Authenticator
	// Checks must hold for a method: "/package.Service/Method". A method that is not here needs a session and no more.
	Checks map[string]clerkauth.Check
}

// Unary is for grpc.UnaryInterceptor.
func (g Guard) Unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	session, err := g.session(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return next(clerkauth.NewContext(ctx, session), request)
}

// Stream is for grpc.StreamInterceptor. The context of a stream ends with its token, which for Clerk's own is after a
// minute: a handler that heeds it serves nobody who has signed out since, and clients come back with a new token.
func (g Guard) Stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	session, err := g.session(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithDeadline(clerkauth.NewContext(stream.Context(), session), session.ExpiresAt)
	defer cancel()
	err = next(server, guardedStream{stream, ctx})
	if err != nil && stream.Context().Err() == nil && ctx.Err() != nil {
		return status.Error(codes.Unauthenticated, string(clerkauth.ReasonTokenExpired))
	}
	return err
}

type guardedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s guardedStream) Context() context.Context { return s.ctx }

func (g Guard) session(ctx context.Context, method string) (*clerkauth.Session, error) {
	values := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(values) != 1 {
		return nil, status.Error(codes.Unauthenticated, "one authorization is needed")
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "bearer") {
		return nil, status.Error(codes.Unauthenticated, "a bearer token is needed")
	}
	session, err := g.Auth.VerifyToken(ctx, token)
	if refusal, ok := errors.AsType[*clerkauth.Error](err); ok {
		return nil, status.Error(code(refusal), string(refusal.Reason))
	}
	if check, ok := g.Checks[method]; ok && !session.Has(check) {
		return nil, status.Error(codes.PermissionDenied, string(clerkauth.ReasonCheckFailed)+": "+check.String())
	}
	return session, nil
}

func code(refusal *clerkauth.Error) codes.Code {
	switch refusal.StatusCode() {
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusServiceUnavailable:
		return codes.Unavailable // clients may try again
	default:
		return codes.Unauthenticated
	}
}

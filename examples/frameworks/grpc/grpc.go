// Package grpc authenticates calls for google.golang.org/grpc: the authorization metadata must be one bearer token.
//
// VerifyToken checks it: there are no cookies, no handshakes and no origin. Metadata is not encrypted; use TLS.
package grpc

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/clerkauth/clerkauth"
)

// Guard says who may call which method. Handlers get the session from clerkauth.FromContext. Methods are written
// "/package.Service/Method". NewServer makes a server with the Guard.
type Guard struct {
	Auth   *clerkauth.Authenticator
	Checks map[string]clerkauth.Check // that must pass for a method; all other methods need only a session
	Public []string                   // methods that anybody may call, such as health checks
}

// guard is a Guard in use.
type guard struct {
	Guard
	started atomic.Bool // its names are methods of the server
}

func (g *guard) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	session, err := g.session(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return next(clerkauth.NewContext(ctx, session), request)
}

// session is nil for a public method.
func (g *guard) session(ctx context.Context, method string) (*clerkauth.Session, error) {
	if !g.started.Load() {
		return nil, status.Error(codes.Internal, "the server was started without its own Serve")
	} else if slices.Contains(g.Public, method) {
		return nil, nil
	}
	scheme, token, _ := strings.Cut(strings.Join(metadata.ValueFromIncomingContext(ctx, "authorization"), ", "), " ")
	if !strings.EqualFold(scheme, "bearer") { // a token with a comma is not one
		return nil, status.Error(codes.Unauthenticated, "a bearer token is needed")
	}
	session, err := g.Auth.VerifyToken(ctx, token)
	if refusal, ok := errors.AsType[*clerkauth.Error](err); ok && refusal.StatusCode() == http.StatusServiceUnavailable {
		return nil, status.Error(codes.Unavailable, err.Error()) // clients may try again
	} else if err != nil {
		return nil, status.Error(codes.Unauthenticated, err.Error())
	}
	if check, ok := g.Checks[method]; ok && !session.Has(check) {
		return nil, status.Error(codes.PermissionDenied, string(clerkauth.ReasonCheckFailed)+": "+check.String())
	}
	return session, nil
}

// Package grpc judges calls for google.golang.org/grpc: the authorization metadata has to be one bearer token.
//
// VerifyToken judges it: there are no cookies, no handshakes and no origin. Metadata travels as it is; use TLS.
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

// Guard says who may call which method. Handlers find the session with clerkauth.FromContext. Methods are named
// "/package.Service/Method". NewServer makes a server of it.
type Guard struct {
	Auth   *clerkauth.Authenticator
	Checks map[string]clerkauth.Check // that must hold for a method; any other method needs a session and no more
	Public []string                   // methods that anybody may call, such as health checks
}

// guard is a Guard at work.
type guard struct {
	Guard
	started atomic.Bool // its names are those of the server's methods
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
		return nil, status.Error(codes.Internal, "the server was not started by its own Serve")
	} else if slices.Contains(g.Public, method) {
		return nil, nil
	}
	scheme, token, _ := strings.Cut(strings.Join(metadata.ValueFromIncomingContext(ctx, "authorization"), ", "), " ")
	if !strings.EqualFold(scheme, "bearer") { // and a token with a comma is none
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

package grpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/clerkauth/clerkauth"
)

// Stream is for grpc.StreamInterceptor. A stream ends with its token, which for Clerk's own is after a minute: nobody is
// served who has signed out since, and clients come back with a new token.
func (g *Guard) Stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	session, err := g.session(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	} else if session == nil {
		return next(server, stream)
	}
	ctx, cancel := context.WithDeadline(clerkauth.NewContext(stream.Context(), session), session.ExpiresAt)
	defer cancel()
	err = next(server, guardedStream{stream, ctx})
	if err != nil && stream.Context().Err() == nil && ctx.Err() != nil {
		return status.Error(codes.Unauthenticated, string(clerkauth.ReasonTokenExpired))
	}
	return err
}

// guardedStream sends and receives nothing after its context.
type guardedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s guardedStream) Context() context.Context { return s.ctx }

func (s guardedStream) SendMsg(message any) error {
	if err := s.ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	return s.ServerStream.SendMsg(message)
}

// RecvMsg does not wait for a client that says nothing. What still receives ends with the stream.
func (s guardedStream) RecvMsg(message any) error {
	received := make(chan error, 1)
	go func() { received <- s.ServerStream.RecvMsg(message) }()
	var err error
	select {
	case err = <-received:
	case <-s.ctx.Done():
	}
	if s.ctx.Err() != nil {
		return status.FromContextError(s.ctx.Err()).Err()
	}
	return err
}

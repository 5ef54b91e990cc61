package grpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/clerkauth/clerkauth"
)

// stream ends with its token, by default after a minute: somebody who has signed out gets nothing more, and clients
// reconnect with a new token.
func (g *guard) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	session, err := g.session(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	} else if session == nil {
		return next(server, stream)
	}
	ctx, cancel := context.WithDeadline(clerkauth.NewContext(stream.Context(), session), session.ExpiresAt)
	defer cancel()
	err = next(server, guardedStream{stream, ctx})
	if stream.Context().Err() == nil && ctx.Err() != nil { // whatever the handler returns: its last message may be lost
		return status.Error(codes.Unauthenticated, string(clerkauth.ReasonTokenExpired))
	}
	return err
}

// guardedStream sends and receives nothing after its context has ended.
type guardedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s guardedStream) Context() context.Context { return s.ctx }

func (s guardedStream) SendMsg(message any) error {
	return s.inTime(func() error { return s.ServerStream.SendMsg(message) })
}

func (s guardedStream) RecvMsg(message any) error {
	return s.inTime(func() error { return s.ServerStream.RecvMsg(message) })
}

// inTime does not wait for a client that does not read, or does not write. What is still blocked ends with the stream.
func (s guardedStream) inTime(transfer func() error) error {
	var err error
	if s.ctx.Err() == nil {
		done := make(chan error, 1)
		go func() { done <- transfer() }()
		select {
		case err = <-done:
		case <-s.ctx.Done():
		}
	}
	if s.ctx.Err() != nil {
		return status.FromContextError(s.ctx.Err()).Err()
	}
	return err
}

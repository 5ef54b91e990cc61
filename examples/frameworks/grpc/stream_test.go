package grpc_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	health "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
)

// Whatever a handler does, a stream ends with its token.
func TestStreamsEndWithTheirToken(t *testing.T) {
	for name, open := range map[string]func(context.Context, *grpc.ClientConn) (func() error, error){
		"a handler that waits for its context": func(ctx context.Context, conn *grpc.ClientConn) (func() error, error) {
			stream, err := health.NewHealthClient(conn).Watch(ctx, &health.HealthCheckRequest{})
			return func() error { _, err := stream.Recv(); return err }, err
		},
		"a handler that sends": func(ctx context.Context, conn *grpc.ClientConn) (func() error, error) {
			stream, err := testpb.NewTestServiceClient(conn).StreamingOutputCall(ctx, &testpb.StreamingOutputCallRequest{})
			return func() error { _, err := stream.Recv(); return err }, err
		},
		"a handler that waits for its context, and takes its end for a good one": func(ctx context.Context, conn *grpc.ClientConn) (func() error, error) {
			stream, err := testpb.NewTestServiceClient(conn).HalfDuplexCall(ctx)
			return func() error { _, err := stream.Recv(); return err }, err
		},
		"a handler that waits for a client which says nothing": func(ctx context.Context, conn *grpc.ClientConn) (func() error, error) {
			stream, err := testpb.NewTestServiceClient(conn).StreamingInputCall(ctx)
			return func() error { return stream.RecvMsg(&testpb.StreamingInputCallResponse{}) }, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clerk, auth := contract.App(t, nil)
				ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+clerk.Token(contract.Ada))
				begin := time.Now()
				receive, err := open(ctx, serve(t, auth))
				for err == nil {
					err = receive()
				}
				if late := time.Since(begin); late > time.Minute+time.Second {
					t.Errorf("the stream ends after %v, want at most 1m1s", late)
				}
				if got := status.Convert(err); got.Code() != codes.Unauthenticated || got.Message() != string(clerkauth.ReasonTokenExpired) {
					t.Errorf("the stream ends with %v, want %v, %s", err, codes.Unauthenticated, clerkauth.ReasonTokenExpired)
				}
			})
		})
	}
}

// A client's own deadline is the client's: it must not be told to sign in again.
func TestDeadlineOfTheClientIsNoRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clerk, auth := contract.App(t, nil)
		ended := make(chan error, 1)
		inside := func(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			err := next(server, stream)
			time.Sleep(time.Hour) // of the bubble: a handler that takes its time to end
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+clerk.Token(contract.Ada))
		conn := serve(t, auth, observe(ended), grpc.ChainStreamInterceptor(inside))
		if _, err := testpb.NewTestServiceClient(conn).FullDuplexCall(ctx); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil || status.Code(err) == codes.Unauthenticated {
			t.Errorf("the stream ends with %v, want an error with another code than %v", err, codes.Unauthenticated)
		}
	})
}

// observe tells how streams end.
func observe(ended chan<- error) grpc.ServerOption {
	return grpc.StreamInterceptor(func(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		err := next(server, stream)
		ended <- err
		return err
	})
}

// A client that never reads fills every buffer in between. A blocked send still ends with the token.
func TestClientThatNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clerk, auth := contract.App(t, nil)
		ended := make(chan error, 1)
		conn := serve(t, auth, observe(ended))
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+clerk.Token(contract.Ada))
		begin := time.Now()
		stream, err := testpb.NewTestServiceClient(conn).FullDuplexCall(ctx)
		if err != nil {
			t.Fatal(err)
		}
		big := &testpb.StreamingOutputCallRequest{Payload: &testpb.Payload{Body: make([]byte, 32<<10)}}
		go func() {
			for stream.Send(big) == nil { // each is answered as long
			}
		}()
		if err := <-ended; status.Code(err) != codes.Unauthenticated || time.Since(begin) < time.Minute || time.Since(begin) > time.Minute+time.Second {
			t.Errorf("the stream ends after %v with %v, want %v after 1m to 1m1s", time.Since(begin), err, codes.Unauthenticated)
		}
	})
}

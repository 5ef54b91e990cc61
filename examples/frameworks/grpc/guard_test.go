package grpc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	health "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	reflectpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/clerkauth/clerkauth"
	guard "github.com/clerkauth/clerkauth/examples/frameworks/grpc"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
)

// duplex has a public call, and streams whose handlers never look at their context.
type duplex struct {
	testpb.UnimplementedTestServiceServer
}

func (duplex) EmptyCall(ctx context.Context, _ *testpb.Empty) (*testpb.Empty, error) {
	if session, ok := clerkauth.FromContext(ctx); ok {
		return nil, status.Error(codes.Internal, "a public method knows "+session.UserID)
	}
	return &testpb.Empty{}, nil
}

// FullDuplexCall answers each message.
func (duplex) FullDuplexCall(stream testpb.TestService_FullDuplexCallServer) error {
	for {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.Send(&testpb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
}

// StreamingOutputCall sends a message every second.
func (duplex) StreamingOutputCall(_ *testpb.StreamingOutputCallRequest, stream testpb.TestService_StreamingOutputCallServer) error {
	for {
		if err := stream.Send(&testpb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
		time.Sleep(time.Second) // of the bubble
	}
}

// StreamingInputCall ends well if it hears a message, of which the tests send none.
func (duplex) StreamingInputCall(stream testpb.TestService_StreamingInputCallServer) error {
	_, err := stream.Recv()
	return err
}

func TestMethodsThatTheServerDoesNotHave(t *testing.T) {
	_, auth := contract.App(t, nil)
	admin := clerkauth.Role("org:admin")
	tests := []struct {
		name   string
		checks map[string]clerkauth.Check
		public []string
		wrong  string
	}{
		{"a misspelt check", map[string]clerkauth.Check{health.Health_Watch_FullMethodName: admin, "/grpc.health.v1.Health/list": admin}, nil, "/grpc.health.v1.Health/list"},
		{"without the slash", map[string]clerkauth.Check{"grpc.health.v1.Health/List": admin}, nil, "grpc.health.v1.Health/List"},
		{"of a service that is not registered", map[string]clerkauth.Check{"/acme.v1.Account/Me": admin}, nil, "/acme.v1.Account/Me"},
		{"a misspelt public method", nil, []string{"/grpc.health.v1.Health/Chek"}, "/grpc.health.v1.Health/Chek"},
		{"public and with a check", map[string]clerkauth.Check{health.Health_List_FullMethodName: admin}, []string{health.Health_List_FullMethodName}, health.Health_List_FullMethodName},
	}
	for _, tt := range tests {
		g := &guard.Guard{Auth: auth, Checks: tt.checks, Public: tt.public}
		listener := bufconn.Listen(1)
		_ = listener.Close() // or a server that starts would go on
		if err := g.Serve(guarded(g), listener); err == nil || !strings.Contains(err.Error(), `"`+tt.wrong+`"`) {
			t.Errorf("%s: the server starts, or fails with %v, want an error that names %s", tt.name, err, tt.wrong)
		}
	}
}

func TestServerThatWasNotCheckedAnswersNobody(t *testing.T) {
	clerk, auth := contract.App(t, nil)
	g := &guard.Guard{Auth: auth, Checks: map[string]clerkauth.Check{"/misspelt": clerkauth.Role("org:admin")}, Public: []string{testpb.TestService_EmptyCall_FullMethodName}}
	server := guarded(g)
	conn := connect(t, server, func(l net.Listener) error { return server.Serve(l) })
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+clerk.Token(contract.Ada))
	_, listErr := health.NewHealthClient(conn).List(ctx, &health.HealthListRequest{})
	_, emptyErr := testpb.NewTestServiceClient(conn).EmptyCall(ctx, &testpb.Empty{})
	for _, err := range []error{listErr, emptyErr} {
		if status.Code(err) != codes.Internal {
			t.Errorf("%v, want %v", err, codes.Internal)
		}
	}
}

func TestPublicMethods(t *testing.T) {
	clerk, auth := contract.App(t, nil)
	conn := serve(t, auth)
	for _, token := range []string{"", clerk.Forge(contract.Ada), clerk.Token(contract.Ada)} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token)
		if _, err := testpb.NewTestServiceClient(conn).EmptyCall(ctx, &testpb.Empty{}); err != nil {
			t.Error(err)
		}
		stream, err := reflectpb.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
		if err != nil {
			t.Fatal(err)
		}
		ask := &reflectpb.ServerReflectionRequest{MessageRequest: &reflectpb.ServerReflectionRequest_ListServices{}}
		if err := stream.Send(ask); err != nil {
			t.Fatal(err)
		}
		if answer, err := stream.Recv(); err != nil || len(answer.GetListServicesResponse().GetService()) == 0 {
			t.Errorf("the services are %v, %v", answer, err)
		}
		_ = stream.CloseSend()
	}
}

// However a handler goes on, a stream ends with its token.
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
					t.Errorf("the stream ends after %v", late)
				}
				if got := status.Convert(err); got.Code() != codes.Unauthenticated || got.Message() != string(clerkauth.ReasonTokenExpired) {
					t.Errorf("the stream ends with %v", err)
				}
			})
		})
	}
}

// A client's own deadline is the client's: it must not be told to sign in again.
func TestDeadlineOfTheClientIsNoRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clerk, auth := contract.App(t, nil)
		g, ended := &guard.Guard{Auth: auth}, make(chan error, 1)
		outside := func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			err := next(server, stream)
			ended <- err
			return err
		}
		inside := func(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			err := next(server, stream)
			time.Sleep(time.Hour) // of the bubble: a handler that takes its time to end
			return err
		}
		server := grpc.NewServer(grpc.ChainStreamInterceptor(outside, g.Stream, inside))
		testpb.RegisterTestServiceServer(server, duplex{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+clerk.Token(contract.Ada))
		conn := connect(t, server, func(l net.Listener) error { return g.Serve(server, l) })
		if _, err := testpb.NewTestServiceClient(conn).FullDuplexCall(ctx); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; status.Code(err) == codes.Unauthenticated {
			t.Errorf("the stream ends with %v", err)
		}
	})
}

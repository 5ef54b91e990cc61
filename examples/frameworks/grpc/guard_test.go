package grpc_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
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

// FullDuplexCall answers each message with what is in it.
func (duplex) FullDuplexCall(stream testpb.TestService_FullDuplexCallServer) error {
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.Send(&testpb.StreamingOutputCallResponse{Payload: request.GetPayload()}); err != nil {
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

// HalfDuplexCall waits for the end of its context, and reports nothing.
func (duplex) HalfDuplexCall(stream testpb.TestService_HalfDuplexCallServer) error {
	<-stream.Context().Done()
	return nil
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
		listener := bufconn.Listen(1)
		_ = listener.Close() // or a server that starts would go on
		if err := guarded(guard.Guard{Auth: auth, Checks: tt.checks, Public: tt.public}).Serve(listener); err == nil || !strings.Contains(err.Error(), `"`+tt.wrong+`"`) {
			t.Errorf("%s: the server starts, or fails with %v, want an error that names %s", tt.name, err, tt.wrong)
		}
	}
}

func TestServerWithoutAnAuthenticator(t *testing.T) {
	listener := bufconn.Listen(1)
	_ = listener.Close()
	if err := guarded(guard.Guard{}).Serve(listener); err == nil || !strings.Contains(err.Error(), "Authenticator") {
		t.Errorf("the server starts, or fails with %v, want an error that names Authenticator", err)
	}
}

// Like Authorize: a check that can never pass, for example of a misspelt role, is a mistake in the
// program.
func TestChecksThatNeverHold(t *testing.T) {
	_, auth := contract.App(t, nil)
	for name, check := range map[string]clerkauth.Check{"none": {}, "a role in capitals": clerkauth.Role("org:Admin")} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: got no panic, want one", name)
				}
			}()
			guarded(guard.Guard{Auth: auth, Checks: map[string]clerkauth.Check{health.Health_List_FullMethodName: check}})
		}()
	}
}

// calls are one of each kind: with a check, with none, public; unary, and a stream.
func calls(ctx context.Context, conn *grpc.ClientConn) map[string]error {
	_, list := health.NewHealthClient(conn).List(ctx, &health.HealthListRequest{})
	_, empty := testpb.NewTestServiceClient(conn).EmptyCall(ctx, &testpb.Empty{})
	watch, err := health.NewHealthClient(conn).Watch(ctx, &health.HealthCheckRequest{})
	if err == nil {
		_, err = watch.Recv()
	}
	return map[string]error{"a call with a check": list, "a public call": empty, "a stream": err}
}

func TestServerThatWasNotCheckedAnswersNobody(t *testing.T) {
	clerk, auth := contract.App(t, nil)
	server := guarded(guard.Guard{Auth: auth, Checks: map[string]clerkauth.Check{"/misspelt": clerkauth.Role("org:admin")}, Public: []string{testpb.TestService_EmptyCall_FullMethodName}})
	conn := connect(t, server, server.Server.Serve)
	for name, err := range calls(metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+clerk.Token(contract.Ada)), conn) {
		if status.Code(err) != codes.Internal {
			t.Errorf("%s: got %v, want %v", name, err, codes.Internal)
		}
	}
}

// Whatever interceptors a program has, the Guard's are installed.
func TestOptionsLeaveTheGuardInPlace(t *testing.T) {
	clerk, auth := contract.App(t, nil)
	unary := func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		return next(ctx, request)
	}
	stream := func(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		return next(server, stream)
	}
	for name, options := range map[string][]grpc.ServerOption{
		"none":                {},
		"a unary interceptor": {grpc.UnaryInterceptor(unary)}, "a stream interceptor": {grpc.StreamInterceptor(stream)},
		"chains": {grpc.ChainUnaryInterceptor(unary), grpc.ChainStreamInterceptor(stream)},
	} {
		conn := serve(t, auth, options...)
		want := map[string]codes.Code{"a call with a check": codes.PermissionDenied, "a public call": codes.OK, "a stream": codes.PermissionDenied}
		for kind, err := range calls(metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+clerk.Token(contract.Grace)), conn) {
			if status.Code(err) != want[kind] {
				t.Errorf("%s, %s: got %v, want %v", name, kind, err, want[kind])
			}
		}
	}
}

// The maps of a Guard are copied when its server is made: later changes of the program have no effect.
func TestChecksAreKept(t *testing.T) {
	clerk, auth := contract.App(t, nil)
	checks := map[string]clerkauth.Check{health.Health_List_FullMethodName: clerkauth.Role("org:admin")}
	public := []string{testpb.TestService_EmptyCall_FullMethodName}
	server := guarded(guard.Guard{Auth: auth, Checks: checks, Public: public})
	delete(checks, health.Health_List_FullMethodName)
	public[0] = health.Health_List_FullMethodName
	conn := connect(t, server, server.Serve)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+clerk.Token(contract.Grace))
	if _, err := health.NewHealthClient(conn).List(ctx, &health.HealthListRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("got %v, want %v", err, codes.PermissionDenied)
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
			t.Errorf("got the services %v, %v, want at least one", answer, err)
		}
		_ = stream.CloseSend()
	}
}

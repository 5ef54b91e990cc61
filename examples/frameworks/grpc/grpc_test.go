package grpc_test

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	reflectpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	guard "github.com/clerkauth/clerkauth/examples/frameworks/grpc"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
)

// service answers with the user's ID as the name of a service; Watch goes on until its context ends.
type service struct {
	health.UnimplementedHealthServer
}

func (service) Check(context.Context, *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	return &health.HealthCheckResponse{}, nil
}

func (service) List(ctx context.Context, _ *health.HealthListRequest) (*health.HealthListResponse, error) {
	session, _ := clerkauth.FromContext(ctx)
	return &health.HealthListResponse{Statuses: map[string]*health.HealthCheckResponse{session.UserID: {}}}, nil
}

func (service) Watch(_ *health.HealthCheckRequest, stream grpc.ServerStreamingServer[health.HealthCheckResponse]) error {
	session, ok := clerkauth.FromContext(stream.Context())
	if !ok || session.UserID != contract.Ada.Subject {
		return status.Error(codes.Internal, "the handler does not know who calls")
	}
	if err := stream.Send(&health.HealthCheckResponse{}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return status.FromContextError(stream.Context().Err()).Err()
}

// guarded is a server that a Guard goes around.
func guarded(g guard.Guard, options ...grpc.ServerOption) *guard.Server {
	server := g.NewServer(options...)
	health.RegisterHealthServer(server, service{})
	testpb.RegisterTestServiceServer(server, duplex{})
	reflection.Register(server)
	return server
}

// serve is a connection to a server in this process.
func serve(t *testing.T, auth *clerkauth.Authenticator, options ...grpc.ServerOption) *grpc.ClientConn {
	t.Helper()
	server := guarded(guard.Guard{
		Auth: auth,
		Checks: map[string]clerkauth.Check{
			health.Health_List_FullMethodName:  clerkauth.Role("org:admin"),
			health.Health_Watch_FullMethodName: clerkauth.Role("org:admin"),
		},
		Public: []string{
			testpb.TestService_EmptyCall_FullMethodName, reflectpb.ServerReflection_ServerReflectionInfo_FullMethodName,
		},
	}, options...)
	return connect(t, server, server.Serve)
}

func connect(t *testing.T, server *guard.Server, start func(net.Listener) error) *grpc.ClientConn {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	stopped := make(chan error, 1)
	go func() { stopped <- start(listener) }()
	conn, err := grpc.NewClient("passthrough:memory", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	return conn
}

func TestCodes(t *testing.T) {
	clerk, auth := contract.App(t, nil)
	down, cut := contract.App(t, nil)
	down.Fault(clerktest.BackendJWKS, clerktest.Down)
	up, out := health.NewHealthClient(serve(t, auth)), health.NewHealthClient(serve(t, cut))
	ada, grace := "Bearer "+clerk.Token(contract.Ada), "bearer "+clerk.Token(contract.Grace)
	check := func(ctx context.Context, c health.HealthClient) error {
		_, err := c.Check(ctx, &health.HealthCheckRequest{})
		return err
	}
	list := func(ctx context.Context, c health.HealthClient) error {
		answer, err := c.List(ctx, &health.HealthListRequest{})
		if err == nil && answer.Statuses[contract.Ada.Subject] == nil {
			t.Errorf("got %v, want a status of %s", answer, contract.Ada.Subject)
		}
		return err
	}
	watch := func(ctx context.Context, c health.HealthClient) error {
		stream, err := c.Watch(ctx, &health.HealthCheckRequest{})
		if err != nil {
			return err
		}
		_, err = stream.Recv()
		return err
	}
	tests := []struct {
		name   string
		call   func(context.Context, health.HealthClient) error
		client health.HealthClient
		sent   []string // as authorization
		want   codes.Code
		reason string
	}{
		{"nobody", check, up, nil, codes.Unauthenticated, "a bearer token is needed"},
		{"two", check, up, []string{ada, ada}, codes.Unauthenticated, "clerkauth: token-invalid"},
		{"another scheme", check, up, []string{"Basic " + clerk.Token(contract.Ada)}, codes.Unauthenticated, "a bearer token is needed"},
		{"forged", check, up, []string{"Bearer " + clerk.Forge(contract.Ada)}, codes.Unauthenticated, "clerkauth: token-invalid-signature"},
		{"member", check, up, []string{grace}, codes.OK, ""},
		{"member as admin", list, up, []string{grace}, codes.PermissionDenied, "session-check-failed: role org:admin"},
		{"admin", list, up, []string{ada}, codes.OK, ""},
		{"no keys", check, out, []string{"Bearer " + down.Token(contract.Ada)}, codes.Unavailable, "clerkauth: jwk-remote-failed-to-load"},
		{"stream of nobody", watch, up, nil, codes.Unauthenticated, "a bearer token is needed"},
		{"stream of a member", watch, up, []string{grace}, codes.PermissionDenied, "session-check-failed: role org:admin"},
		{"stream of an admin", watch, up, []string{ada}, codes.OK, ""},
		{"stream without keys", watch, out, []string{"Bearer " + down.Token(contract.Ada)}, codes.Unavailable, "clerkauth: jwk-remote-failed-to-load"},
	}
	for _, tt := range tests {
		ctx, cancel := context.WithCancel(metadata.NewOutgoingContext(t.Context(), metadata.MD{"authorization": tt.sent}))
		got := status.Convert(tt.call(ctx, tt.client))
		cancel()
		if got.Code() != tt.want || got.Message() != tt.reason {
			t.Errorf("%s: got %v %q, want %v %q", tt.name, got.Code(), got.Message(), tt.want, tt.reason)
		}
	}
}

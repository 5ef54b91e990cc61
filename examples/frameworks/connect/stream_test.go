package connect_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	connectrpc "connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/examples/frameworks/connect"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
)

type (
	server = *connectrpc.BidiStream[emptypb.Empty, wrapperspb.StringValue]
	client = *connectrpc.BidiStreamForClient[emptypb.Empty, wrapperspb.StringValue]
)

// echo answers each message with the user's ID, and never looks at its context.
func echo(ctx context.Context, stream server) error {
	session, _ := clerkauth.FromContext(ctx)
	for {
		if _, err := stream.Receive(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.Send(wrapperspb.String(session.UserID)); err != nil {
			return err
		}
	}
}

// open begins a stream of a handler that is served in memory.
func open(ctx context.Context, t *testing.T, handler http.Handler, token string, option connectrpc.ClientOption) client {
	t.Helper()
	http2 := new(http.Protocols)
	http2.SetUnencryptedHTTP2(true)
	c := connectrpc.NewClient[emptypb.Empty, wrapperspb.StringValue](contract.Serve(t, handler, http2), "http://example.com"+connect.Watch, option)
	stream := c.CallBidiStream(ctx)
	if token != "" {
		stream.RequestHeader().Set("Authorization", "Bearer "+token)
	}
	if err := stream.Send(nil); err != nil { // the header
		t.Fatal(err)
	}
	return stream
}

var protocols = map[string]connectrpc.ClientOption{
	"Connect":  connectrpc.WithClientOptions(),
	"gRPC":     connectrpc.WithGRPC(),
	"gRPC-Web": connectrpc.WithGRPCWeb(),
}

func refusalOf(t *testing.T, err error) (connectrpc.Code, string) {
	t.Helper()
	refusal, ok := errors.AsType[*connectrpc.Error](err)
	if !ok {
		t.Fatalf("got %T %v, want a *connect.Error", err, err)
	}
	return refusal.Code(), refusal.Meta().Get("X-Clerk-Auth-Reason")
}

func TestStreamsNeedASession(t *testing.T) {
	for protocol, option := range protocols {
		synctest.Test(t, func(t *testing.T) {
			clerk, auth := contract.App(t, func(cfg *clerkauth.Config) { cfg.ErrorHandler = connect.ErrorHandler })
			routes := connect.Routes(auth, echo)
			for token, want := range map[string]string{"": "session-token-and-uat-missing", clerk.Forge(contract.Ada): "token-invalid-signature"} {
				_, err := open(t.Context(), t, routes, token, option).Receive()
				if code, reason := refusalOf(t, err); code != connectrpc.CodeUnauthenticated || reason != want {
					t.Errorf("%s: got %v, want %s", protocol, err, want)
				}
			}
			stream := open(t.Context(), t, routes, clerk.Token(contract.Ada), option)
			if err := stream.Send(&emptypb.Empty{}); err != nil {
				t.Fatal(err)
			}
			if got, err := stream.Receive(); err != nil || got.GetValue() != contract.Ada.Subject {
				t.Errorf("%s: got %v, %v, want %s", protocol, got, err, contract.Ada.Subject)
			}
			_ = stream.CloseRequest()
			_ = stream.CloseResponse()
		})
	}
}

// Whatever a handler does, a stream ends with its token.
func TestStreamsEndWithTheirToken(t *testing.T) {
	for protocol, option := range protocols {
		for name, handler := range map[string]connect.Stream{
			"a handler that waits for its context": func(ctx context.Context, _ server) error {
				<-ctx.Done()
				return ctx.Err()
			},
			"a handler that waits for its context, and takes its end for a good one": func(ctx context.Context, _ server) error {
				<-ctx.Done()
				return nil
			},
			"a handler that sends": func(_ context.Context, stream server) error {
				for {
					if err := stream.Send(wrapperspb.String("news")); err != nil {
						return err
					}
					time.Sleep(time.Second) // of the bubble
				}
			},
			"a handler that waits for a client which says nothing": echo,
			"a handler that takes its time": func(_ context.Context, stream server) error {
				time.Sleep(59*time.Second + 999*time.Millisecond) // of the bubble
				_, err := stream.Receive()
				return err
			},
		} {
			t.Run(protocol+", "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					clerk, auth := contract.App(t, nil)
					begin := time.Now()
					stream := open(t.Context(), t, connect.Routes(auth, handler), clerk.Token(contract.Ada), option)
					var err error
					for err == nil {
						_, err = stream.Receive()
					}
					if late := time.Since(begin); late > time.Minute+2*time.Second {
						t.Errorf("the stream ends after %v, want at most 1m2s", late)
					}
					if code, reason := refusalOf(t, err); code != connectrpc.CodeUnauthenticated || reason != string(clerkauth.ReasonTokenExpired) {
						t.Errorf("the stream ends with %v, reason %q, want %v, %q", err, reason, connectrpc.CodeUnauthenticated, clerkauth.ReasonTokenExpired)
					}
				})
			})
		}
	}
}

// A message that was received in time, but is read after the end, is not handled.
func TestNothingIsHeardAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clerk, auth := contract.App(t, nil)
		heard := make(chan error, 1)
		stream := open(t.Context(), t, connect.Routes(auth, func(_ context.Context, stream server) error {
			time.Sleep(time.Minute + time.Second/2) // of the bubble
			_, err := stream.Receive()
			heard <- err
			return err
		}), clerk.Token(contract.Ada), connectrpc.WithGRPC())
		if err := stream.Send(&emptypb.Empty{}); err != nil {
			t.Fatal(err)
		}
		if err := <-heard; err == nil {
			t.Error("a message was heard after the end")
		}
	})
}

// A client that never reads fills every buffer in between. A blocked send still ends with the token, and so does the
// handler, even if the interceptor was left out.
func TestClientThatNeverReads(t *testing.T) {
	long, plain := wrapperspb.String(strings.Repeat("x", 64<<10)), connectrpc.WithAcceptCompression("gzip", nil, nil)
	for name, options := range map[string][]connectrpc.HandlerOption{"whole": {connectrpc.WithInterceptors(connect.Expiring{})}, "without Expiring": nil} {
		for protocol, option := range protocols {
			synctest.Test(t, func(t *testing.T) {
				clerk, auth := contract.App(t, nil)
				ended := make(chan error, 1)
				begin := time.Now()
				handler := connectrpc.NewBidiStreamHandler(connect.Watch, func(_ context.Context, stream server) (err error) {
					defer func() { ended <- err }()
					for err == nil {
						err = stream.Send(long)
					}
					return err
				}, options...)
				open(t.Context(), t, auth.Require(connect.UntilExpiry(handler)), clerk.Token(contract.Ada), connectrpc.WithClientOptions(option, plain))
				if err := <-ended; err == nil || time.Since(begin) < time.Minute || time.Since(begin) > time.Minute+3*time.Second {
					t.Errorf("%s, %s: the stream ends after %v with %v, want an error after 1m to 1m3s", name, protocol, time.Since(begin), err)
				}
			})
		}
	}
}

// A stream ends if any of Require, UntilExpiry and Expiring is left out.
func TestPartsThatAreMissing(t *testing.T) {
	complete := connectrpc.NewBidiStreamHandler(connect.Watch, echo, connectrpc.WithInterceptors(connect.Expiring{}))
	bare := connectrpc.NewBidiStreamHandler(connect.Watch, echo)
	synctest.Test(t, func(t *testing.T) {
		clerk, auth := contract.App(t, nil)
		withoutDeadlines := func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(struct {
					http.ResponseWriter
					http.Flusher
				}{w, w.(http.Flusher)}, r)
			})
		}
		for name, tt := range map[string]struct {
			handler http.Handler
			want    connectrpc.Code
		}{
			"Require":              {connect.UntilExpiry(complete), connectrpc.CodeUnauthenticated},
			"Require and Expiring": {connect.UntilExpiry(bare), connectrpc.CodeUnauthenticated},
			"UntilExpiry":          {auth.Require(complete), connectrpc.CodeInternal},
			"deadlines":            {auth.Require(withoutDeadlines(connect.UntilExpiry(complete))), connectrpc.CodeInternal},
		} {
			_, err := open(t.Context(), t, tt.handler, clerk.Token(contract.Ada), connectrpc.WithGRPC()).Receive()
			if code, _ := refusalOf(t, err); code != tt.want {
				t.Errorf("without %s: got %v, want %v", name, err, tt.want)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		clerk, auth := contract.App(t, nil)
		begin := time.Now()
		stream := open(t.Context(), t, auth.Require(connect.UntilExpiry(bare)), clerk.Token(contract.Ada), connectrpc.WithGRPC())
		if _, err := stream.Receive(); err == nil || time.Since(begin) < time.Minute || time.Since(begin) > time.Minute+2*time.Second {
			t.Errorf("without Expiring: the stream ends after %v with %v, want an error after 1m to 1m2s", time.Since(begin), err)
		}
	})
}

// A client's own deadline is the client's: it must not be told to sign in again.
func TestDeadlineOfTheClientIsNoRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clerk, auth := contract.App(t, nil)
		ended := make(chan error, 1)
		inside := func(ctx context.Context, _ server) error {
			<-ctx.Done()
			time.Sleep(time.Hour) // of the bubble: by now the token has run out, too
			return ctx.Err()
		}
		outer := connectrpc.WithInterceptors(observer(ended), connect.Expiring{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		open(ctx, t, auth.Require(connect.UntilExpiry(connectrpc.NewBidiStreamHandler(connect.Watch, inside, outer))), clerk.Token(contract.Ada), connectrpc.WithGRPC())
		if err := <-ended; err == nil || connectrpc.CodeOf(err) == connectrpc.CodeUnauthenticated {
			t.Errorf("the stream ends with %v, want an error with another code than %v", err, connectrpc.CodeUnauthenticated)
		}
	})
}

// observer tells how streams end.
type observer chan error

func (observer) WrapUnary(next connectrpc.UnaryFunc) connectrpc.UnaryFunc { return next }

func (observer) WrapStreamingClient(next connectrpc.StreamingClientFunc) connectrpc.StreamingClientFunc {
	return next
}

func (o observer) WrapStreamingHandler(next connectrpc.StreamingHandlerFunc) connectrpc.StreamingHandlerFunc {
	return func(ctx context.Context, stream connectrpc.StreamingHandlerConn) error {
		err := next(ctx, stream)
		o <- err
		return err
	}
}

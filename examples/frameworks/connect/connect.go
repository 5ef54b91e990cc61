// Package connect protects procedures of connectrpc.com/connect. Its handlers are net/http's, so Require and Authorize wrap
// them as usual, with cookies and origins.
//
// A client of Connect, gRPC or gRPC-Web understands its own protocol best: see ErrorHandler. Streams end with their token:
// see UntilExpiry and Expiring.
package connect

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/clerkauth/clerkauth"
)

// Without the option, every GET and every JSON request would count as a call.
var refusals = connect.NewErrorWriter(connect.WithRequireConnectProtocolHeader())

// ErrorHandler is for Config.ErrorHandler: it responds in the protocol of the call, and to other requests as
// DefaultErrorHandler does. The reason is in the error's message and in its metadata, X-Clerk-Auth-Reason.
func ErrorHandler(w http.ResponseWriter, r *http.Request, refusal *clerkauth.Error) {
	if !refusals.IsSupported(r) {
		clerkauth.DefaultErrorHandler(w, r, refusal)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	_ = refusals.Write(w, r, refused(refusal)) // the client has gone away: nothing to do
}

func refused(refusal *clerkauth.Error) *connect.Error {
	code := connect.CodeUnauthenticated
	switch refusal.StatusCode() {
	case http.StatusForbidden:
		code = connect.CodePermissionDenied
	case http.StatusServiceUnavailable:
		code = connect.CodeUnavailable // clients may try again
	}
	err := connect.NewError(code, refusal)
	err.Meta().Set("X-Clerk-Auth-Reason", string(refusal.Reason))
	return err
}

// The procedures, which generated code would name.
const (
	Me    = "/acme.v1.Account/Me"    // for signed-in people
	Admin = "/acme.v1.Account/Admin" // for admins of the active organization
	Watch = "/acme.v1.Account/Watch" // a stream for signed-in people
)

// Routes are the procedures. watch is streamed.
func Routes(auth *clerkauth.Authenticator, watch Stream) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(Me, auth.Require(connect.NewUnaryHandler(Me, me)))
	mux.Handle(Admin, auth.Authorize(clerkauth.Role("org:admin"))(connect.NewUnaryHandler(Admin, me)))
	stream := connect.NewBidiStreamHandler(Watch, watch, connect.WithInterceptors(Expiring{}))
	mux.Handle(Watch, auth.Require(UntilExpiry(stream)))
	return mux
}

// Stream answers a stream of messages.
type Stream = func(context.Context, *connect.BidiStream[emptypb.Empty, wrapperspb.StringValue]) error

func me(ctx context.Context, _ *connect.Request[emptypb.Empty]) (*connect.Response[wrapperspb.StringValue], error) {
	session, _ := clerkauth.FromContext(ctx)
	return connect.NewResponse(wrapperspb.String(session.UserID)), nil
}

// Package connect protects procedures of connectrpc.com/connect. Its handlers are net/http's, so that Require and
// Authorize go around them as anywhere, cookies and origins included; no interceptor is needed.
//
// Only refusals want a word: a client of Connect, gRPC or gRPC-Web understands its own protocol best.
package connect

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/clerkauth/clerkauth"
)

// Without the option every GET and every JSON would count as a call.
var refusals = connect.NewErrorWriter(connect.WithRequireConnectProtocolHeader())

// ErrorHandler is for Config.ErrorHandler: it answers in the protocol of the call, and as DefaultErrorHandler where
// it is none. The reason is in the error's message and in its metadata, X-Clerk-Auth-Reason.
func ErrorHandler(w http.ResponseWriter, r *http.Request, refusal *clerkauth.Error) {
	if !refusals.IsSupported(r) {
		clerkauth.DefaultErrorHandler(w, r, refusal)
		return
	}
	err := connect.NewError(code(refusal), refusal)
	err.Meta().Set("X-Clerk-Auth-Reason", string(refusal.Reason))
	w.Header().Set("Cache-Control", "no-store")
	_ = refusals.Write(w, r, err) // the client is gone: nothing to do
}

func code(refusal *clerkauth.Error) connect.Code {
	switch refusal.StatusCode() {
	case http.StatusForbidden:
		return connect.CodePermissionDenied
	case http.StatusServiceUnavailable:
		return connect.CodeUnavailable // clients may try again
	default:
		return connect.CodeUnauthenticated
	}
}

// The procedures, which generated code would name.
const (
	Me    = "/acme.v1.Account/Me"    // for whoever is signed in
	Admin = "/acme.v1.Account/Admin" // for admins of the active organization
)

// Routes are the procedures.
func Routes(auth *clerkauth.Authenticator) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(Me, auth.Require(connect.NewUnaryHandler(Me, me)))
	mux.Handle(Admin, auth.Authorize(clerkauth.Role("org:admin"))(connect.NewUnaryHandler(Admin, me)))
	return mux
}

func me(ctx context.Context, _ *connect.Request[emptypb.Empty]) (*connect.Response[wrapperspb.StringValue], error) {
	session, _ := clerkauth.FromContext(ctx)
	return connect.NewResponse(wrapperspb.String(session.UserID)), nil
}

// Forwardauth tells a reverse proxy who is signed in, so that it can guard apps that know nothing of Clerk: for
// nginx's auth_request, and for the forward authentication of Traefik and Caddy.
//
//	CLERK_PUBLISHABLE_KEY=pk_… CLERK_SECRET_KEY=sk_… CLERK_AUTHORIZED_PARTIES=https://app.example.com \
//	go run ./examples/forwardauth -proxy nginx
//
// GET /auth answers 204 with X-Clerk-User-Id and X-Clerk-Session-Id, or else what clerkauth.Require answers: 401, 403,
// 503 or a redirect. The proxy says which request it asks about, in X-Original-Method and X-Original-URL (-proxy nginx)
// or in X-Forwarded-Method, -Host and -Uri (-proxy traefik, and Caddy too), and must overwrite what its clients send
// under those names. Whoever else reaches this port can say the same: listen only where the proxy alone reaches it.
// The apps must be reached through the proxy alone, too, or anybody can name themselves in X-Clerk-User-Id.
//
// nginx.conf beside this file is complete and tested. With a shared cache in front of another proxy, the apps must say
// Cache-Control: private, no-store, since the proxy adds one browser's cookies to what they answer.
//
// Traefik needs X-Clerk-User-Id and X-Clerk-Session-Id in authResponseHeaders, no trustForwardHeader, and in
// addAuthCookiesToResponse whatever this answers 204 with: __session, __client_uat and __refresh, each also with your
// instance's suffix, __clerk_handshake, __clerk_handshake_nonce and, for each app, the one that begins with
// __Host-clerkauth_party_: its last eight characters depend on your key and the app's origin; a signed-in browser shows
// them. Caddy's forward_auth hands on no cookies beside a 204, so that it suits clients with bearer tokens; a browser's
// session would not be renewed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/clerkauth/clerkauth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "forwardauth:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("forwardauth", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:4180", "listen on this `address`, which only the proxy may reach")
	proxy := flags.String("proxy", "", "nginx, or traefik for it and Caddy")
	if err := flags.Parse(args); err != nil {
		return err
	}
	auth, err := clerkauth.New(clerkauth.ConfigFromEnv())
	if err != nil {
		return err
	}
	h, err := endpoint(auth, *proxy)
	if err != nil {
		return err
	}
	server := &http.Server{Addr: *addr, Handler: h, ReadHeaderTimeout: 10 * time.Second}
	stopped := make(chan error, 1)
	defer context.AfterFunc(ctx, func() { stopped <- server.Shutdown(context.WithoutCancel(ctx)) })()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// endpoint answers a proxy of that kind.
func endpoint(auth *clerkauth.Authenticator, proxy string) (http.Handler, error) {
	require := auth.Require(http.HandlerFunc(identify))
	var original func(*http.Request) (*http.Request, error)
	switch proxy {
	case "nginx":
		original, require = fromNginx, forNginx(require)
	case "traefik":
		original = fromTraefik
	default:
		return nil, fmt.Errorf("-proxy %q is neither nginx nor traefik", proxy)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /auth", func(w http.ResponseWriter, r *http.Request) {
		asked, err := original(r)
		if err != nil {
			log.Print("forwardauth: the proxy does not say what it asks about: ", err)
			http.Error(w, "The proxy is not set up.", http.StatusInternalServerError)
			return
		}
		require.ServeHTTP(w, asked)
	})
	return mux, nil
}

// identify tells the proxy who it is. It is behind Require: there is a session.
func identify(w http.ResponseWriter, r *http.Request) {
	s, _ := clerkauth.FromContext(r.Context())
	w.Header().Set("X-Clerk-User-Id", s.UserID)
	w.Header().Set("X-Clerk-Session-Id", s.ID)
	w.WriteHeader(http.StatusNoContent)
}

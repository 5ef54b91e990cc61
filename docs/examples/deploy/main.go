// Deploy is a server as it runs in production: health checks, metrics, logs and an orderly end.
package main

import (
	"context"
	"errors"
	"expvar"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/clerkauth/clerkauth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, "127.0.0.1:8080"); err != nil {
		slog.Error("server", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr string) error {
	cfg, err := clerkauth.ConfigFromEnv()
	if err != nil {
		return err
	}
	cfg.Observe, cfg.ErrorHandler = count, logRefusal
	auth, err := clerkauth.New(cfg)
	if err != nil {
		return err
	}
	server := http.Server{Addr: addr, Handler: routes(auth), ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = server.Shutdown(last)
	})
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func routes(auth *clerkauth.Authenticator) http.Handler {
	pages := http.NewServeMux()
	pages.Handle("GET /account", auth.Require(http.HandlerFunc(account)))

	mux := http.NewServeMux()
	mux.Handle("/", auth.Optional(pages))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle("GET /readyz", ready(auth))
	return mux
}

// ready is 503 while there are no keys that may be used: never loaded, or older than KeyMaxAge. Every token gets a 503 then.
func ready(auth *clerkauth.Authenticator) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := auth.Ready(ctx); err != nil {
			slog.Warn("not ready", "error", err, "cause", errors.Unwrap(err))
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// decisions are counted by status and reason; /debug/vars shows them where expvar's handler is served.
var decisions = expvar.NewMap("clerkauth_decisions")

// count must not block: it runs on the request's goroutine.
func count(_ context.Context, e clerkauth.Event) {
	decisions.Add(e.Status.String()+" "+string(e.Reason), 1)
}

// logRefusal logs why a request was refused, and answers as usual. The cause is never a token, a key or a user.
func logRefusal(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
	slog.InfoContext(r.Context(), "refused", "reason", err.Reason, "check", err.Check.String(), "cause", err.Unwrap())
	clerkauth.DefaultErrorHandler(w, r, err)
}

func account(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	w.Header().Set("Cache-Control", "private, no-store")
	_, _ = w.Write([]byte("The account of " + session.UserID + "\n"))
}

// Command clerk-gate tells a gateway who is signed in with Clerk. It protects services in any language behind nginx,
// HAProxy, Caddy or Traefik.
//
// The gateway asks /auth about every request (HTTP forward authentication). 204 lets the request pass, with the identity in
// X-Clerk-User-Id and five more headers; every other answer is sent to the client unchanged: 401, 403, 503, or the redirect
// that renews a session. clerk-gate stores only public keys and verified tokens, so any number of replicas can answer.
//
// README.md has a page for each gateway.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit status: 0, 1 for a failure, 2 for a mistake in the configuration.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	// From here on, a signal starts to drain: one during start-up is not lost.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parseOptions(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err == nil && o.version:
		return say(stdout, "clerk-gate "+version())
	}
	var g *gate
	if err == nil {
		g, err = newGate(o, slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: o.logLevel})))
	}
	if err != nil {
		say(stderr, "clerk-gate: the configuration has mistakes:\n"+err.Error())
		return 2
	}
	if o.check {
		return say(stdout, "clerk-gate: the configuration is valid")
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.listen)
	if err == nil {
		err = serve(ctx, listener, g)
	}
	if err != nil {
		g.logger.Error("stopped", "error", err.Error())
		return 1
	}
	return 0
}

func say(w io.Writer, text string) int {
	if _, err := fmt.Fprintln(w, text); err != nil {
		return 1
	}
	return 0
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version + " " + info.GoVersion
	}
	return "(unknown version)"
}

const (
	// drainTime is how long requests in progress may take after a signal.
	drainTime = 10 * time.Second
	// idleTime is longer than gateways keep idle connections: otherwise they would send requests on closing ones.
	idleTime = 3 * time.Minute
	// headerLimit is for all headers of a request: cookies of several tokens are about 10 KB.
	headerLimit = 256 << 10
)

// serve answers until ctx ends, and then finishes the requests in progress.
func serve(ctx context.Context, listener net.Listener, g *gate) error {
	server := &http.Server{
		Handler:           g,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    headerLimit,
		ErrorLog:          slog.NewLogLogger(g.logger.Handler(), slog.LevelWarn),
	}
	go g.warmUp(ctx)
	g.logger.Info("listening", "address", listener.Addr().String(), "gateway", g.gateway.name, "version", version())
	stopped := make(chan error, 1)
	release := context.AfterFunc(ctx, func() {
		g.logger.Info("draining")
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		stopped <- server.Shutdown(late)
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		release()
		return err
	}
	return <-stopped
}

// Quickstart is a small web app that clerkauth protects, with a Clerk instance in the same process: it needs no account and
// no network.
//
//	go run ./examples/quickstart                  serve it on http://127.0.0.1:8080
//	go run ./examples/quickstart -addr :0         on a free port
//	go run ./examples/quickstart -smoke           send every request of the page, take a browser through the life of a
//	                                              session, and compare the answers
//	go run ./examples/quickstart -clerk-js node_modules
//	                                              have a page with Clerk's own script, from npm's @clerk/clerk-js and @clerk/ui
//	CLERK_PUBLISHABLE_KEY=pk_… go run ./examples/quickstart
//
// The last one uses that instance instead, with the variables that clerkauth.ConfigFromEnv reads.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

const defaultAddr = "127.0.0.1:8080"

// run serves the app until ctx ends, or until the smoke test is done.
func run(ctx context.Context, args []string, out, usage io.Writer) error {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(usage)
	addr := flags.String("addr", "", "listen on this `address`; port 0 picks a free one (default "+defaultAddr+", with -smoke a free port)")
	smoke := flags.Bool("smoke", false, "send every request of the page and take a browser through the life of a session, print a table of expected and actual, and exit")
	scripts := flags.String("clerk-js", "", "have a page with Clerk's own script, which this node_modules `directory` has: @clerk/clerk-js and @clerk/ui")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("%q is not understood; see -help", flags.Arg(0))
	case *addr == "" && *smoke:
		*addr = "127.0.0.1:0"
	case *addr == "":
		*addr = defaultAddr
	}

	listener, err := listen(ctx, *addr)
	if err != nil {
		return err
	}
	a, err := newApp(listener.Addr())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer a.close()
	if err := a.useScripts(*scripts); err != nil {
		return errors.Join(err, listener.Close())
	}

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	stopped := make(chan error, 1)
	go func() { stopped <- serve(ctx, listener, a.routes()) }()
	if *smoke {
		err = a.smoke(ctx, out)
	} else {
		_, err = io.WriteString(out, a.greeting())
	}
	if *smoke || err != nil {
		stop()
	}
	return errors.Join(err, <-stopped)
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("the port of %s is taken; choose another with -addr, or a free one with -addr 127.0.0.1:0: %w", addr, err)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %q, see -addr: %w", addr, err)
	}
	return listener, nil
}

// grace is how long requests in progress have to finish. Browsers also open connections that they do not use.
const grace = 800 * time.Millisecond

// serve answers requests until ctx ends, and then finishes those in progress.
func serve(ctx context.Context, listener net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	if closed := <-failed; !errors.Is(closed, http.ErrServerClosed) {
		err = errors.Join(err, closed)
	}
	return err
}

// greeting says where the app is, and how to send requests from a terminal.
func (a *app) greeting() string {
	token, of := "$TOKEN", "The Clerk instance is that of CLERK_PUBLISHABLE_KEY. With one of its session tokens:"
	if a.clerk != nil {
		token = a.clerk.Token(a.claims(people[0], curlLifetime))
		of = fmt.Sprintf("A Clerk instance runs in this process. To ask as %s, for %.0f minutes:", people[0].Name, curlLifetime.Minutes())
	}
	return fmt.Sprintf("\n  %s\n\n%s\n\n  curl -i -H \"Authorization: Bearer %s\" %s/me\n\nCtrl-C ends it.\n", a.base, of, token, a.base)
}

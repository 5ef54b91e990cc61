// Clerk-offline is a Clerk development instance on this machine, for developing and testing without the internet:
// with Go, Next.js, Vite, Express or anything else that reads Clerk's variables, which it prints.
//
//	go run github.com/clerkauth/clerkauth/cmd/clerk-offline
//
// The people of the instance sign in on its pages, with Clerk's components and the code 424242, or with tickets of its
// Backend API. There are three, unless -people names a file with others, see [person].
//
// Its keys protect nothing: it listens on this machine only, and must not be exposed.
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
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "clerk-offline:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	addr     string
	origins  string
	people   string
	state    string
	npm      string
	lifetime time.Duration
	faults   faultFlags
}

const defaultOrigins = "http://localhost:3000,http://localhost:5173,http://localhost:8080," +
	"http://127.0.0.1:3000,http://127.0.0.1:5173,http://127.0.0.1:8080"

func parse(args []string, usage io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("clerk-offline", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.StringVar(&s.addr, "addr", "127.0.0.1:4420", "the `address` of the Frontend API, on this machine; the Backend API and the control page have the next port. With port 0 both are free ones")
	flags.StringVar(&s.origins, "origins", defaultOrigins, "the `origins` of the apps, with commas between them")
	flags.StringVar(&s.people, "people", "", "a JSON `file` with the people who can sign in")
	flags.DurationVar(&s.lifetime, "token-lifetime", time.Minute, "how `long` session tokens are valid")
	flags.StringVar(&s.state, "state", "", "a `directory` that keeps keys and sessions over a restart")
	flags.StringVar(&s.npm, "npm", "", "a node_modules `directory` with @clerk/clerk-js and, for components, @clerk/ui, which are then served to pages")
	flags.Var(&s.faults, "fault", "something to simulate, `endpoint=fault`, such as jwks=down; may be repeated. The control page has all of them")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("%q is not understood; see -help", flags.Arg(0))
	}
	if s.lifetime < time.Second {
		return s, fmt.Errorf("-token-lifetime %v is under a second", s.lifetime)
	}
	return s, nil
}

// run serves an instance until ctx ends.
func run(ctx context.Context, args []string, out, log io.Writer) error {
	s, err := parse(args, log)
	if err != nil {
		return err
	}
	people, err := readPeople(s.people)
	if err != nil {
		return err
	}
	scripts, err := newScripts(s.npm)
	if err != nil {
		return err
	}
	frontend, backend, err := listen(ctx, s.addr)
	if err != nil {
		return err
	}
	h, err := newHost(s.state, frontend, backend, log)
	if err != nil {
		return errors.Join(err, frontend.Close(), backend.Close())
	}
	defer h.close()
	clerk := clerktest.New(h, clerktest.Options{
		Development: true, Origins: splitOrigins(s.origins), People: people, TokenLifetime: s.lifetime,
	})
	if clerk == nil {
		return errors.Join(h.failure, frontend.Close(), backend.Close())
	}
	for _, f := range s.faults {
		f.put(clerk)
	}
	h.clerk, h.scripts, h.control = clerk, scripts, newControl(clerk, s.faults)
	if err := errors.Join(h.save(), printVariables(out, clerk, s)); err != nil {
		return err
	}
	return errors.Join(h.serve(ctx), h.save())
}

func splitOrigins(list string) []string {
	origins := []string{}
	for o := range strings.SplitSeq(list, ",") {
		if o = strings.TrimRight(strings.TrimSpace(o), "/"); o != "" {
			origins = append(origins, o)
		}
	}
	return origins
}

// listen opens the two ports, on this machine only.
func listen(ctx context.Context, addr string) (frontend, backend net.Listener, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, nil, fmt.Errorf("-addr: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, nil, fmt.Errorf("-addr %s can be reached from other machines, and the instance lets everybody sign in as anybody; use 127.0.0.1", addr)
	}
	frontend, err = new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot listen, see -addr: %w", err)
	}
	next := "0"
	if n, err := strconv.Atoi(port); err == nil && n != 0 {
		next = strconv.Itoa(n + 1)
	}
	backend, err = new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, next))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("cannot listen on the port after that of -addr: %w", err), frontend.Close())
	}
	return frontend, backend, nil
}

// printVariables prints the variables that apps read, as lines for a .env file.
func printVariables(out io.Writer, clerk *clerktest.Instance, s settings) error {
	cfg := clerk.Config()
	key, proxy, api, signIn := cfg.PublishableKey, cfg.FrontendAPIURL, cfg.BackendAPIURL, clerk.URL(clerktest.SignInPage)
	_, err := fmt.Fprintf(out, `# Go, Express and everything that reads Clerk's variables
CLERK_PUBLISHABLE_KEY=%[1]s
CLERK_SECRET_KEY=%[2]s
CLERK_API_URL=%[4]s
CLERK_PROXY_URL=%[3]s
CLERK_SIGN_IN_URL=%[5]s
CLERK_AUTHORIZED_PARTIES=%[6]s
CLERK_TELEMETRY_DISABLED=1

# Next.js, beside the first four
NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY=%[1]s
NEXT_PUBLIC_CLERK_PROXY_URL=%[3]s
NEXT_PUBLIC_CLERK_TELEMETRY_DISABLED=1

# Vite
VITE_CLERK_PUBLISHABLE_KEY=%[1]s
VITE_CLERK_PROXY_URL=%[3]s

# Sign in on %[5]s
# Control page: %[4]s/
`, key, cfg.SecretKey, proxy, api, signIn, strings.Join(cfg.AuthorizedParties, ","))
	if err != nil {
		return err
	}
	if s.npm == "" {
		_, err = fmt.Fprintln(out, "# Clerk's scripts are not served: -npm names the node_modules directory that has them")
		return err
	}
	// The SDKs load the scripts of a proxy from https URLs only, unless their URLs are set.
	_, err = fmt.Fprintf(out, `
# Clerk's scripts
CLERK_JS_URL=%[1]s
CLERK_UI_URL=%[2]s
NEXT_PUBLIC_CLERK_JS_URL=%[1]s
NEXT_PUBLIC_CLERK_UI_URL=%[2]s
VITE_CLERK_JS_URL=%[1]s
VITE_CLERK_UI_URL=%[2]s
`, proxy+"/npm/@clerk/clerk-js@latest/dist/clerk.browser.js", proxy+"/npm/@clerk/ui@latest/dist/ui.browser.js")
	return err
}

// newServer serves on one of the ports.
func newServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
}

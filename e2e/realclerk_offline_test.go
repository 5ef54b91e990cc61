package e2e_test

import (
	"bufio"
	"context"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clerkauth/clerkauth"
)

// offline runs cmd/clerk-offline until stop, and returns the variables that it prints.
func offline(t *testing.T, args ...string) (variables map[string]string, stop func()) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "clerk-offline")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/clerk-offline") //nolint:gosec // our own program
	build.Dir, build.Env = "..", append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	ctx, cancel := context.WithCancel(context.Background())
	run := exec.CommandContext(ctx, program, args...) //nolint:gosec // our own program
	run.Cancel = func() error { return run.Process.Signal(os.Interrupt) }
	out, err := run.StdoutPipe()
	if err == nil {
		err = run.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	stop = func() {
		cancel()
		_ = run.Wait() // it was killed
	}
	t.Cleanup(stop)
	variables = map[string]string{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), "=")
		if variables[name] = value; name == "VITE_CLERK_UI_URL" {
			return variables, stop
		}
	}
	t.Fatalf("clerk-offline ended after it printed only %v", variables)
	return nil, nil
}

// freeAddress returns one on which a program can listen, with the port after it.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		first, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
		if err != nil {
			t.Fatal(err)
		}
		address := first.Addr().(*net.TCPAddr)
		next, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(address.Port+1))) //nolint:noctx // closed at once
		_ = first.Close()
		if err == nil {
			_ = next.Close()
			return address.String()
		}
	}
	t.Fatal("no two successive ports are free")
	return ""
}

// TestRealClerkWithTheCommand has an app with only the variables that clerk-offline prints. A
// signed-in browser stays signed in when the command is restarted.
func TestRealClerkWithTheCommand(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(nil)
	home := "http://" + strings.Replace(server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	args := []string{"-addr", freeAddress(t), "-origins", home, "-npm", modules(t), "-state", t.TempDir()}
	env, stop := offline(t, args...)
	auth, err := clerkauth.New(clerkauth.Config{
		PublishableKey: env["CLERK_PUBLISHABLE_KEY"], SecretKey: env["CLERK_SECRET_KEY"], BackendAPIURL: env["CLERK_API_URL"],
		ProxyURL: env["CLERK_PROXY_URL"], SignInURL: env["CLERK_SIGN_IN_URL"], AuthorizedParties: strings.Split(env["CLERK_AUTHORIZED_PARTIES"], ","),
	})
	if err != nil {
		t.Fatal(err)
	}
	app := &realApp{key: env["VITE_CLERK_PUBLISHABLE_KEY"], proxy: env["VITE_CLERK_PROXY_URL"], api: home}
	server.Config.Handler = app.handler(t, auth, nil)
	server.Start()
	t.Cleanup(server.Close)

	b := openLoopback(t)
	b.visit(home + "/react")
	b.fill(identifierField, "alice+clerk_test@example.com")
	b.choose(continueButton)
	b.appears(codeField)
	b.follow(chromedp.SendKeys(chromedp.CSS(codeField), "424242"))
	b.saysScript("user_2alice org_2acme")
	if got := b.me(); got != "200 user_2alice org_2acme" {
		t.Errorf("the server says %q, want \"200 user_2alice org_2acme\"", got)
	}

	stop()
	offline(t, args...)
	b.follow(chromedp.Reload())
	b.expect("after a restart", place{URL: home + "/react", Who: "user_2alice"})
	b.saysScript("user_2alice org_2acme")
	if got := evaluate[string](b, `Clerk.session.getToken({skipCache: true}).then(() => Clerk.user.id)`); got != "user_2alice" {
		t.Errorf("after a restart a new token is for %q, want \"user_2alice\"", got)
	}
	if got := b.me(); got != "200 user_2alice org_2acme" {
		t.Errorf("after a restart the server says %q, want \"200 user_2alice org_2acme\"", got)
	}
}

package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/clerkauth/clerkauth/clerktest"
)

// apps starts a development instance for a program that gets all its settings from the environment,
// and for Clerk's scripts, which find it by the publishable key.
func apps(t *testing.T, origin string) (*site, []string) {
	t.Helper()
	files := modules(t)
	clerk, err := clerktest.Start(clerktest.Options{Development: true, Origins: []string{origin}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(clerk.Close)
	frontend := &frontendHost{modules: files}
	frontend.instance.Store(clerk)
	s := loopback(t, map[string]http.Handler{clerk.Issuer(): frontend})
	s.clerk, s.home, s.app = clerk, origin, newApp(clerk)
	cfg := clerk.Config()
	return s, []string{
		"CLERK_PUBLISHABLE_KEY=" + cfg.PublishableKey, "CLERK_SECRET_KEY=" + cfg.SecretKey, "CLERK_API_URL=" + cfg.BackendAPIURL,
		"CLERK_AUTHORIZED_PARTIES=" + origin, "CLERK_SIGN_IN_URL=" + s.app.signIn, "VITE_CLERK_PUBLISHABLE_KEY=" + cfg.PublishableKey,
	}
}

// freePort returns a port on which nothing listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed at once
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing was sent
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// run starts a program, and returns the text after ready in a line that it prints.
func run(t *testing.T, dir string, env []string, ready *regexp.Regexp, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	program := exec.CommandContext(ctx, name, args...) //nolint:gosec // our own programs
	program.Dir, program.Env = dir, append(os.Environ(), env...)
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	program.Stderr = program.Stdout
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = program.Wait() // it was killed
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if found := ready.FindStringSubmatch(lines.Text()); found != nil {
			go func() {
				for lines.Scan() { // or the program would wait for a reader
				}
			}()
			return found[1]
		}
		t.Log(lines.Text())
	}
	t.Fatalf("%s does not start: %v", name, lines.Err())
	return ""
}

// startExample builds and starts a program of examples, and returns where it listens.
func startExample(t *testing.T, module, pkg, addr string, env []string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, pkg) //nolint:gosec // our own program
	build.Dir, build.Env = module, append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	return run(t, ".", append(env, "ADDR="+addr), regexp.MustCompile(`(http://127\.0\.0\.1:\d+)`), program)
}

// startVite serves the pages of an example by Vite.
func startVite(t *testing.T, web, port string, env []string) {
	t.Helper()
	root, err := filepath.Abs(web)
	if err != nil {
		t.Fatal(err)
	}
	run(t, "npm", env, regexp.MustCompile(`^(ready)$`), "node", "vite.mjs", root, port, t.TempDir())
}

// focused returns a browser with focus: scripts renew tokens for no other.
func (s *site) focused(t *testing.T) *tab {
	t.Helper()
	b := s.open(t)
	if _, err := chromedp.Call(b.chromium(), emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	return b
}

// says waits until a page says who is signed in.
func (b *tab) says(who string) {
	b.t.Helper()
	b.until(`document.querySelector("#who")?.textContent === "` + who + `"`)
}

// throughASinglePageApp signs in and out in a single-page app.
func (s *site) throughASinglePageApp(b *tab) {
	b.t.Helper()
	b.visit(s.home + "/")
	b.says("nobody (401)")
	b.picture()
	b.choose("#sign-in")
	b.signsIn(s)
	b.says(alice)
	b.picture()
}

func TestSinglePageAppOfTheSameOrigin(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	s, env := apps(t, "http://localhost:"+port)
	api := startExample(t, "..", "./examples/vite", "127.0.0.1:0", env)
	startVite(t, "../examples/vite/web", port, append(env, "API="+api))
	b := s.focused(t)
	s.throughASinglePageApp(b)
	b.choose("#sign-out")
	b.says("nobody (401)")
}

func TestSinglePageAppOfAnotherOrigin(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	s, env := apps(t, "http://localhost:"+port)
	api := startExample(t, "../examples/cors", ".", "127.0.0.1:0", env)
	startVite(t, "../examples/cors/web", port, append(env, "VITE_API="+api))
	b := s.focused(t)
	s.throughASinglePageApp(b)

	// A page of another origin may send what it likes, and cannot read the answer.
	const steal = `fetch(%q, {headers: {Authorization: "Bearer %s"}}).then(r => r.status, e => 0)`
	token := s.clerk.Token(clerktest.Claims{Subject: alice})
	if got := evaluate[int](b, steal, api+"/me", token); got != http.StatusOK {
		t.Errorf("the app itself reads %d, want %d", got, http.StatusOK)
	}
	b.visit("http://127.0.0.1:" + port + "/")
	if got := evaluate[int](b, steal, api+"/me", token); got != 0 {
		t.Errorf("a page of another origin reads %d, want 0", got)
	}
}

func TestPagesWithAForm(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	s, env := apps(t, "http://localhost:"+port)
	startExample(t, "..", "./examples/pages", "127.0.0.1:"+port, env)
	b := s.focused(t)
	b.visit(s.home + "/")
	b.signsIn(s)
	b.says(alice)
	if at := b.place().URL; at != s.home+"/" {
		t.Errorf("the sign-in page returns to %s, want %s/", at, s.home)
	}
	b.fill(`input[name="note"]`, "first <note>")
	b.choose("form button")
	b.until(`[...document.querySelectorAll("li")].map(e => e.textContent).join() === "first <note>"`)
	b.picture()

	// The same form is on a page of another port, which gets the same cookies.
	other := httptest.NewServer(http.HandlerFunc(evil))
	defer other.Close()
	b.visit(strings.Replace(other.URL, "127.0.0.1", "localhost", 1))
	evaluate[any](b, `void (document.body.innerHTML = '<form action="%s/notes" method="post"><input name="note" value="planted"></form>', document.forms[0].submit())`, s.home)
	b.until(`document.readyState === "complete" && document.body.innerText.includes("cross-origin-request")`)
	b.visit(s.home + "/")
	b.until(`document.querySelectorAll("li").length === 1`)
}

// TestPagesOfExamplesAskForTheVersionsTested compares the versions in the examples with those
// tested here.
func TestPagesOfExamplesAskForTheVersionsTested(t *testing.T) {
	read := func(path string) map[string]string {
		t.Helper()
		raw, err := os.ReadFile(path) //nolint:gosec // G304: they are ours
		if err != nil {
			t.Fatal(err)
		}
		var p struct{ Dependencies, DevDependencies map[string]string }
		if err := json.Unmarshal(raw, &p); err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		maps.Copy(all, p.Dependencies)
		maps.Copy(all, p.DevDependencies)
		return all
	}
	tested := read("npm/package.json")
	for _, path := range []string{"../examples/vite/web/package.json", "../examples/cors/web/package.json"} {
		for name, version := range read(path) {
			if tested[name] != version {
				t.Errorf("%s uses %s %s, want the tested version %q", path, name, version, tested[name])
			}
		}
	}
}

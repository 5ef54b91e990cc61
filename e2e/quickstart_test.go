package e2e_test

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// quickstart builds the example program and runs it. It returns the address that the program prints.
func quickstart(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "quickstart")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/clerkauth/clerkauth/examples/quickstart") //nolint:gosec // no word of it comes from elsewhere
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program := exec.Command(binary, "-addr", "127.0.0.1:0") //nolint:gosec,noctx // what was just built; it ends by an interrupt
	program.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CLERK_") })
	program.Stderr = os.Stderr
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := program.Process.Signal(os.Interrupt); err != nil {
			t.Errorf("ending the program: %v", err)
		}
		if err := program.Wait(); err != nil {
			t.Errorf("the program ends with %v", err)
		}
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if address := strings.TrimSpace(lines.Text()); strings.HasPrefix(address, "http://") {
			return address
		}
	}
	t.Fatal("the program does not say where it is")
	return ""
}

// requests remembers the addresses that a tab asks for.
type requests struct {
	mu   sync.Mutex
	urls []string
}

func (r *requests) listen(b *tab) {
	b.t.Helper()
	err := chromedp.Listen(b.ctx, func(event any) {
		if sent, ok := event.(*network.EventRequestWillBeSent); ok {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.urls = append(r.urls, sent.Request.URL)
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// went reports whether the tab asked for an address with this in it, and forgets.
func (r *requests) went(part string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	urls := r.urls
	r.urls = nil
	return slices.ContainsFunc(urls, func(url string) bool { return strings.Contains(url, part) })
}

// The example's whole journey, in its own time: a token lives for a minute.
func TestJourneyQuickstart(t *testing.T) {
	t.Parallel()
	b := start(t, serve(t), true)
	b.app = quickstart(t)
	var asked requests
	asked.listen(b)

	answer := b.visit(b.app + "/")
	b.reads("signed out")
	if !asked.went("/v1/client/handshake") || answer.Status != http.StatusOK || answer.URL != b.app+"/" {
		t.Errorf("the first visit ends with %d at %s, want a handshake and the page", answer.Status, answer.URL)
	}
	b.pressesLink("Sign in")
	b.presses("button[value=user_ada]")
	b.waits("#left")
	b.reads("signed in Ada")
	session := b.session()
	b.presses("#wave button")
	b.waits("#waves[data-count='1']")
	b.screenshot("-signed-in")

	b.until("waiting for the countdown to end", func() bool { return strings.Contains(b.text(), "The token has ended") })
	for _, c := range b.jar() {
		if strings.HasPrefix(c.Name, "__refresh_") { // or the app would renew the token without the browser
			b.loses(c.Name)
		}
	}
	asked.went("")
	b.until("reloading until the leeway for clocks is over", func() bool {
		must(b, "reloading", chromedp.Reload())
		b.reads("signed in Ada")
		return b.left() > 30
	})
	if !asked.went("/v1/client/handshake") {
		t.Error("the token was renewed without a handshake")
	}
	if got := b.session(); got != session {
		t.Errorf("session %s, want %s", got, session)
	}

	other := b.another()
	other.visit(b.app + "/")
	other.pressesLink("Sign out")
	other.presses("form[action='/sign-out'] button")
	other.waits("#who")
	other.reads("signed out")
	must(b, "reloading", chromedp.Reload())
	b.reads("signed out")
	if answer := b.visit(b.app + "/me"); answer.Status != http.StatusUnauthorized {
		t.Errorf("the protected route, signed out: %d", answer.Status)
	}
}

// reads checks what is beside the badge.
func (b *tab) reads(want string) {
	b.t.Helper()
	state := must(b, "reading who is signed in", chromedp.Text(chromedp.CSS(".state")))
	if !strings.HasPrefix(strings.Join(strings.Fields(state), " "), want) {
		b.t.Fatalf("the page says %q, want %q", state, want)
	}
}

func (b *tab) session() string {
	b.t.Helper()
	return must(b, "reading the session", chromedp.Evaluate[string](
		"[...document.querySelectorAll('dt')].find(t => t.textContent === 'Session').nextElementSibling.textContent"))
}

// left is how many seconds the token has left by the page.
func (b *tab) left() int {
	b.t.Helper()
	seconds, err := strconv.Atoi(must(b, "reading the countdown", chromedp.AttributeValue(chromedp.CSS("#left"), "data-left")).Value)
	if err != nil {
		b.t.Fatal(err)
	}
	return seconds
}

func (b *tab) pressesLink(text string) {
	b.t.Helper()
	must(b, "pressing "+text, chromedp.Click(chromedp.Search("//a[text()='"+text+"']")))
}

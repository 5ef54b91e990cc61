package e2e_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// quickstart builds and starts examples/quickstart as people do, and returns its address.
func quickstart(t *testing.T, args ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "quickstart")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./examples/quickstart") //nolint:gosec // our own program
	build.Dir, build.Env = "..", append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	ctx, cancel := context.WithCancel(context.Background())
	run := exec.CommandContext(ctx, program, append([]string{"-addr", "127.0.0.1:0"}, args...)...) //nolint:gosec // our own program
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = run.Wait() // it was killed
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(lines.Text()); address != "" {
			return address
		}
	}
	t.Fatalf("the quickstart prints no address: %v", lines.Err())
	return ""
}

// TestQuickstart signs in to examples/quickstart, whose tokens are valid as long as Clerk's: a minute.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	b := (&site{}).open(t)
	home := quickstart(t)
	b.visit(home + "/")
	if got := b.text(); !strings.Contains(got, "signed out") {
		t.Fatalf("the first visit shows %q, want signed out", got)
	}
	b.press(`a[href*="sign-in"]`)
	b.press(`form button[name="user"]`)
	if at := b.place().URL; at != home+"/" {
		t.Errorf("back from signing in at %s, want %s/ without parameters", at, home)
	}
	signedIn := func(when string) {
		t.Helper()
		if got := b.text(); !strings.Contains(got, "signed in") || strings.Contains(got, "signed out") {
			t.Errorf("%s: the page says %q, want signed in", when, got)
		}
	}
	signedIn("after signing in")
	b.await(`document.querySelector("#left progress").value == 0`)
	b.picture()
	b.await(`performance.now() >= (window.leewayOver ??= performance.now() + 8000)`) // after the leeway of 5 s and rounding
	b.visit(home + "/")
	signedIn("after the token ended")
	if left := evaluate[int](b, `Number(document.querySelector("#left").dataset.left)`); left <= 0 {
		t.Errorf("after the token ended, the page has one with %d s left, want a new one", left)
	}

	elsewhere := b.another()
	elsewhere.visit(home + "/")
	elsewhere.press(`a[href*="sign-out"]`)
	elsewhere.press(`form button`)
	b.visit(home + "/")
	if got := b.text(); !strings.Contains(got, "signed out") {
		t.Errorf("after signing out in another tab the page says %q, want signed out", got)
	}
}

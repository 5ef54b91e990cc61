package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// packages is a node_modules directory with stand-ins for Clerk's scripts.
func packages(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"@clerk/clerk-js/dist/clerk.browser.js", "@clerk/ui/dist/ui.browser.js", "@clerk/ui/package.json", "other/dist/x.js"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("// "+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPageWithClerksScriptIsThereIfItIsGiven(t *testing.T) {
	ownInstance(t)
	with := serving(t, func(a *app) http.Handler {
		if err := a.useScripts(packages(t)); err != nil {
			t.Fatal(err)
		}
		return a.routes()
	})
	without := serving(t, (*app).routes)
	for path, want := range map[string]string{
		"/clerk-js": with.clerk.PublishableKey(), "/npm/@clerk/clerk-js/dist/clerk.browser.js": "// @clerk/clerk-js", "/npm/@clerk/ui@1.2.3/dist/ui.browser.js": "// @clerk/ui",
		"/assets/clerkjs.js": "Clerk.load",
	} {
		got := send(t, http.DefaultClient, http.MethodGet, with.base+path, nil, nil)
		if got.status != http.StatusOK || !strings.Contains(got.body, want) {
			t.Errorf("%s: got %d %.200s, want %q", path, got.status, got.body, want)
		}
	}
	for _, path := range []string{"/npm/@clerk/ui/package.json", "/npm/other/dist/x.js", "/npm/@clerk/ui/dist/..%2f..%2fclerk-js/dist/clerk.browser.js"} {
		if got := send(t, http.DefaultClient, http.MethodGet, with.base+path, nil, nil); got.status != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, got.status)
		}
	}
	for _, path := range []string{"/clerk-js", "/npm/@clerk/clerk-js/dist/clerk.browser.js"} {
		if got := send(t, http.DefaultClient, http.MethodGet, without.base+path, nil, nil); got.status != http.StatusNotFound {
			t.Errorf("without -clerk-js %s: got %d, want 404", path, got.status)
		}
	}
	for a, want := range map[*app]bool{with: true, without: false} {
		if got := send(t, http.DefaultClient, http.MethodGet, a.base+"/", nil, nil); strings.Contains(got.body, "/clerk-js") != want {
			t.Errorf("the page leads to Clerk's script: got %t, want %t", !want, want)
		}
	}
}

func TestScriptsMustBeThere(t *testing.T) {
	ownInstance(t)
	if err := run(t.Context(), []string{"-smoke", "-clerk-js", t.TempDir()}, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "npm install") {
		t.Errorf("an empty directory: got %v, want an error with npm install in it", err)
	}
	t.Setenv("CLERK_PUBLISHABLE_KEY", "pk_test_YWJsZS1vd2wtNy5jbGVyay5hY2NvdW50cy5kZXYk")
	if err := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-clerk-js", packages(t)}, io.Discard, io.Discard); err == nil {
		t.Error("with another instance it starts")
	}
}

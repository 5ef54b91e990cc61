package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"os"
	"path"
	"regexp"
	"strings"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// With -clerk-js the app has one more page, on which people sign in with Clerk's own script instead of at the instance.

//go:embed clerkjs.html
var scriptPageSource string

var scriptPage = template.Must(template.New("clerkjs").Parse(scriptPageSource))

// useScripts uses Clerk's scripts, with components, from a node_modules directory; empty: none.
func (a *app) useScripts(dir string) error {
	if dir == "" {
		return nil
	}
	if a.clerk == nil {
		return fmt.Errorf("-clerk-js: %w", errNeedsInstance)
	}
	modules := os.DirFS(dir)
	for _, name := range []string{"@clerk/clerk-js/dist/clerk.browser.js", "@clerk/ui/dist/ui.browser.js"} {
		if _, err := fs.Stat(modules, name); err != nil {
			return fmt.Errorf("-clerk-js: %w; npm install @clerk/clerk-js @clerk/ui makes such a directory", err)
		}
	}
	a.modules = modules
	return nil
}

var scriptPath = regexp.MustCompile(`^/npm/@clerk/(clerk-js|ui)(?:@[^/]+)?/dist/([^/]+\.js)$`)

// script serves Clerk's scripts and their parts.
func (a *app) script(w http.ResponseWriter, r *http.Request) {
	parts := scriptPath.FindStringSubmatch(r.URL.Path)
	if parts == nil {
		http.NotFound(w, r)
		return
	}
	name := path.Join("@clerk", parts[1], "dist", parts[2])
	http.ServeFileFS(w, r, a.modules, name) //nolint:gosec // G703: the last part has no slash, and ends in .js
}

// byScript is the page with Clerk's own script.
func (a *app) byScript(w http.ResponseWriter, r *http.Request) {
	instance := strings.TrimSuffix(a.clerk.URL(clerktest.SignInPage), "/sign-in")
	view := struct {
		User, Key, Proxy string
		People           []string
	}{Key: a.clerk.PublishableKey(), Proxy: instance}
	for _, p := range people {
		view.People = append(view.People, strings.ToLower(p.Name)+"+clerk_test@example.com")
	}
	if s, ok := clerkauth.FromContext(r.Context()); ok {
		view.User = s.UserID
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' "+instance+
		"; img-src data:; worker-src blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	_ = scriptPage.Execute(w, view) // the client may be gone
}

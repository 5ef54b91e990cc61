package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"regexp"
)

// scriptPath is where Clerk's SDKs expect Clerk's scripts at a Frontend API: /npm/@clerk/clerk-js@6/dist/clerk.browser.js.
var scriptPath = regexp.MustCompile(`^/npm/@clerk/(clerk-js|ui)@[^/]+/dist/([^/]+\.js)$`)

// newScripts serves the scripts of a node_modules directory, for every requested version; nil without a directory.
func newScripts(dir string) (http.Handler, error) {
	if dir == "" {
		return nil, nil //nolint:nilnil // there are none to serve
	}
	modules := os.DirFS(dir)
	if _, err := fs.Stat(modules, "@clerk/clerk-js/dist/clerk.browser.js"); err != nil {
		return nil, fmt.Errorf("-npm: @clerk/clerk-js is not installed there (npm install @clerk/clerk-js @clerk/ui): %w", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts := scriptPath.FindStringSubmatch(r.URL.Path)
		if parts == nil {
			http.NotFound(w, r)
			return
		}
		// The SDKs' script elements are crossorigin="anonymous".
		w.Header().Set("Access-Control-Allow-Origin", "*")
		name := path.Join("@clerk", parts[1], "dist", parts[2])
		http.ServeFileFS(w, r, modules, name) //nolint:gosec // G703: the last part has no slash, and ends in .js
	}), nil
}

package e2e_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// A sign-in page behind Require, and a proxy that redirects it to another URL, redirect a browser
// to each other. The loop must end at a page that says that nobody is signed in.
func TestSignInPageBehindRequireEndsInEveryEngine(t *testing.T) {
	t.Parallel()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			in := newInternet(t)
			browser := e.open(t, in)
			for domain, rewrite := range map[string]func(string) string{
				"slash.test":    func(path string) string { return path + "/" },
				"language.test": func(path string) string { return "/en" + path },
				"letters.test":  strings.ToUpper,
			} {
				t.Run(domain, func(t *testing.T) {
					s := productionIn(t, in, domain, clerktest.Options{}, nil)
					auth := s.authenticator(t, func(c *clerkauth.Config) { c.SignInURL = "/sign-in" })
					var redirects atomic.Int64
					in.serve(t, s.home, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
						if r.URL.Path == "/sign-in" {
							redirects.Add(1)
							rw.Header().Set("Location", rewrite(r.URL.Path)+"?"+r.URL.RawQuery)
							rw.WriteHeader(http.StatusMovedPermanently)
							return
						}
						status := &statusWriter{ResponseWriter: rw, status: http.StatusOK}
						auth.Require(http.HandlerFunc(s.app.page)).ServeHTTP(status, r)
						if status.status == http.StatusFound {
							redirects.Add(1)
						}
					}))
					b := &tab{browser, t}
					b.visit(s.home + "/private?a=b")
					if text := b.text(); !strings.Contains(text, string(clerkauth.ReasonSessionTokenAndUATMissing)) {
						t.Errorf("the page at %s says %q, want the reason %s", b.place().URL, text, clerkauth.ReasonSessionTokenAndUATMissing)
					}
					if n := redirects.Load(); n > 3 {
						t.Errorf("%d redirects, the last to %s, want 3 at most", n, b.place().URL)
					}
					b.picture()
				})
			}
		})
	}
}

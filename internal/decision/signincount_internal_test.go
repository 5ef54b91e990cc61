package decision

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
)

// signInVisitor is a browser that keeps the count of its redirects to sign in.
type signInVisitor struct {
	d     *Decider
	count string
}

func (v *signInVisitor) asks(target string) *http.Request {
	return request(http.MethodGet, target, "Sec-Fetch-Dest: document", "Cookie: "+inbound.PrefixHost+inbound.CookieSignIns+"="+v.count)
}

// visit asks for a page of the application, and reports whether it was sent to sign in.
func (v *signInVisitor) visit(t *testing.T, path string, now time.Time) bool {
	t.Helper()
	r := v.asks(appOrigin + path)
	if v.d.SignInObstacle(r, now) != nil {
		return false
	}
	c := parsed(t, v.d.CountSignIn(r, now))
	if c == nil {
		t.Fatalf("%s: the redirect is not counted", path)
	}
	v.count = c.Value
	return true
}

// sentThrice is a browser that was sent to sign in three times from a page.
func sentThrice(t *testing.T, path string) *signInVisitor {
	t.Helper()
	v := &signInVisitor{d: signInAt(t, portalSignIn)}
	for range maxAttempts {
		if !v.visit(t, path, noon) {
			t.Fatalf("%s: not sent to sign in", path)
		}
	}
	return v
}

// A page is the same one whatever order its parameters have, and however often they are repeated. With other values it is
// another page.
func TestPagesThatAreSentToSignIn(t *testing.T) {
	for path, want := range map[string]bool{
		"/p?a=1&b=2":          false,
		"/p?b=2&a=1":          false,
		"/p?a=1&b=2&a=1":      false,
		"/p?a=1&b=2&next=%2F": false,
		"/p?a=1&b=3":          true,
		"/p":                  true,
		"/q?a=1&b=2":          true,
	} {
		if got := sentThrice(t, "/p?a=1&b=2").visit(t, path, noon); got != want {
			t.Errorf("after three redirects of /p?a=1&b=2, %s is sent to sign in: %t, want %t", path, got, want)
		}
	}
}

// The count of all pages together is of redirects at once: somebody who reads in between is sent to sign in again, and is
// counted anew.
func TestManyPagesAreSentToSignIn(t *testing.T) {
	v := &signInVisitor{d: signInAt(t, portalSignIn)}
	for i := range maxSignIns {
		if !v.visit(t, fmt.Sprintf("/%d", i), noon) {
			t.Fatalf("page %d is not sent to sign in", i+1)
		}
	}
	at := *v
	if at.visit(t, "/next", noon.Add(time.Second)) {
		t.Error("at once: the next page is sent to sign in, want it stopped")
	}
	later := noon.Add(10 * time.Second)
	for _, path := range []string{"/next", "/after"} {
		if !v.visit(t, path, later) {
			t.Errorf("ten seconds later: %s is not sent to sign in, want it sent", path)
		}
	}
}

// A cookie that is larger than one of our own was planted, and does not count.
func TestSizeOfTheCountOfSignIns(t *testing.T) {
	for size, want := range map[int]bool{maxSignInsCookie: false, maxSignInsCookie + 1: true} {
		v := sentThrice(t, "/p")
		v.count = strings.Repeat("~", size-len(v.count)) + v.count
		if got := v.visit(t, "/p", noon); got != want {
			t.Errorf("a cookie of %d bytes: sent to sign in a fourth time: %t, want %t", size, got, want)
		}
	}
}

// Where nobody is sent to sign in, nothing is counted and nothing stops anybody.
func TestSignInsThatAreNotCounted(t *testing.T) {
	v := sentThrice(t, "/p")
	contradictory := v.asks(appOrigin + "/p")
	contradictory.Header["Authorization"] = []string{"Bearer a", "Bearer b"}
	for name, r := range map[string]*http.Request{
		"a host that is not listed": v.asks("https://evil.example.com/p"),
		"two Authorization lines":   contradictory,
	} {
		if err, count := v.d.SignInObstacle(r, noon), v.d.CountSignIn(r, noon); err != nil || count != "" {
			t.Errorf("%s: got %v and the count %q, want neither", name, err, count)
		}
	}
}

// The longest query that a page is counted by has maxAddress bytes: what follows costs nothing.
func TestWithoutAddresses(t *testing.T) {
	for query, want := range map[string]string{
		"":                                   "",
		"&&b=2&&a=1&b=2&":                    "a=1&b=2",
		"a=1&back=https%253A%252F%252Fx&b=/": "a=1",
		strings.Repeat("a=1&b=2&", maxAddress/8) + "c=3": "a=1&b=2",
	} {
		if got := withoutAddresses(query); got != want {
			t.Errorf("%.40q: got %.40q, want %q", query, got, want)
		}
	}
}

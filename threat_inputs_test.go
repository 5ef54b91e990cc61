package clerkauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// besieged is an instance with applications that together read everything that this package can read of a request.
type besieged struct {
	words *strings.Replacer // $GOOD, $FORGED, $OLD: tokens; $SUFFIX: of cookies
	apps  []besiegedApp

	asked, longest atomic.Int64 // how often AllowParty was called, and the longest text that it was shown, in bytes
}

type besiegedApp struct {
	name    string
	handler http.Handler
}

func newBesieged(t testing.TB, development bool) *besieged {
	t.Helper()
	clerk := clerktest.New(t, clerktest.Options{Development: development, Now: func() time.Time { return noon }})
	good := clerk.Token(clerktest.Claims{})
	_, suffix, _ := strings.Cut(clerk.Cookies(good)[1].Name, "__session_")
	b := &besieged{words: strings.NewReplacer("$GOOD", good, "$SUFFIX", suffix, "$FORGED", clerk.Forge(clerktest.Claims{}),
		"$OLD", clerk.Token(clerktest.Claims{IssuedAt: noon.Add(-time.Hour)}))}
	quiet := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	optional := func(a *clerkauth.Authenticator) http.Handler { return a.Optional(quiet) }
	require := func(a *clerkauth.Authenticator) http.Handler { return a.Require(quiet) }
	for name, app := range map[string]struct {
		handler func(*clerkauth.Authenticator) http.Handler
		change  func(*clerkauth.Config)
	}{
		"Optional": {optional, func(*clerkauth.Config) {}},
		"Require":  {require, signIn},
		"satellite": {optional, func(c *clerkauth.Config) {
			c.Satellite, c.SignInURL = &clerkauth.Satellite{Domain: "example.com", AutoSync: true}, "https://primary.example/sign-in"
		}},
		"any party": {optional, func(c *clerkauth.Config) {
			c.AuthorizedParties, c.AllowParty, c.InsecureAllowAnyParty = nil, nil, true
		}},
	} {
		cfg := clerk.Config()
		cfg.AuthorizedParties = []string{"https://example.com", "http://localhost:3000", "chrome-extension://abcdef", "https://pr-*.example.com"}
		cfg.AllowParty = b.allow
		cfg.TrustedOrigins = []string{"https://pay.example"}
		cfg.TrustForwardedHeaders = true
		cfg.OrganizationSync.OrganizationPatterns = []string{"/orgs/:slug", "/orgs/:slug/(.*)"}
		cfg.OrganizationSync.PersonalAccountPatterns = []string{"/me/(.*)"}
		app.change(&cfg)
		auth, err := clerkauth.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := auth.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.apps = append(b.apps, besiegedApp{fmt.Sprintf("%s, development %t", name, development), app.handler(auth)})
	}
	return b
}

func (b *besieged) allow(_ context.Context, origin, host string) bool {
	b.asked.Add(1)
	b.longest.Store(max(b.longest.Load(), int64(len(origin)), int64(len(host))))
	return false
}

// fill puts tokens and names into a request.
func (b *besieged) fill(w wire) wire {
	fields := make([][2]string, len(w.fields))
	for i, f := range w.fields {
		fields[i] = [2]string{f[0], b.words.Replace(f[1])}
	}
	w.fields = fields
	return w
}

// spent is what a call costs in memory.
func spent(f func()) (bytes, objects int) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc), int(after.Mallocs - before.Mallocs) //nolint:gosec // differences of counters
}

// What one request may cost, beside a constant for each byte of it. An address to be sent to is worked out up to 8 KB.
const (
	bytesPerRequest, bytesPerByte = 128 << 10, 5
	objectsPerRequest             = 5000
	objectsPerByte                = 0.25
	questionsPerRequest           = 12               // to AllowParty
	longestAddress                = 8 << 10          // of a redirect, in bytes
	longestQuestion               = 64 + 3 + 253 + 6 // a scheme, a host and a port
)

// observe serves r to every application, and reports where one spends too much.
func (b *besieged) observe(t *testing.T, name string, size int, r *http.Request) {
	for _, app := range b.apps {
		b.asked.Store(0)
		b.longest.Store(0)
		w := httptest.NewRecorder()
		bytes, objects := spent(func() { app.handler.ServeHTTP(w, r) })
		if bytes > bytesPerRequest+bytesPerByte*size || float64(objects) > objectsPerRequest+objectsPerByte*float64(size) {
			t.Errorf("%s, %s, %s of %d bytes: %d bytes and %d objects are allocated", app.name, r.Proto, name, size, bytes, objects)
		}
		if asked, longest := b.asked.Load(), b.longest.Load(); asked > questionsPerRequest || longest > longestQuestion {
			t.Errorf("%s, %s, %s of %d bytes: AllowParty is asked %d times, about up to %d bytes", app.name, r.Proto, name, size, asked, longest)
		}
		if n := len(w.Header().Get("Location")); n > longestAddress {
			t.Errorf("%s, %s, %s of %d bytes: the browser is sent to an address of %d bytes", app.name, r.Proto, name, size, n)
		}
	}
}

// No input costs more than its length, or more than a bound: every part of a request that is read, in both versions of
// HTTP, as a server reads it from a connection.
func TestNoInputCostsMoreThanItsLength(t *testing.T) {
	for _, development := range []bool{false, true} {
		b := newBesieged(t, development)
		answered := make(chan struct{})
		var name string
		var size int
		address := listen(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			b.observe(t, name, size, r)
			answered <- struct{}{}
		}))
		for _, in := range longInputs() {
			reached := false
			for n := 1 << 10; n <= 1<<20; n <<= 1 {
				if testing.Short() && n != 1<<10 && n != 1<<15 && n != 1<<20 {
					continue
				}
				w := b.fill(in.make(n))
				name, size = in.name, w.size()
				reached = send(t, address, w.http1(), answered) || reached
				reached = send(t, address, w.http2(), answered) || reached
			}
			if !reached && !in.refused {
				t.Errorf("%s: the server never lets it through", in.name)
			}
		}
	}
}

// BenchmarkLongInputs is the same as a table.
func BenchmarkLongInputs(b *testing.B) {
	for _, development := range []bool{false, true} {
		siege := newBesieged(b, development)
		for _, in := range longInputs() {
			for n := 1 << 10; n <= 1<<20; n <<= 5 {
				r := siege.fill(in.make(n)).request(b)
				for _, app := range siege.apps {
					b.Run(fmt.Sprintf("%s/%s/%dKB", app.name, in.name, n>>10), func(b *testing.B) {
						b.ReportAllocs()
						for b.Loop() {
							app.handler.ServeHTTP(httptest.NewRecorder(), r)
						}
					})
				}
			}
		}
	}
}

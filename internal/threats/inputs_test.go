package threats_test

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
	"github.com/clerkauth/clerkauth/internal/harness"
)

// besieged is an instance with applications that together read every part of a request that this
// package can read.
type besieged struct {
	words *strings.Replacer // $GOOD, $FORGED, $OLD: tokens; $SUFFIX: of cookies
	apps  []besiegedApp

	calls, longest atomic.Int64 // how often AllowParty was called, and its longest argument in bytes
}

type besiegedApp struct {
	name    string
	handler http.Handler
}

func (a besiegedApp) String() string { return a.name }

func newBesieged(t testing.TB, development bool) *besieged {
	t.Helper()
	clerk := clerktest.New(t, clerktest.Options{Development: development, Now: harness.AtNoon})
	good := clerk.Token(clerktest.Claims{})
	suffix := harness.Suffix(clerk)
	b := &besieged{words: strings.NewReplacer("$GOOD", good, "$SUFFIX", suffix, "$FORGED", clerk.Forge(clerktest.Claims{}),
		"$OLD", clerk.Token(clerktest.Claims{IssuedAt: harness.Noon.Add(-time.Hour)}))}
	quiet := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	optional := func(a *clerkauth.Authenticator) http.Handler { return a.Optional(quiet) }
	require := func(a *clerkauth.Authenticator) http.Handler { return a.Require(quiet) }
	for name, app := range map[string]struct {
		handler func(*clerkauth.Authenticator) http.Handler
		change  func(*clerkauth.Config)
	}{
		"Optional": {optional, func(*clerkauth.Config) {}},
		"Require":  {require, harness.SignIn},
		"satellite": {optional, func(c *clerkauth.Config) {
			c.Satellite, c.SignInURL = &clerkauth.Satellite{Domain: "example.com", AutoSync: true}, "https://primary.example/sign-in"
		}},
		"any party": {optional, func(c *clerkauth.Config) {
			c.AuthorizedParties, c.AllowParty, c.InsecureAllowAnyParty = nil, nil, true
		}},
	} {
		auth := harness.New(t, clerk, func(c *clerkauth.Config) {
			c.AuthorizedParties = []string{"https://example.com", "http://localhost:3000", "chrome-extension://abcdef", "https://pr-*.example.com"}
			c.AllowParty = b.allow
			c.TrustedOrigins = []string{"https://pay.example"}
			c.TrustForwardedHeaders = true
			c.OrganizationSync.OrganizationPatterns = []string{"/orgs/:slug", "/orgs/:slug/(.*)"}
			c.OrganizationSync.PersonalAccountPatterns = []string{"/me/(.*)"}
		}, app.change)
		if err := auth.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.apps = append(b.apps, besiegedApp{fmt.Sprintf("%s, development %t", name, development), app.handler(auth)})
	}
	return b
}

func (b *besieged) allow(_ context.Context, origin, host string) bool {
	b.calls.Add(1)
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

// spent returns what a call allocates.
func spent(f func()) (bytes, objects int) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc), int(after.Mallocs - before.Mallocs) //nolint:gosec // differences of counters
}

// What one request may cost, besides a constant for each byte of it. A redirect address is computed
// up to 8 KB, several times.
const (
	bytesPerRequest, bytesPerByte = 384 << 10, 5
	objectsPerRequest             = 5000
	bytesPerObject                = 4
	questionsPerRequest           = 12               // to AllowParty
	longestAddress                = 8 << 10          // of a redirect, in bytes
	longestQuestion               = 64 + 3 + 253 + 6 // a scheme, a host and a port
)

// observe serves r to all applications, and reports those that allocate too much.
func (b *besieged) observe(t *testing.T, name string, size int, r *http.Request) {
	all := b.serve(t, b.apps, name, size, r)
	for i := range b.apps {
		if all {
			break
		}
		b.serve(t, b.apps[i:i+1], name, size, r) // finds out which of them it is
	}
}

func (b *besieged) serve(t *testing.T, apps []besiegedApp, name string, size int, r *http.Request) bool {
	b.calls.Store(0)
	b.longest.Store(0)
	longest := 0
	bytes, objects := spent(func() {
		for _, app := range apps {
			w := httptest.NewRecorder()
			app.handler.ServeHTTP(w, r)
			longest = max(longest, len(w.Header().Get("Location")))
		}
	})
	n := len(apps)
	if bytes <= n*(bytesPerRequest+bytesPerByte*size) && objects <= n*(objectsPerRequest+size/bytesPerObject) && longest <= longestAddress &&
		b.calls.Load() <= int64(n*questionsPerRequest) && b.longest.Load() <= longestQuestion {
		return true
	}
	t.Errorf("%s, %s of %d bytes, to %v: allocates %d bytes and %d objects, redirects to %d bytes, calls AllowParty %d times with up to %d bytes, want at most %d, %d, %d, %d and %d",
		r.Proto, name, size, apps, bytes, objects, longest, b.calls.Load(), b.longest.Load(),
		n*(bytesPerRequest+bytesPerByte*size), n*(objectsPerRequest+size/bytesPerObject), longestAddress, n*questionsPerRequest, longestQuestion)
	return false
}

// The cost of an input is bounded, or linear in its length: every part of a request that is read,
// in both versions of HTTP, as a server reads it from a connection.
func TestNoInputCostsMoreThanItsLength(t *testing.T) {
	harness.Long(t)
	harness.CountsAllocations(t)
	done := make(chan struct{})
	var name string
	var size int
	var sieges [2]*besieged
	var addresses [2]string
	for i := range sieges {
		sieges[i] = newBesieged(t, i == 1)
		addresses[i] = listen(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			sieges[i].observe(t, name, size, r)
			done <- struct{}{}
		}))
	}
	for i, in := range longInputs() {
		reached := false
		for log := 10; log <= 20; log++ {
			// Either version of HTTP and either kind of instance gets every other size, and every
			// other input at its longest.
			turn := log + i
			siege, address := sieges[turn/2%2], addresses[turn/2%2]
			w := siege.fill(in.make(1 << log))
			name, size = in.name, w.size()
			request := w.http1()
			if turn%2 == 0 {
				request = w.http2()
			}
			reached = send(t, address, request, done) || reached
		}
		if !reached && !in.refused {
			t.Errorf("%s: net/http refuses every such request, so that nothing is tested", in.name)
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

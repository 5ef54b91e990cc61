package soak_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

var length = flag.Duration("soak", 0, "how long TestSoak runs, once it has been through everything; 0: no longer than that, with few browsers")

const workers = 32 // requests at the same time

// TestSoak repeats the course until its time is over.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 20 s")
	}
	browsers, perTick := 1000, 16
	if *length > 0 {
		browsers, perTick = 10_000, 100
	}
	s := newSoak(t, browsers, perTick, func(auth *clerkauth.Authenticator) middleware { return auth.Optional })
	begin := time.Now()
	for over := false; !over; over = time.Since(begin) >= *length {
		s.cycle(ticks)
	}
	s.finish()
	t.Log(s.report(time.Since(begin)))
	for _, problem := range s.problems() {
		t.Error(problem)
	}
	for _, kind := range []string{pages, scripts, forms, pages + planted, scripts + planted, forms + planted, bearers, jwts, keys} {
		if s.kinds[kind] == nil || s.kinds[kind].served == 0 {
			t.Errorf("no request of the kind %q was served", kind)
		}
	}
	for _, kind := range []string{forgeries, unknown} {
		if s.kinds[kind] == nil {
			t.Errorf("there were no requests of the kind %q", kind)
		}
	}
}

// The soak reports an application that does something wrong.
func TestSoakNotices(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 5 s")
	}
	stop := make(chan struct{})
	defer close(stop)
	var kept sync.Map
	var n atomic.Int64
	every := func(outermost func(next http.Handler, w http.ResponseWriter, r *http.Request)) func(*clerkauth.Authenticator) middleware {
		return func(auth *clerkauth.Authenticator) middleware {
			return func(next http.Handler) http.Handler {
				next = auth.Optional(next)
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { outermost(next, w, r) })
			}
		}
	}
	for want, outermost := range map[string]func(next http.Handler, w http.ResponseWriter, r *http.Request){
		"forgeries were accepted": func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" {
				next.ServeHTTP(w, r)
			}
		},
		"honest requests were refused": func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if n.Add(1)%10 == 0 {
				http.Error(w, "no", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		},
		"goroutines more": func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			go func() { <-stop }()
			next.ServeHTTP(w, r)
		},
		"the heap grew": func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			kept.Store(n.Add(1), make([]byte, 1<<20))
			next.ServeHTTP(w, r)
		},
		"requests had no answer": func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if n.Add(1)%10 == 0 {
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, r)
		},
	} {
		t.Run(want, func(t *testing.T) {
			s := newSoak(t, 100, 20, every(outermost))
			s.warm = 2
			s.cycle(10)
			s.finish()
			if problems := s.problems(); !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, want) }) {
				t.Errorf("got the problems %q, want one that contains %q", problems, want)
			}
			kept.Clear()
		})
	}
}

type middleware func(http.Handler) http.Handler

// soak is an application with its Clerk and its visitors. One goroutine plans what happens; several
// send the requests of one tick at the same time.
type soak struct {
	tally

	tb        testing.TB
	clock     clock
	clerk     *clerktest.Instance
	backend   *backend
	questions *questions
	app       *httptest.Server
	toApp     *http.Transport
	toClerk   http.RoundTripper
	rand      *rand.Rand

	browsers []*browser
	machines []*machine
	perTick  int
	ticks    int
	warm     int // the tick after which memory and goroutines are measured, for comparison with the end

	outUntil  time.Time           // the Backend API cannot be reached, or is not called after a failure
	keysUntil time.Time           // the same for the keys alone
	old       string              // a token of the key that will be revoked; it expires late
	oldKey    string              // the kid of that key
	revoked   map[string]bool     // kids
	oldUntil  time.Time           // when that token must be refused; zero: it is good
	withdrawn []string            // credentials of machines that were revoked
	other     *clerktest.Instance // an instance that the application does not trust
}

// newSoak returns a soak. outermost wraps the whole application.
func newSoak(tb testing.TB, browsers, perTick int, outermost func(*clerkauth.Authenticator) middleware) *soak {
	tb.Helper()
	s := &soak{tb: tb, perTick: perTick, warm: 58, revoked: map[string]bool{}, rand: rand.New(rand.NewPCG(1, 2))} //nolint:gosec // must be the same each time
	s.clock.nanoseconds.Store(time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC).UnixNano())
	s.clerk = clerktest.New(tb, clerktest.Options{Now: s.clock.now})
	s.other = clerktest.New(tb, clerktest.Options{Domain: "example.org", Now: s.clock.now})
	s.backend = startBackend(tb, s.clerk)
	keepAlive := &http.Transport{MaxIdleConnsPerHost: 64}
	tb.Cleanup(keepAlive.CloseIdleConnections)
	s.questions = &questions{next: keepAlive, now: s.clock.now, by: map[string]int{}}

	cfg := s.clerk.Config()
	cfg.HTTPClient = &http.Client{Transport: s.questions}
	cfg.BackendAPIURL = "http://" + s.backend.address
	cfg.Logger = slog.New(slog.DiscardHandler)
	auth, err := clerkauth.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	s.app = httptest.NewUnstartedServer(outermost(auth)(s.site(auth)))
	s.app.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.app.Start()
	tb.Cleanup(s.app.Close)
	address := s.app.Listener.Addr().String()
	s.toApp = &http.Transport{
		MaxIdleConnsPerHost: 64,
		// As if TLS ended at a proxy before the server.
		DialTLSContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	tb.Cleanup(s.toApp.CloseIdleConnections)
	s.toClerk = s.clerk.Config().HTTPClient.Transport

	for i := range browsers {
		b := &browser{user: fmt.Sprint("user_", i), now: s.clock.now, cookies: map[cookieKey]cookie{}}
		s.signIn(b)
		s.browsers = append(s.browsers, b)
	}
	s.machines = s.newMachines()
	return s
}

// signIn begins a session in a browser, which has no session token yet.
func (s *soak) signIn(b *browser) {
	session := s.clerk.SignIn(b, clerktest.Person{Claims: clerktest.Claims{Subject: b.user}})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.session, b.signedIn, b.ended, b.returns = session, s.clock.now(), false, false
	b.wanted++
}

// site is the application. It says who is signed in.
func (s *soak) site(auth *clerkauth.Authenticator) http.Handler {
	people := auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := clerkauth.FromContext(r.Context())
		s.reached(session.UserID)
		_, _ = io.WriteString(w, session.UserID)
	}))
	machines := auth.Accept(clerkauth.APIKeys(), clerkauth.M2MTokens(), clerkauth.OAuthTokens())
	mux := http.NewServeMux()
	mux.Handle("/app/", people)
	mux.Handle("/machines", machines(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, _ := clerkauth.MachineFromContext(r.Context())
		s.reached(m.Subject)
		_, _ = io.WriteString(w, m.Subject)
	})))
	return mux
}

// cycle makes happen what course says, and sends requests all the time. A tick is a second, unless
// the clock jumps.
func (s *soak) cycle(ticks int) {
	for tick := range ticks {
		if happens := course[tick]; happens.do != nil {
			s.event = happens.name
			happens.do(s)
		}
		s.send(s.plan(s.perTick))
		for _, b := range s.browsers { // not during the tick: the answers of other requests would sign them out again
			if b.returns {
				s.signIn(b)
			}
		}
		s.clerk.ResetRequests()
		s.ticks++
		if s.ticks == s.warm {
			s.before = s.measure()
		}
		s.clock.jump(time.Second)
	}
}

// send sends requests, several at the same time, and returns when all have ended.
func (s *soak) send(requests []func()) {
	queue := make(chan func(), len(requests))
	for _, r := range requests {
		queue <- r
	}
	close(queue)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for r := range queue {
				r()
			}
		})
	}
	all.Wait()
}

// finish measures what is in use after the last cycle.
func (s *soak) finish() { s.after = s.measure() }

package docs_test

import (
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// backendSite is an application whose keys are known, and which now and then asks the Backend API.
type backendSite struct {
	*testing.T

	network *network
	passed  atomic.Int64 // since noon
	clerk   *clerktest.Instance
	app     http.Handler
	browser *http.Client
	keys    []string // API keys
}

// TestFaultsOfTheBackend has every fault, each in an application of its own.
func TestFaultsOfTheBackend(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 20 s")
	}
	faults := faultsOfBoth()
	people, machines := make([][]string, len(faults)), make([][]string, len(faults))
	var all sync.WaitGroup
	for i, f := range faults {
		one, other := newBackendSite(t, f), newBackendSite(t, f)
		all.Go(func() { people[i] = append([]string{f.name}, one.people(f)...) })
		all.Go(func() { machines[i] = append([]string{f.name}, other.machines(f)...) })
	}
	all.Wait()
	slow := []string{"no answer", "a byte every 200 ms"}
	table{[]string{
		"fault", "a script gets", "longest wait", "calls", "a page gets", "longest wait on the way", "calls on the way", "a script is served after",
	}, people, slow}.compare(t, "### People")
	table{[]string{"fault", "valid requests refused", "longest wait", "calls", "served after"}, machines, slow}.compare(t, "### Machines")
}

func newBackendSite(t *testing.T, f fault) *backendSite {
	t.Helper()
	s := &backendSite{T: t}
	now := func() time.Time { return noon.Add(time.Duration(s.passed.Load())) }
	s.clerk = clerktest.New(t, clerktest.Options{Now: now})
	s.network = newNetwork(t, &httputil.ReverseProxy{
		Transport:    s.clerk.Config().HTTPClient.Transport,
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "https", Host: "api.clerk.com"}) },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     log.New(io.Discard, "", 0),
	})
	cfg := s.clerk.Config()
	cfg.BackendAPIURL, cfg.HTTPClient, cfg.Logger = serverURL, &http.Client{Transport: s.network}, slog.New(slog.DiscardHandler)
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	served := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	mux.Handle("/", auth.Require(served))
	mux.Handle("/machines", auth.Accept(clerkauth.APIKeys())(served))
	s.app = auth.Optional(mux)
	s.browser = s.clerk.Browser(s.app)
	s.clerk.SignIn(s.browser.Jar, clerktest.Person{})
	for range 4 {
		s.keys = append(s.keys, s.clerk.APIKey(clerktest.MachineClaims{}))
	}
	if status := s.page(); status != http.StatusOK {
		t.Fatalf("%s: a page gets %d at first, want 200", f.name, status)
	}
	s.network.questions()
	return s
}

// people measures what becomes of a browser whose session token expires during a fault: of its scripts, and then of a page.
func (s *backendSite) people(f fault) []string {
	s.passed.Add(int64(70 * time.Second))
	s.network.fault.Store(&f)
	scripts, first := together(visitors, func(int) int { return s.script() })
	questions := s.network.questions()
	pages, longest := together(1, func(int) int { return s.page() })
	onTheWay := s.network.questions()

	// The page has signed the browser in again; the next minute is over before the fault is.
	s.passed.Add(int64(70 * time.Second))
	s.script()
	s.network.questions()
	s.network.fault.Store(nil)
	recovery := s.until(func() bool { return s.script() == http.StatusOK })
	return []string{
		scripts.String(), times(first), fmt.Sprint(questions), pages.String(), times(longest), fmt.Sprint(onTheWay), recovery,
	}
}

// machines measures what becomes of three machines at the same time, and then of a fourth.
func (s *backendSite) machines(f fault) []string {
	machine := func(i int) int { return s.get("/machines", http.Header{"Authorization": {"Bearer " + s.keys[i]}}) }
	s.network.fault.Store(&f)
	first, longest := together(3, machine)
	questions := s.network.questions()
	s.passed.Add(int64(9 * time.Second)) // longer than a question takes, shorter than the pause
	second, again := together(1, func(int) int { return machine(3) })
	questions += s.network.questions()
	refused := counts{}
	for _, c := range []counts{first, second} {
		for status, n := range c {
			refused[status] += n
		}
	}
	served := refused[http.StatusOK]
	delete(refused, http.StatusOK)
	s.network.fault.Store(nil)
	recovery := s.until(func() bool { return machine(0) == http.StatusOK })
	return []string{
		fmt.Sprintf("%d of 4, with %s", 4-served, refused), times(longest, again), fmt.Sprint(questions), recovery,
	}
}

// until says whether a request is served as soon as the fault is over, or after the pause.
func (s *backendSite) until(served func() bool) string {
	if served() {
		return "at once"
	}
	s.passed.Add(int64(10 * time.Second))
	if served() {
		return "10 s at most"
	}
	return "more than 10 s"
}

func (s *backendSite) page() int { return s.get("/", nil) }

func (s *backendSite) script() int {
	return s.get("/", http.Header{"Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"same-origin"}})
}

// get sends a request of the browser, and returns the status at the end of the redirects.
func (s *backendSite) get(path string, header http.Header) int {
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, "https://example.com"+path, http.NoBody)
	if err != nil {
		s.Error(err)
		return 0
	}
	maps.Copy(r.Header, header)
	resp, err := s.browser.Do(r)
	if err != nil {
		s.Error(err)
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

package docs_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// keyMaterial is what all applications of TestFaultsOfKeys share: documents of keys, and tokens that are good for a day.
type keyMaterial struct {
	clerk         *clerktest.Instance
	before, after string // documents: with the first key, and with the next one too
	first, next   string // tokens
}

func newKeyMaterial(t *testing.T) *keyMaterial {
	t.Helper()
	m := &keyMaterial{clerk: clerktest.New(t, clerktest.Options{Now: func() time.Time { return noon }})}
	token := func() string {
		return m.clerk.Token(clerktest.Claims{ExpiresAt: noon.Add(24 * time.Hour), IssuedAt: noon})
	}
	document := func() string {
		resp, err := m.clerk.Config().HTTPClient.Get(m.clerk.URL(clerktest.FrontendJWKS)) //nolint:noctx // in memory
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	m.before, m.first = document(), token()
	m.clerk.RotateKey()
	m.after, m.next = document(), token()
	return m
}

// situation is when a fault begins.
type situation struct {
	heading string
	known   bool          // the keys were fetched
	passes  time.Duration // since then
	flood   bool          // of tokens with unknown kids
}

var situations = []situation{
	{heading: "### When the program starts"},
	{heading: "### When a refresh is due", known: true, passes: 4*time.Minute + 30*time.Second},
	{heading: "### After an hour without a request", known: true, passes: time.Hour},
	{heading: "### During a flood of unknown kids", known: true, passes: time.Second, flood: true},
}

const (
	visitors  = 8 // valid requests at the same time, twice
	strangers = 32
)

// TestFaultsOfKeys has every fault in every situation, each in an application of its own.
func TestFaultsOfKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 10 s")
	}
	m := newKeyMaterial(t)
	faults := append(faultsOfBoth(), fault{name: "a bad key among good ones", with: withBadKey})
	rows := make([][][]string, len(situations))
	var all sync.WaitGroup
	for i, s := range situations {
		rows[i] = make([][]string, len(faults))
		for j, f := range faults {
			app := m.app(t, s, f)
			all.Go(func() { rows[i][j] = app.row(s, f) })
		}
	}
	all.Wait()
	for i, s := range situations {
		columns := []string{"fault", "valid requests refused", "longest wait", "fetches", "a new key is used after"}
		if s.flood {
			columns = append(columns, "what the strangers get")
		}
		table{columns, rows[i], nil}.compare(t, s.heading)
	}
}

// keyedApp is an application, and what it fetches its keys through.
type keyedApp struct {
	*keyMaterial
	http.Handler

	network  *network
	document atomic.Pointer[string] // that the server has
	passed   atomic.Int64           // since noon
}

// app returns an application in a situation, before its fault begins.
func (m *keyMaterial) app(t *testing.T, s situation, f fault) *keyedApp {
	t.Helper()
	a := &keyedApp{keyMaterial: m}
	a.document.Store(&m.before)
	a.network = newNetwork(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, *a.document.Load())
	}))
	auth, err := clerkauth.New(clerkauth.Config{
		PublishableKey: m.clerk.PublishableKey(), SecretKey: m.clerk.SecretKey(), AuthorizedParties: []string{"https://example.com"},
		BackendAPIURL: serverURL, HTTPClient: &http.Client{Transport: a.network}, Logger: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return noon.Add(time.Duration(a.passed.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	a.Handler = auth.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if s.known && bearing(a, m.first) != http.StatusOK {
		t.Fatalf("%s: a valid token is refused at first", f.name)
	}
	a.network.sent.Store(0)
	return a
}

// row measures one fault.
func (a *keyedApp) row(s situation, f fault) []string {
	a.passed.Add(int64(s.passes))
	a.network.fault.Store(&f)
	statuses := make(chan string, 1)
	if s.flood {
		go func() {
			got, _ := together(strangers, func(i int) int { return bearing(a, unknownKID(a.first, i)) })
			statuses <- got.String()
		}()
	}
	valid := func(int) int { return bearing(a, a.first) }
	first, longest := together(visitors, valid)
	var more []string
	if s.flood {
		more = append(more, <-statuses)
	}
	fetches := a.network.questions()
	second, again := together(visitors, valid)
	fetches += a.network.questions()
	refused := 2*visitors - first[http.StatusOK] - second[http.StatusOK]

	a.network.fault.Store(nil)
	a.document.Store(&a.after)
	recovery := untilServed(&a.passed, func() bool { return bearing(a, a.next) == http.StatusOK })
	return append([]string{f.name, fmt.Sprintf("%d of %d", refused, 2*visitors), times(longest, again), fmt.Sprint(fetches), recovery}, more...)
}

// bearing returns the status of a request with a bearer token.
func bearing(app http.Handler, token string) int {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+token)
	app.ServeHTTP(w, r)
	return w.Code
}

// counts is how often there was each status.
type counts map[int]int

// String lists the statuses there were.
func (c counts) String() string {
	var all []string
	for status := range 600 {
		if c[status] > 0 {
			all = append(all, fmt.Sprint(status))
		}
	}
	return strings.Join(all, " or ")
}

// together sends n requests at the same time, and returns their statuses and how long the longest took.
func together(n int, send func(i int) int) (counts, time.Duration) {
	var (
		mu      sync.Mutex
		all     sync.WaitGroup
		longest time.Duration
		got     = counts{}
	)
	for i := range n {
		all.Go(func() {
			begin := time.Now()
			status := send(i)
			mu.Lock()
			defer mu.Unlock()
			longest = max(longest, time.Since(begin))
			got[status]++
		})
	}
	all.Wait()
	return got, longest
}

// untilServed lets a second pass after every request that is refused, and says how many did.
func untilServed(passed *atomic.Int64, served func() bool) string {
	const most = 5 * 60
	for seconds := range most {
		if served() {
			if seconds == 0 {
				return "at once"
			}
			return fmt.Sprint(seconds, " s")
		}
		passed.Add(int64(time.Second))
	}
	return fmt.Sprint("not within ", most, " s")
}

// unknownKID is a token that names another key.
func unknownKID(token string, n int) string {
	_, rest, _ := strings.Cut(token, ".")
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":"RS256","kid":"ins_%d"}`, n)) + "." + rest
}

// withBadKey puts keys before the honest ones that are of no use.
func withBadKey(honest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		whole := httptest.NewRecorder()
		honest.ServeHTTP(whole, r)
		var set struct {
			Keys []json.RawMessage `json:"keys"`
		}
		if err := json.Unmarshal(whole.Body.Bytes(), &set); err != nil {
			panic(err) // the honest answer is ours
		}
		set.Keys = append([]json.RawMessage{[]byte(`{"kty":"RSA","kid":"ins_bad","n":"!","e":"AQAB"}`), []byte(`7`)}, set.Keys...)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(set) // the client may be gone
	})
}

package threats_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// forgeries returns unsigned tokens of nearly 8 KB that would need much more memory once they are
// decoded.
func forgeries(clerk *clerktest.Instance) map[string]string {
	list := func(format string, n int) string {
		var s strings.Builder
		for i := 0; s.Len() < n; i++ {
			fmt.Fprintf(&s, format, i)
		}
		return strings.TrimSuffix(s.String(), ",")
	}
	payloads := map[string]string{
		"permissions": `{"sub":"user_1","v":2,"fea":"` + list("o:f%d,", 300) + `","o":{"id":"org_1","per":"` + list("%d,", 1500) + `","fpm":"` +
			strings.TrimSuffix(strings.Repeat(strings.Repeat("9", 128)+",", 28), ",") + `"}}`,
		"permissions, version 1": `{"sub":"user_1","org_id":"org_1","org_permissions":[` + strings.TrimSuffix(strings.Repeat(`"",`, 1800), ",") + `]}`,
		"plans":                  `{"sub":"user_1","pla":"` + strings.Repeat("u:,", 1800) + `"}`,
		"audience":               `{"sub":"user_1","aud":[` + strings.TrimSuffix(strings.Repeat(`"",`, 1800), ",") + `]}`,
		"actor":                  `{"sub":"user_1","act":{` + list(`"%d":1,`, 5400) + `}}`,
		"factors":                `{"sub":"user_1","fva":[` + strings.TrimSuffix(strings.Repeat(`1,`, 2700), ",") + `]}`,
		"members":                `{"sub":"user_1",` + list(`"%d":1,`, 5400) + `}`,
		"colons":                 `{"sub":"user_1","x":"` + strings.Repeat(`\":`, 1800) + `"}`,
		"depth":                  `{"sub":"user_1","x":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`,
	}
	token := clerk.Forge(clerktest.Claims{})
	head, signature := token[:strings.IndexByte(token, '.')+1], token[strings.LastIndexByte(token, '.'):]
	tokens := make(map[string]string, len(payloads))
	for name, payload := range payloads {
		tokens[name] = head + base64.RawURLEncoding.EncodeToString([]byte(payload)) + signature
	}
	return tokens
}

// A token's claims are decoded only after its signature was verified.
func TestAForgedTokenCostsItsLength(t *testing.T) {
	const perByte, perToken = 8, 8 << 10
	a := harness.NewApp(t, func(c *clerkauth.Config) { c.Observe = nil })
	for name, token := range forgeries(a.Clerk) {
		_, err := a.VerifyToken(t.Context(), token)
		if got := harness.ReasonOf(t, err); len(token) > 8<<10 || got != clerkauth.ReasonTokenSignature {
			t.Errorf("%s: a token of %d bytes is refused with %q, want it to be refused by its signature", name, len(token), got)
		}
		bytes, _ := spent(func() { _, _ = a.VerifyToken(t.Context(), token) })
		if bytes > perToken+perByte*len(token) {
			t.Errorf("%s: %d bytes are allocated for a token of %d, want %d at most", name, bytes, len(token), perToken+perByte*len(token))
		}
		// Sixteen different ones, so that each is judged.
		var line strings.Builder
		for i := range 16 {
			fmt.Fprintf(&line, "__session=%s%02d; ", token[:len(token)-4], 10+i)
		}
		r := harness.Request(http.MethodGet, "/", harness.Headers("Cookie: __client_uat=1; "+line.String()))
		bytes, _ = spent(func() { a.AuthenticateRequest(r) })
		if bytes > 16*perToken+perByte*line.Len() {
			t.Errorf("%s: %d bytes are allocated for 16 cookies of %d together, want %d at most", name, bytes, line.Len(), 16*perToken+perByte*line.Len())
		}
	}
}

// If a token is sent under two cookie names and verified under the first, the second has the whole
// session too.
func TestOneTokenUnderTwoNamesIsWhole(t *testing.T) {
	for _, spoiler := range []string{"__session=a.b.c", "__session=$FORGED", "__session_x=y"} {
		a := harness.NewApp(t)
		token := a.Clerk.Token(clerktest.Claims{Extra: map[string]any{
			"v": 2, "fea": "o:invoices", "pla": "o:team", "fva": []int{3, 5}, "o": map[string]any{"id": "org_1", "slg": "acme", "rol": "admin", "per": "read,create", "fpm": "3"},
		}})
		line := strings.Replace(spoiler, "$FORGED", a.Clerk.Forge(clerktest.Claims{}), 1)
		for range 2 { // verified now, and found in the cache
			state := a.AuthenticateRequest(harness.Request(http.MethodGet, "/", a.WithCookies(token), func(r *http.Request) {
				r.Header.Set("Cookie", line+"; "+r.Header.Get("Cookie"))
			}))
			if got := harness.Reason(t, state); got != "" {
				t.Fatalf("beside %.20s: got %q, want signed in", spoiler, got)
			}
			s := state.Session
			if s.Organization.ID != "org_1" || len(s.Permissions()) != 2 || s.IssuedAt.Sub(s.FirstFactorAt) != 3*time.Minute || s.IssuedAt.Sub(s.SecondFactorAt) != 5*time.Minute || s.UserID == "" || s.ExpiresAt.IsZero() {
				t.Errorf("beside %.20s: session %+v with %q, want all that the token says", spoiler, s, s.Permissions())
			}
		}
	}
}

// The cache keeps a session's token and claims, and not the header line that they were in.
func TestACachedTokenKeepsNothingOfItsRequest(t *testing.T) {
	const sessions, perSession = 20, 8 << 10
	heap := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc) //nolint:gosec // far smaller than 1<<63
	}
	filler := strings.Repeat("x", 256<<10)
	a := harness.NewApp(t, func(c *clerkauth.Config) {
		c.Observe, c.StateKey, c.TrustForwardedHeaders = nil, []byte(strings.Repeat("k", 32)), true
	})
	var party *http.Cookie
	for name, c := range harness.SetCookies(a.AuthenticateRequest(harness.Request(http.MethodGet, "https://example.com/", a.SignedIn()))) {
		if strings.HasPrefix(name, harness.PartyName) {
			party = c
		}
	}
	if party == nil {
		t.Fatal("no party cookie is set, so that nothing is tested")
	}
	before := 0
	for i := range sessions + 1 {
		if i == 1 {
			before = heap()
		}
		var cookies strings.Builder
		for _, c := range a.Clerk.Cookies(a.Clerk.Token(clerktest.Claims{Extra: map[string]any{"n": i}})) {
			cookies.WriteString(c.String() + "; ")
		}
		line := fmt.Sprintf("a=%s; %s%s=%s", filler, cookies.String(), party.Name, party.Value)
		state := a.AuthenticateRequest(harness.Request(http.MethodGet, "https://example.com/", harness.Headers("Cookie: "+line, "X-Forwarded-Host: "+strings.Clone("example.com"))))
		if got := harness.Reason(t, state); got != "" || len(harness.SetCookies(state)) > 0 {
			t.Fatalf("%q with cookies %v, want signed in by a session with a valid party cookie", got, harness.SetCookies(state))
		}
	}
	if kept := (heap() - before) / sessions; kept > perSession {
		t.Errorf("%d bytes are kept for each session, want at most %d", kept, perSession)
	}
	runtime.KeepAlive(a)
}

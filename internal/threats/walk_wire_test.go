package threats_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A forged token names its own algorithm and key.
func TestWalkKeyAndAlgorithmGames(t *testing.T) {
	a := harness.NewApp(t)
	refused := func(what, token string) {
		t.Helper()
		if got := harness.Judge(t, a.Authenticator, token); got == "" {
			t.Errorf("%s: accepted, want refused", what)
		}
	}
	for _, alg := range []string{"none", "None", "HS256", "HS384", "HS512", "RS384", "RS512", "PS256", "ES256", "EdDSA", ""} {
		if got := harness.Judge(t, a.Authenticator, a.Clerk.Token(clerktest.Claims{Header: map[string]any{"alg": alg}})); got != clerkauth.ReasonTokenAlgorithm {
			t.Errorf("alg %q: got %q, want ReasonTokenAlgorithm", alg, got)
		}
	}
	for _, kid := range []any{"", "../../../dev/null", "https://evil.test/jwks.json", "ins_2'; DROP TABLE keys", "\x00", strings.Repeat("k", 1<<12), 7, nil, []string{"a"}, clerktest.Absent} {
		refused(fmt.Sprintf("kid %.20v", kid), a.Clerk.Forge(clerktest.Claims{Header: map[string]any{"kid": kid}}))
	}
	for _, member := range []string{"jku", "x5u", "jwk", "x5c", "x5t", "crit", "b64", "zip", "enc"} {
		refused(member, a.Clerk.Forge(clerktest.Claims{Header: map[string]any{member: "https://evil.test/jwks.json"}}))
	}
	good := a.Clerk.Token(clerktest.Claims{})
	head, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	refused("no signature", head+"."+payload+".")
	refused("no dots", head+payload+signature)
	refused("four parts", good+"."+signature)
	refused("spoiled", harness.SpoilSignature(good))
	refused("spare bits", harness.SpareBits(good))
	refused("padded", good+"==")
	for _, r := range a.Clerk.Requests() {
		if r.Endpoint != clerktest.BackendJWKS {
			t.Errorf("unexpected request %s %s%s, want only the JWKS", r.Endpoint, r.Host, r.Path)
		}
	}
	if got := harness.Judge(t, a.Authenticator, good); got != "" {
		t.Errorf("honest: got %q, want none", got)
	}
}

// Strangers send as much as a server reads, for as long as they like. Honest visitors are signed
// in, and Clerk gets few requests.
func TestWalkFloods(t *testing.T) {
	v := newVisitor(t)
	honest := v.Page(v.token(victim))
	harness.WantState(t, v.AuthenticateRequest(honest), clerkauth.StatusSignedIn, "")
	v.Clerk.ResetRequests()
	const mib = 1 << 20
	for what, edit := range map[string]harness.Edit{
		"a long credential":    harness.WithBearer(strings.Repeat("a.", mib/2)),
		"a long host":          harness.Host(strings.Repeat("a.", mib/2)),
		"a long list of hosts": harness.With("X-Forwarded-Host", strings.Repeat("a,", mib/2)),
		"a long origin":        harness.All(harness.With("Origin", "https://"+strings.Repeat("a", mib)), func(r *http.Request) { r.Method = "POST" }),
		"many cookies":         harness.With("Cookie", strings.Repeat("__session=a.b.c; ", mib/18)),
		"many lines":           harness.With("Cookie", repeat(5000, func(n int) string { return fmt.Sprintf("__session=%d", n) })...),
		"a long query":         func(r *http.Request) { r.RequestURI = "/?" + strings.Repeat("__clerk_handshake=a&", mib/20) },
		"many destinations":    harness.With("Sec-Fetch-Dest", repeat(5000, func(int) string { return "document" })...),
	} {
		if s := v.AuthenticateRequest(harness.Request("GET", "/", edit)); s.Status == clerkauth.StatusSignedIn || len(s.Header.Get("Location")) > 8<<10 {
			t.Errorf("%s: %s to %.80s, want nobody signed in and an address of 8 KB at most", what, s.Status, s.Header.Get("Location"))
		}
	}
	keys := 300
	if testing.Short() {
		keys = 30
	}
	for n := range keys {
		forged := v.Clerk.Forge(clerktest.Claims{Header: map[string]any{"kid": fmt.Sprintf("ins_%d", n)}})
		if got := harness.Judge(t, v.Authenticator, forged); got != clerkauth.ReasonKeyUnknown {
			t.Fatalf("an unknown key: got %q, want ReasonKeyUnknown", got)
		}
	}
	if requested := len(v.Clerk.Requests()); requested > 1 {
		t.Errorf("Clerk was asked %d times, want once at most", requested)
	}
	harness.WantState(t, v.AuthenticateRequest(honest), clerkauth.StatusSignedIn, "")
}

// A thief with curl sends a stolen token, and no header that a browser would add.
func TestWalkThiefWithCurl(t *testing.T) {
	v := newVisitor(t)
	silent, stolen := v.WithoutAZP(v.claims(victim)), v.token(victim)
	curl := func(token string, more ...string) *clerkauth.RequestState {
		r := harness.Request("GET", harness.Origin+"/", harness.Headers("User-Agent: curl/8.14.1", "Accept: */*"), v.WithCookies(token))
		r.Header.Add("Cookie", strings.Join(more, "; "))
		return v.AuthenticateRequest(r)
	}
	denied(t, "a token for no origin", curl(silent), clerkauth.ReasonTokenMissingAZP)
	denied(t, "with a party cookie made up", curl(silent, harness.PartyName+"AAAAAAAA=v2.9999999999.AAAA"), clerkauth.ReasonTokenMissingAZP)
	denied(t, "a token for this origin, in its minute", curl(stolen), "") // nothing here prevents this
	v.Now = v.Now.Add(2 * time.Minute)
	denied(t, "after its minute", curl(stolen), clerkauth.ReasonTokenExpired)
	denied(t, "with a refresh cookie made up", curl(stolen, v.RefreshCookie()), clerkauth.ReasonTokenExpired)
}

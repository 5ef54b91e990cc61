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

// FuzzPlantedCookies adds cookies to a request that sign nobody in: garbage, forgeries, tokens of
// other instances and origins, expired ones, odd dates and counters. Whoever was signed in still
// is, or the session is ambiguous. It is never somebody else, and nobody is signed in who was not
// before. A page with a party cookie that needed a handshake still makes it.
func FuzzPlantedCookies(f *testing.F) {
	a := harness.NewApp(f)
	other := clerktest.New(f, clerktest.Options{Domain: "other.example", Origins: []string{harness.Origin}, Now: harness.AtNoon})
	own := clerktest.Claims{Subject: victim, SessionID: "sess_2victim"}
	theirs := func(change func(*clerktest.Claims)) clerktest.Claims {
		c := clerktest.Claims{Subject: attacker, SessionID: "sess_2attacker"}
		change(&c)
		return c
	}
	party, good, old := a.PartyCookie(own), a.Clerk.Token(own), a.Expired(own)
	words := strings.NewReplacer(
		"$FORGED", a.Clerk.Forge(theirs(func(c *clerktest.Claims) { c.ExpiresAt = harness.Noon.Add(1e6 * time.Second) })),
		"$VICTIM", a.Clerk.Forge(own), "$OTHER", other.Token(theirs(func(*clerktest.Claims) {})), "$ISSUER", other.Token(theirs(func(c *clerktest.Claims) { c.Issuer = a.Clerk.Issuer() })),
		"$OLD", a.Clerk.Token(theirs(func(c *clerktest.Claims) { c.IssuedAt = harness.Noon.Add(-time.Hour) })), "$BLOG", a.Clerk.Token(theirs(func(c *clerktest.Claims) { c.AuthorizedParty = blog })),
		"$SILENT", a.WithoutAZP(theirs(func(*clerktest.Claims) {})), "$KID", a.Clerk.Token(theirs(func(c *clerktest.Claims) { c.Header = map[string]any{"kid": "ins_other"} })),
		"$HS", a.Clerk.Token(theirs(func(c *clerktest.Claims) { c.Header = map[string]any{"alg": "HS256"} })), "$SUFFIX", harness.Suffix(a.Clerk), "$PARTY", harness.PartyName,
		"$SPARE", harness.SpareBits(old), "$SPOILED", harness.SpoilSignature(good),
	)
	for _, plant := range []string{
		"", "__session=$FORGED", "__session=$VICTIM; __session_$SUFFIX=$FORGED", "__session=$OTHER; __client_uat=1772625600", "__session_$SUFFIX=$ISSUER; __client_uat_$SUFFIX=9999999999", "__session=$OLD; __refresh_$SUFFIX=x",
		"__session=$BLOG", "__session=$BLOG; __session=$SILENT", "__client_uat=0", "__client_uat=; __client_uat=-1", "__clerk_redirect_count=2; __session=$KID", "__clerk_handshake=$FORGED", "__clerk_handshake_nonce=x; __session=$HS",
		"$PARTYAAAAAAAA=v2.9999999999.AAAA", "__Host-clerkauth_tried=9; __Host-clerkauth_handshake=x.9.9999999999", `__session="$SPOILED"`, "__session = $SPARE", "=__session=$OLD", "__SESSION=$BLOG; __session$SUFFIX=$OLD", strings.Repeat("__session=$FORGED; ", 70),
	} {
		f.Add(plant, byte(0))
		f.Add(plant, byte(0xff))
		f.Add(plant+"; __client_uat=1772625600", byte(1)) // a browser that signed in before it was planted
		f.Add(strings.ReplaceAll(plant, "__session=", "__session_$SUFFIX=")+"; __client_uat_$SUFFIX=1772625600", byte(0))
	}
	f.Fuzz(func(t *testing.T, plant string, how byte) {
		if strings.ContainsAny(plant, "\r\n\x00") || len(plant) > 1<<12 {
			return
		}
		plant = words.Replace(plant)
		for want, token := range map[string]string{victim: good, "nobody, expired": old, "nobody": "", onlyUAT: onlyUAT} {
			r := planting(a, token, party, plant, how)
			s := a.AuthenticateRequest(r)
			got := ""
			if s.Status == clerkauth.StatusSignedIn {
				got = s.Session.UserID
			}
			if got != "" && got != want {
				t.Errorf("signed in as %q, want %s or nobody, beside %.300q", got, want, plant)
			}
			if s.Status != clerkauth.StatusSignedIn && harness.Reason(t, s) == "" {
				t.Errorf("%s: %s without a reason", want, s.Status)
			}
			if want == victim && got == "" && how&4 != 0 && onlySessions(plant) {
				t.Errorf("got nobody (%v), want the visitor, with a party cookie and %.300q", s.Err, plant)
			}
			if (token == old || token == onlyUAT) && s.Status != clerkauth.StatusHandshake && how&5 == 5 && onlySessions(plant) {
				t.Errorf("%s: a page gets %s (%v) beside %.300q, want a handshake", want, s.Status, s.Err, plant)
			}
		}
	})
}

// onlyUAT is a browser that is signed in and has lost its session cookies.
const onlyUAT = "nobody, __client_uat alone"

// planting makes a request with planted cookies: a page or a fetch, before or behind its own, with
// or without a party cookie.
func planting(a *harness.App, token, party, plant string, how byte) *http.Request {
	r := a.Script(token)
	if how&1 != 0 {
		r = a.Page(token)
	}
	if token == "" || token == onlyUAT {
		r.Header.Del("Cookie")
	}
	if token == onlyUAT {
		r.Header.Set("Cookie", fmt.Sprintf("__client_uat=%d; __client_uat_%s=%[1]d", a.Now.Unix(), harness.Suffix(a.Clerk)))
	}
	if how&4 != 0 {
		r.Header.Add("Cookie", party)
	}
	mine := strings.Join(r.Header["Cookie"], "; ")
	switch {
	case how&8 != 0:
		r.Header["Cookie"] = []string{plant, mine}
	case how&2 != 0:
		r.Header["Cookie"] = []string{plant + "; " + mine}
	default:
		r.Header["Cookie"] = []string{mine + "; " + plant}
	}
	return r
}

// onlySessions reports whether a plant has only a few session cookies: with a party cookie they are
// not ambiguous.
func onlySessions(plant string) bool {
	pairs := strings.Split(plant, ";")
	for _, pair := range pairs {
		if name, _, _ := strings.Cut(strings.TrimSpace(pair), "="); name != "__session" {
			return false
		}
	}
	return len(pairs) < 16
}

package decision

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// back is where the handshake of an outcome returns to.
func (o *Outcome) back(t *testing.T) *url.URL {
	t.Helper()
	to, err := url.Parse(o.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(to.Query().Get("redirect_url"))
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// Where a browser had a session, a page that would sign in another one is confirmed by a handshake first, if one can be made.
func TestAnotherSessionIsConfirmed(t *testing.T) {
	other := jwt.MapClaims{"sid": "sess_2"}
	second := "__session=" + token(t, other)
	expired := "__session=" + token(t, jwt.MapClaims{"sid": "sess_2", "iat": noon.Unix() - 100, "nbf": nil, "exp": noon.Unix() - 40})
	answer := "__clerk_handshake=" + handshakeToken(t, nil, signsIn(token(t, other))...)
	signOut := "__clerk_handshake=" + handshakeToken(t, nil, signsOut...)
	const uat, refresh = "__client_uat=1", "__refresh_" + suffix + "=rt"
	noFrontend := func(s *Settings) { s.Frontend = "" }
	for name, tc := range map[string]struct {
		change  func(*Settings)
		had     string
		cookies []string

		reason    reasons.Reason
		source    TokenSource
		confirmed bool
	}{
		"a cookie":                             {nil, "sess_1", []string{second, uat}, reasons.SessionChanged, FromCookie, true},
		"a cookie of the same session":         {nil, "sess_2", []string{second, uat}, "", FromCookie, false},
		"a cookie that could be refreshed":     {nil, "sess_1", []string{expired, uat, refresh}, reasons.SessionChanged, FromCookie, true},
		"a handshake result":                   {nil, "sess_1", []string{answer}, reasons.SessionChanged, FromHandshake, true},
		"a handshake result that signs out":    {nil, "sess_1", []string{signOut}, reasons.SessionTokenMissing, FromHandshake, false},
		"one of this session, beside a cookie": {nil, "sess_2", []string{answer, "__session=" + token(t, nil), uat}, "", FromHandshake, false},
		"a cookie, no Frontend API":            {noFrontend, "sess_1", []string{second, uat}, "", FromCookie, false},
		"a handshake result, no Frontend API":  {noFrontend, "sess_1", []string{answer}, "", FromHandshake, false},
		"no cookie":                            {nil, "sess_1", nil, reasons.SessionTokenAndUATMissing, FromNowhere, false},
	} {
		changes := []func(*Settings){withParty}
		if tc.change != nil {
			changes = append(changes, tc.change)
		}
		d := decider(t, changes...)
		o := d.visit(appOrigin+"/", cookies(append(slices.Clone(tc.cookies), party(tc.had))...))
		if o.Reason != tc.reason || o.Source != tc.source || o.Handshake() != tc.confirmed {
			t.Errorf("%s: %q from %q, to a handshake %t; want %q from %q, %t", name, o.Reason, o.Source, o.Handshake(), tc.reason, tc.source, tc.confirmed)
		}
		if tc.confirmed && !o.back(t).Query().Has(inbound.ParamState) {
			t.Errorf("%s: back at %s, want a state", name, o.back(t))
		}
	}
}

// A handshake result that arrives with the state is accepted, whatever it says. The party cookie is set anew only if it is of
// another session, and planted session cookies of the whole domain are deleted.
func TestConfirmedHandshake(t *testing.T) {
	other := token(t, jwt.MapClaims{"sid": "sess_2"})
	for name, tc := range map[string]struct {
		directives []string
		reason     reasons.Reason
		sid        string
		party      bool
	}{
		"the other session":   {signsIn(other), "", "sess_2", true},
		"the session as ever": {signsIn(token(t, nil)), "", "sess_1", false},
		"signed out":          {signsOut, reasons.SessionTokenMissing, "", false},
	} {
		d := decider(t, withParty)
		first := d.visit(appOrigin+"/", cookies("__session="+other, "__client_uat=1", party("sess_1")))
		o := d.visit(first.back(t).String(), cookies("__clerk_handshake="+handshakeToken(t, nil, tc.directives...), party("sess_1")))
		if o.Reason != tc.reason || o.Source != FromHandshake || o.Claims != nil && o.Claims.SID != tc.sid {
			t.Errorf("%s: %q from %q with %v, want %q and %q", name, o.Reason, o.Source, o.Claims, tc.reason, tc.sid)
		}
		if got := o.set(partyName()) != nil; got != tc.party {
			t.Errorf("%s: sets a party cookie: %t, want %t", name, got, tc.party)
		}
		if !slices.ContainsFunc(o.Header["Set-Cookie"], func(line string) bool {
			return strings.HasPrefix(line, "__session=; ") && strings.Contains(line, "Domain=example.com")
		}) {
			t.Errorf("%s: the cookies %q delete no planted session", name, o.Header["Set-Cookie"])
		}
	}
}

// Where any azp is accepted, a confirmed session may have none: then no party cookie is set, and no empty one either.
func TestConfirmedHandshakeWithoutAZP(t *testing.T) {
	d := decider(t, withParty, func(s *Settings) { s.Policy.Any = true })
	const here = "http://app.example.com"
	c := &sessiontoken.Claims{Iss: issuer, SID: "sess_1", Sub: "user_1"}
	party := inbound.PrefixHost + inbound.CookieParty + d.Policy.Party.tag(issuer, here) + "=" + d.Policy.Party.mint(c, here, noon.Add(partyLifetime))
	other := token(t, jwt.MapClaims{"sid": "sess_2", "azp": nil})
	first := d.visit(here+"/", cookies("__session="+other, "__client_uat=1", party))
	o := d.visit(first.back(t).String(), cookies("__clerk_handshake="+handshakeToken(t, nil, signsIn(other)...), party))
	if o.Reason != "" || o.Source != FromHandshake || slices.Contains(o.Header["Set-Cookie"], "") {
		t.Errorf("%q from %q with the cookies %q, want to be signed in without an empty one", o.Reason, o.Source, o.Header["Set-Cookie"])
	}
}

// A nonce that cannot be exchanged does not count where the handshake token beside it can be read: another session is
// confirmed as ever.
func TestHandshakeTokenBesideANonce(t *testing.T) {
	d := decider(t, withParty).asking(unreachable)
	answer := "__clerk_handshake=" + handshakeToken(t, nil, signsIn(token(t, jwt.MapClaims{"sid": "sess_2"}))...)
	o := d.visit(appOrigin+"/?__clerkauth_sent=1772625599t", cookies(answer, "__clerk_handshake_nonce=nonce_nonce", party("sess_1")))
	if o.Reason != reasons.SessionChanged || !o.Handshake() {
		t.Errorf("%q, to a handshake %t, want %q confirmed", o.Reason, o.Handshake(), reasons.SessionChanged)
	}
}

// Which handshakes are made although the cookie cannot be used, and which are not.
func TestHandshakeForAnUnusableCookie(t *testing.T) {
	_, rest, _ := strings.Cut(token(t, jwt.MapClaims{"iat": noon.Unix() - 100, "nbf": nil, "exp": noon.Unix() - 40}), ".")
	replaced := []string{"__session=eyJhbGciOiJSUzI1NiIsImtpZCI6ImswIn0." + rest, "__client_uat=1"} // its kid is k0
	answer := func(claims jwt.MapClaims) string {
		return "__clerk_handshake=" + handshakeToken(t, nil, signsIn(token(t, claims))...)
	}
	foreign := answer(jwt.MapClaims{"azp": "https://evil.example.com"})
	old := answer(jwt.MapClaims{"iat": noon.Unix() - 100, "nbf": nil, "exp": noon.Unix() - 40})
	once := counts(redirected("/", 1, 5*time.Second))
	for name, tc := range map[string]struct {
		method, query string
		cookies       []string
		want          bool
	}{
		"its key was replaced":                        {"GET", "", replaced, true},
		"a result that no handshake makes better":     {"GET", "", append(replaced, foreign), true},
		"the same after a handshake":                  {"GET", "", append(replaced, foreign, once), false},
		"a result that has expired after a handshake": {"GET", "", append(replaced, old, once), true},
		"a HEAD":                              {"HEAD", "", replaced, true},
		"a HEAD of a page that was sent away": {"HEAD", "?__clerkauth_sent=1", replaced, false},
		"signed out":                          {"GET", "", []string{"__client_uat=0"}, false},
	} {
		var e Evidence
		o := decider(t).outcome(request(tc.method, appOrigin+"/"+tc.query, "Sec-Fetch-Dest: document", cookies(slices.Clone(tc.cookies)...)), &e, noon)
		if o.Handshake() != tc.want {
			t.Errorf("%s: %q, to a handshake %t, want %t", name, o.Reason, o.Handshake(), tc.want)
		}
	}
}

// Where a proxy keeps the count back, that is said, whatever the handshake result is refused for.
func TestLostCountIsSaid(t *testing.T) {
	d := decider(t)
	const uat = "__client_uat=1"
	for range 2 {
		if o := d.visit(appOrigin+"/", cookies(uat)); !o.Handshake() {
			t.Fatalf("%q, want a handshake", o.Reason)
		}
	}
	refused := "__clerk_handshake=" + handshakeToken(t, nil, signsIn(token(t, jwt.MapClaims{"azp": "https://evil.example.com"}))...)
	o := d.visit(appOrigin+"/?__clerkauth_sent=1772625599", cookies(uat, refused))
	if o.Reason != reasons.UATWithoutSessionToken || o.Stuck != CookiesLost {
		t.Errorf("%q, stuck %d, want %q, %d", o.Reason, o.Stuck, reasons.UATWithoutSessionToken, CookiesLost)
	}
}

// Somebody who is signed in stays so at a link with a handshake result, even while Clerk's counter stops handshakes.
func TestALinkSignsNobodyOut(t *testing.T) {
	o := decider(t, testKeys).visit(appOrigin+"/?__clerk_handshake_nonce=abcdefgh",
		cookies("__session="+token(t, nil), "__client_uat=1", "__clerk_db_jwt=dvb", inbound.CookieRedirects+"=3"))
	if o.Reason != "" || o.Source != FromCookie {
		t.Errorf("%q from %q, want to be signed in by the cookie", o.Reason, o.Source)
	}
}

// A party cookie says nothing about who is signed in: a browser that is signed out by every other cookie is left alone.
func TestSignedOutBrowserWithAPartyCookie(t *testing.T) {
	d := decider(t, withParty)
	var e Evidence
	o := d.outcome(request(http.MethodGet, appOrigin+"/", "Sec-Fetch-Dest: document", cookies("__client_uat=0", party("sess_1"))), &e, noon)
	if o.Handshake() || o.Reason != reasons.SessionTokenAndUATMissing {
		t.Errorf("%q, to a handshake %t, want %q", o.Reason, o.Handshake(), reasons.SessionTokenAndUATMissing)
	}
}

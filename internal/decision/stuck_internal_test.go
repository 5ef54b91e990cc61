package decision

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
	"github.com/clerkauth/clerkauth/internal/transport"
)

// The cookies and parameters of a page load that has to do with handshakes.
const (
	signedInSince   = "__client_uat=1"
	developmentOwn  = "__clerk_db_jwt=dvb"
	refusedResult   = inbound.CookieNonce + "=of_no_secret_key"
	clerksOwnCount  = inbound.CookieRedirects + "=1"
	unfetchedResult = inbound.CookieNonce + "=abcdefgh"
)

// load is a load of the page / with a query and cookies, each a pair.
type load struct {
	query   string
	cookies []string
}

func (l load) decide(d *Decider, now time.Time) Outcome {
	lines := []string{"Sec-Fetch-Dest: document"}
	if len(l.cookies) > 0 {
		lines = append(lines, "Cookie: "+strings.Join(l.cookies, "; "))
	}
	var e Evidence
	return d.outcome(request(http.MethodGet, appOrigin+"/?"+l.query, lines...), &e, now)
}

// countOf is the cookie of a browser that was redirected n times from the page /, the last time five seconds ago.
func countOf(n int, byToken bool, now time.Time) string {
	a, _ := attemptOf(nil, appOrigin+"/?", now)
	a.n, a.at, a.byToken = n, now.Unix()-5, byToken
	return inbound.PrefixHost + inbound.CookieAttempts + "=" + a.String()
}

// sentAgo is the parameter of a page that was sent out a while ago.
func sentAgo(ago time.Duration, end string) string {
	return inbound.ParamSent + "=" + strconv.FormatInt(noon.Add(-ago).Unix(), 10) + end
}

// refusesConnections is a network on which nothing answers.
type refusesConnections struct{}

func (refusesConnections) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused")
}

func backendDown(d *Decider) {
	client := &http.Client{Transport: refusesConnections{}}
	d.backend = backendapi.New(client, "https://api.example.com", "sk_live_x", func() time.Time { return noon }, func(*transport.OutageError) {})
}

// wantStuck decides about a page load, and wants a handshake exactly where the browser is not stuck.
func wantStuck(t *testing.T, name string, d *Decider, l load, now time.Time, want Stuck) {
	t.Helper()
	if o := l.decide(d, now); o.Stuck != want || o.Handshake() != (want == NotStuck) {
		t.Errorf("%s: got %d, to a handshake %t (%q); want %d, %t", name, o.Stuck, o.Handshake(), o.Reason, want, want == NotStuck)
	}
}

// A page that returns from its third handshake is stuck. One that only looks like that gets another handshake.
func TestReturningPageIsStuck(t *testing.T) {
	early := token(t, jwt.MapClaims{"nbf": noon.Unix() + 100, "exp": noon.Unix() + 160})
	notActive := "__clerk_handshake=" + token(t, jwt.MapClaims{"sub": nil, "sid": nil, "azp": nil, "handshake": []string{"__session=" + early + "; Path=/"}})
	old := time.Unix(10, 0)
	three := countOf(maxAttempts, false, noon)
	for name, tc := range map[string]struct {
		now  time.Time
		load load
		want Stuck
	}{
		"loaded again":                     {noon, load{"", []string{signedInSince, three}}, NotStuck},
		"it returns":                       {noon, load{sentAgo(5*time.Second, ""), []string{signedInSince, three}}, InCircles},
		"it returns at the last moment":    {noon, load{sentAgo(59*time.Second, ""), []string{signedInSince, three}}, InCircles},
		"an address of a minute ago":       {noon, load{sentAgo(time.Minute, ""), []string{signedInSince, three}}, NotStuck},
		"an address of an hour ago":        {noon, load{sentAgo(time.Hour, ""), []string{signedInSince, three}}, NotStuck},
		"by a clock that was ahead":        {noon, load{sentAgo(-59*time.Second, ""), []string{signedInSince, three}}, InCircles},
		"by a clock a minute ahead":        {noon, load{sentAgo(-time.Minute, ""), []string{signedInSince, three}}, NotStuck},
		"by a clock an hour ahead":         {noon, load{sentAgo(-time.Hour, ""), []string{signedInSince, three}}, NotStuck},
		"loaded again in 1970":             {old, load{"", []string{signedInSince, countOf(maxAttempts, false, old)}}, NotStuck},
		"it returns with a result":         {noon, load{"", []string{signedInSince, three, refusedResult}}, InCircles},
		"a session token not yet active":   {noon, load{"", []string{signedInSince, three, notActive}}, ClockOff},
		"loaded again for the eighth time": {noon, load{"", []string{signedInSince, countOf(maxUnreturned, false, noon)}}, InCircles},
	} {
		wantStuck(t, name, decider(t), tc.load, tc.now, tc.want)
	}
}

// Where the Backend API does not answer, pages are sent out for a token. Another tab may have used the count up, so only a
// page that has itself brought such a token is stuck, or one that was redirected eight times.
func TestPagesThatWaitForATokenAreStuckLater(t *testing.T) {
	d := decider(t, func(s *Settings) { s.Policy.Party = PartyKey(strings.Repeat("k", MinStateKey)) })
	had := &sessiontoken.Claims{Iss: issuer, SID: "sess_1", Sub: "user_1"}
	party := inbound.PrefixHost + inbound.CookieParty + d.Policy.Party.tag(issuer, appOrigin) + "=" + d.Policy.Party.mint(had, appOrigin, noon.Add(partyLifetime))
	three := countOf(maxAttempts, true, noon)
	waits := []string{signedInSince, three}
	brings := append(slices.Clone(waits), refusedResult)
	changed := append(slices.Clone(brings), party, "__session="+token(t, jwt.MapClaims{"sid": "sess_2"}))
	plain, forToken := sentAgo(5*time.Second, ""), sentAgo(5*time.Second, inbound.SentForToken)
	for name, tc := range map[string]struct {
		load load
		want Stuck
	}{
		"it returns without a token":             {load{plain, waits}, NotStuck},
		"it was sent for one, and is loaded":     {load{forToken, waits}, NotStuck},
		"it was sent for one, and brings it":     {load{forToken, brings}, InCircles},
		"it brings what was not asked for":       {load{plain, brings}, NotStuck},
		"it brings one, an hour later":           {load{sentAgo(time.Hour, inbound.SentForToken), brings}, NotStuck},
		"the same for the eighth time":           {load{plain, []string{signedInSince, countOf(maxUnreturned, true, noon)}}, InCircles},
		"it must be confirmed, without a state":  {load{forToken, changed}, NotStuck},
		"it must be confirmed, and has a state":  {load{forToken + "&" + inbound.ParamState + "=x", changed}, InCircles},
		"it must be confirmed, sent for another": {load{plain + "&" + inbound.ParamState + "=x", changed}, NotStuck},
	} {
		wantStuck(t, name, d, tc.load, noon, tc.want)
	}
	down := decider(t)
	backendDown(down)
	unasked := load{"", []string{signedInSince, countOf(maxAttempts, false, noon), inbound.CookieNonce + "=nonce_of_this_handshake"}}
	wantStuck(t, "the first to find that out", down, unasked, noon, NotStuck)
}

// A browser keeps no cookies if a result returns in its address and no cookie with it. A person who opens the address of
// another browser gets a handshake.
func TestBrowserWithoutCookiesIsStuck(t *testing.T) {
	sent := sentAgo(time.Second, "")
	for name, tc := range map[string]struct {
		load load
		want Stuck
	}{
		"a result, and no cookie":         {load{sent + "&" + unfetchedResult, nil}, KeepsNone},
		"no result":                       {load{sent, nil}, NotStuck},
		"a result, and a cookie":          {load{sent + "&" + unfetchedResult, []string{developmentOwn}}, NotStuck},
		"a result, and Clerk's own count": {load{sent + "&" + unfetchedResult, []string{clerksOwnCount}}, NotStuck},
	} {
		wantStuck(t, name, decider(t, testKeys), tc.load, noon, tc.want)
	}
}

// Cookies are lost on the way if a browser's own return and its count does not, more than once.
func TestBrowserWhoseCountIsLostIsStuck(t *testing.T) {
	d := decider(t)
	sent := sentAgo(time.Second, "")
	wantStuck(t, "a first load", d, load{"", []string{signedInSince}}, noon, NotStuck)
	wantStuck(t, "it returns without a count", d, load{sent, []string{signedInSince}}, noon, CookiesLost)
	wantStuck(t, "it returns with Clerk's own count", d, load{sent, []string{signedInSince, clerksOwnCount}}, noon, NotStuck)
	wantStuck(t, "another browser", d, load{sent, []string{"__client_uat=2"}}, noon, NotStuck)
}

// The address to return to says that the browser was sent out where its cookies may not return, and not for anybody else: it
// would tell the next page load that it returns.
func TestWhichReturnAddressesAreMarked(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Settings)
		loads  []load
		want   bool // of the last
	}{
		"a first load":                         {nil, []load{{"", []string{signedInSince}}}, false},
		"the same cookies, without a count":    {nil, []load{{"", []string{signedInSince}}, {"", []string{signedInSince}}}, true},
		"the same cookies, with Clerk's count": {nil, []load{{"", []string{signedInSince, clerksOwnCount}}, {"", []string{signedInSince, clerksOwnCount}}}, false},
		"the cookies of another browser":       {nil, []load{{"", []string{signedInSince}}, {"", []string{"__client_uat=2"}}}, false},
		"two visitors without cookies":         {testKeys, []load{{}, {}}, false},
		"a result that was not fetched":        {testKeys, []load{{unfetchedResult, []string{developmentOwn}}}, true},
	} {
		var changes []func(*Settings)
		if tc.change != nil {
			changes = append(changes, tc.change)
		}
		d, marked := decider(t, changes...), false
		for _, l := range tc.loads {
			o := l.decide(d, noon)
			to, err := url.Parse(o.Header.Get("Location"))
			if err != nil || !o.Handshake() {
				t.Fatalf("%s: to %q (%v), %q; want a handshake", name, to, err, o.Reason)
			}
			marked = strings.Contains(to.Query().Get(paramReturn), inbound.ParamSent)
		}
		if marked != tc.want {
			t.Errorf("%s: the return address is marked: %t, want %t", name, marked, tc.want)
		}
	}
}

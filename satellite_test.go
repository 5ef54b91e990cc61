package clerkauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// navigating is a page load from a link or the address bar.
func navigating(target string, edits ...harness.Edit) *http.Request {
	return harness.Request("GET", target, append([]harness.Edit{harness.Headers("Accept: text/html", "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate")}, edits...)...)
}

// scripted turns a page load into a script's request.
var scripted = harness.All(harness.With("Sec-Fetch-Dest", "empty"), harness.With("Sec-Fetch-Mode", "cors"))

// sentTo returns where a decision redirects the browser; nil: it does not.
func sentTo(t *testing.T, s *clerkauth.RequestState) *url.URL {
	t.Helper()
	location := s.Header.Get("Location")
	if (location != "") != (s.Status == clerkauth.StatusHandshake) {
		t.Fatalf("contradiction: status %v with Location %q, want a Location exactly with a handshake", s.Status, location)
	}
	if location == "" {
		return nil
	}
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// comesBackTo returns the URL to which a handshake returns, without parameters of this package.
func comesBackTo(t *testing.T, u *url.URL) string {
	t.Helper()
	back, err := url.Parse(u.Query().Get("redirect_url"))
	if err != nil {
		t.Fatal(err)
	}
	q := back.Query()
	for name := range q {
		if strings.HasPrefix(name, "__clerkauth_") {
			q.Del(name)
		}
	}
	back.RawQuery = q.Encode()
	return back.String()
}

// addressOf returns u without its query.
func addressOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + u.Path
}

const (
	satelliteOrigin = "https://satellite.test"
	satelliteHome   = satelliteOrigin + "/page"
	handshakePath   = "/v1/client/handshake"
	needsSync       = clerkauth.ReasonSatelliteNeedsSync
	nothingSent     = clerkauth.ReasonSessionTokenAndUATMissing
)

// newSatellite returns a satellite domain of an instance at example.com.
func newSatellite(t *testing.T, development bool, changes ...func(*clerkauth.Config)) *harness.App {
	t.Helper()
	clerk := clerktest.New(t, clerktest.Options{
		Development: development, Origins: []string{satelliteOrigin}, Now: harness.AtNoon,
	})
	return harness.NewAppOf(t, clerk, append([]func(*clerkauth.Config){func(c *clerkauth.Config) {
		c.Satellite = &clerkauth.Satellite{Domain: "satellite.test", AutoSync: true}
		c.SignInURL = "https://primary.test/sign-in?theme=dark"
	}}, changes...)...)
}

func byHand(c *clerkauth.Config) { c.Satellite.AutoSync = false }

func TestSatelliteAsksThePrimaryDomain(t *testing.T) {
	uatAlone := harness.Headers("Cookie: __client_uat=1")
	for _, tc := range []struct {
		name, target string
		change       func(*clerkauth.Config)
		signedIn     bool
		edits        harness.Edit
		want         clerkauth.Reason
		asks         bool
	}{
		{"first visit", satelliteHome, nil, false, harness.All(), needsSync, true},
		{"first visit, and only links ask", satelliteHome, byHand, false, harness.All(), nothingSent, false},
		{"a link that asks", satelliteHome + "?__clerk_synced=false", byHand, false, harness.All(), needsSync, true},
		{"a link that asks, signed in", satelliteHome + "?__clerk_synced=false", byHand, true, harness.All(), needsSync, true},
		{"back from the primary domain, where nobody is", satelliteHome + "?__clerk_synced=true", nil, false, harness.All(), nothingSent, false},
		{"back from the primary domain, signed in", satelliteHome + "?__clerk_synced=true", nil, true, harness.All(), "", false},
		{"two answers, of which the first counts", satelliteHome + "?__clerk_synced=true&__clerk_synced=false", nil, false, harness.All(), nothingSent, false},
		{"signed in", satelliteHome, nil, true, harness.All(), "", false},
		{"not a navigation", satelliteHome, nil, false, scripted, nothingSent, false},
		{"in a frame", satelliteHome, nil, false, harness.With("Sec-Fetch-Dest", "iframe"), nothingSent, false},
		{"a write", satelliteHome + "?__clerk_synced=false", nil, true, func(r *http.Request) { r.Method = "POST" }, "", false},
		{"after three handshakes", satelliteHome, nil, false, harness.Headers("Cookie: __clerk_redirect_count=3"), needsSync, false},
		{"signed in at the primary domain", satelliteHome, nil, false, uatAlone, clerkauth.ReasonUATWithoutSessionToken, true},
	} {
		for _, development := range []bool{false, true} {
			if development && tc.name == "signed in at the primary domain" {
				continue // a development instance must identify the browser first
			}
			t.Run(fmt.Sprintf("%s, development %t", tc.name, development), func(t *testing.T) {
				a := newSatellite(t, development, func(c *clerkauth.Config) {
					if tc.change != nil {
						tc.change(c)
					}
				})
				edits := []harness.Edit{tc.edits}
				switch {
				case tc.signedIn:
					edits = append(edits, a.SignedIn())
				case development:
					edits = append(edits, harness.Headers("Cookie: __clerk_db_jwt=dvb_1"))
				}
				state := a.AuthenticateRequest(navigating(tc.target, edits...))
				if got := harness.Reason(t, state); got != tc.want {
					t.Errorf("got %q, want %q", got, tc.want)
				}
				to, want := sentTo(t, state), ""
				if tc.asks {
					want = "https://clerk.satellite.test" + handshakePath
					if development {
						want = "https://primary.test/sign-in"
					}
				}
				if got := addressOf(to); got != want {
					t.Errorf("sent to %q, want %q", got, want)
				}
			})
		}
	}
}

// The browser's own cookies are checked first, and in a frame only the Frontend API's result counts.
func TestSatelliteJudgesWhatItHas(t *testing.T) {
	live, development := newSatellite(t, false), newSatellite(t, true)
	for name, tc := range map[string]struct {
		a    *harness.App
		sent harness.Edit
		want clerkauth.Reason
	}{
		"a session cookie without __client_uat": {live, harness.Headers("Cookie: __session=" + live.Clerk.Token(clerktest.Claims{Extra: map[string]any{"iss": "https://clerk.satellite.test"}})), clerkauth.ReasonSessionTokenWithoutUAT},
		"a frame, in development":               {development, harness.With("Sec-Fetch-Dest", "iframe"), clerkauth.ReasonDevBrowserMissing},
	} {
		if got := harness.Reason(t, tc.a.AuthenticateRequest(navigating(satelliteHome, tc.sent))); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// The handshake of a satellite has the page's address and the satellite's domain.
func TestSatelliteTakesItsAddressAlong(t *testing.T) {
	const target = satelliteOrigin + "/page?a=1&b=%2F"
	live := sentTo(t, newSatellite(t, false).AuthenticateRequest(navigating(target)))
	if got := comesBackTo(t, live); got != target {
		t.Errorf("production: comes back to %s, want %s", got, target)
	}
	if got := live.Query().Get("__clerk_hs_reason"); got != string(needsSync) {
		t.Errorf("production: says %q, want %q", got, needsSync)
	}
	test := sentTo(t, newSatellite(t, true).AuthenticateRequest(navigating(target)))
	if got, want := test.Query(), (url.Values{"theme": {"dark"}, "__clerk_redirect_url": {target}}); got.Encode() != want.Encode() {
		t.Errorf("development: the primary domain's page is asked %v, want %v", got, want)
	}
	unlisted := navigating("https://other.test/page")
	for name, development := range map[string]bool{"production": false, "development": true} {
		state := newSatellite(t, development).AuthenticateRequest(unlisted)
		if got := harness.Reason(t, state); got != clerkauth.ReasonRequestHostNotAuthorized || sentTo(t, state) != nil {
			t.Errorf("%s: from a host outside the list: got %q to %v, want no way there", name, got, sentTo(t, state))
		}
	}
}

// FrontendAPIURL stands in for the instance on a satellite too.
func TestSatelliteOfAStandIn(t *testing.T) {
	const standIn = "http://127.0.0.1:4420"
	a := newSatellite(t, false, func(c *clerkauth.Config) { c.FrontendAPIURL = standIn })
	u := sentTo(t, a.AuthenticateRequest(navigating(satelliteHome)))
	if got := addressOf(u); got != standIn+handshakePath {
		t.Errorf("sent to %q, want %q", got, standIn+handshakePath)
	}
}

// A satellite accepts two issuers: the primary domain's and clerk.<its domain>.
func TestSatelliteIssuers(t *testing.T) {
	a := newSatellite(t, false)
	for issuer, want := range map[string]clerkauth.Reason{
		"": "", "https://clerk.satellite.test": "", "https://clerk.example.com": "",
		"https://clerk.other.test": clerkauth.ReasonTokenIssuer, "https://satellite.test": clerkauth.ReasonTokenIssuer,
	} {
		token := a.Clerk.Token(clerktest.Claims{Issuer: issuer})
		if got := harness.Reason(t, a.AuthenticateRequest(harness.Request("GET", satelliteHome, harness.WithBearer(token)))); got != want {
			t.Errorf("issuer %q: got %q, want %q", issuer, got, want)
		}
	}
}

// newPrimary returns the primary domain of an instance whose satellites are listed.
func newPrimary(t *testing.T, development bool, changes ...func(*clerkauth.Config)) *harness.App {
	t.Helper()
	clerk := clerktest.New(t, clerktest.Options{
		Development: development, Origins: []string{harness.Origin, satelliteOrigin, "custom://app"}, Now: harness.AtNoon,
	})
	return harness.NewAppOf(t, clerk, changes...)
}

// A development primary domain gives a satellite the token that identifies the browser, so only
// listed satellites get it.
func TestDevelopmentPrimaryAnswersListedSatellites(t *testing.T) {
	const browser = "dvb_2clerktest"
	ask := func(address string) string {
		return harness.Origin + "/sign-in?__clerk_redirect_url=" + url.QueryEscape(address)
	}
	answer := url.Values{"__clerk_db_jwt": {browser}, "__clerk_synced": {"true"}}
	a := newPrimary(t, true, func(c *clerkauth.Config) {
		c.AllowParty = func(_ context.Context, origin, _ string) bool { return origin == "https://customer.test" }
	})
	for _, tc := range []struct {
		name, target string
		edits        harness.Edit
		want         string // the URL, without the result; empty: none
	}{
		{"a satellite", ask(satelliteHome), harness.All(), satelliteHome},
		{"a satellite's query", ask(satelliteHome + "?a=1&b=%2F&__clerk_synced=false"), harness.All(), satelliteHome + "?a=1&b=%2F"},
		{"AllowParty's satellite", ask("https://customer.test/page"), harness.All(), "https://customer.test/page"},
		{"capitals and the default port", ask("https://SATELLITE.test:443/page"), harness.All(), "https://SATELLITE.test:443/page"},
		{"two addresses, of which the first counts", ask(satelliteHome) + "&__clerk_redirect_url=https://evil.test/", harness.All(), satelliteHome},
		{"an iframe", ask(satelliteHome), harness.With("Sec-Fetch-Dest", "iframe"), satelliteHome},
		{"not a page", ask(satelliteHome), scripted, ""},
		{"a stranger", ask("https://evil.test/page"), harness.All(), ""},
		{"below the satellite", ask("https://evil.satellite.test/page"), harness.All(), ""},
		{"the satellite over http", ask("http://satellite.test/page"), harness.All(), ""},
		{"another port", ask(satelliteOrigin + ":8443/page"), harness.All(), ""},
		{"user info", ask("https://a@satellite.test/page"), harness.All(), ""},
		{"a custom scheme", ask("custom://app"), harness.All(), ""},
		{"no scheme", ask("//satellite.test/page"), harness.All(), ""},
		{"a path", ask("/page"), harness.All(), ""},
		{"a script", ask("javascript:alert(1)"), harness.All(), ""},
		{"no host", ask("https:///page"), harness.All(), ""},
		{"no URL", ask("https://%zz/page"), harness.All(), ""},
		{"nothing", ask(""), harness.All(), ""},
	} {
		state := a.AuthenticateRequest(navigating(tc.target, a.SignedIn(), tc.edits))
		to := sentTo(t, state)
		if tc.want == "" {
			if to != nil || harness.Reason(t, state) != "" {
				t.Errorf("%s: %q and sent to %v, want signed in and to stay", tc.name, harness.Reason(t, state), to)
			}
			continue
		}
		want := tc.want + "?" + answer.Encode()
		if strings.Contains(tc.want, "?") {
			want = tc.want + "&" + answer.Encode()
		}
		if got := harness.Reason(t, state); got != clerkauth.ReasonPrimaryRespondsToSync || to == nil || to.String() != want {
			t.Errorf("%s: %q and sent to %v, want %s", tc.name, got, to, want)
		}
	}
}

func TestWhoDoesNotAnswerSatellites(t *testing.T) {
	target := "?__clerk_redirect_url=" + url.QueryEscape(satelliteHome)
	live := newPrimary(t, false)
	state := live.AuthenticateRequest(navigating(harness.Origin+"/sign-in"+target, live.SignedIn()))
	if got := harness.Reason(t, state); got != "" || sentTo(t, state) != nil {
		t.Errorf("production: %q and sent to %v, want signed in: there the Frontend API answers", got, sentTo(t, state))
	}
	satellite := newSatellite(t, true)
	state = satellite.AuthenticateRequest(navigating(satelliteHome+target, satellite.SignedIn()))
	if got := harness.Reason(t, state); got != "" || sentTo(t, state) != nil {
		t.Errorf("a satellite: %q and sent to %v, want signed in: it is no primary domain", got, sentTo(t, state))
	}
	// If the browser is unknown, the satellite only learns that there was a result.
	primary := newPrimary(t, true)
	to := sentTo(t, primary.AuthenticateRequest(navigating(harness.Origin+"/sign-in"+target)))
	if to == nil || to.String() != satelliteHome+"?__clerk_synced=true" {
		t.Errorf("an unknown browser: redirected to %v, want %s?__clerk_synced=true", to, satelliteHome)
	}
}

package clerkauth_test

import (
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A visitor who goes to the primary domain from another site may have signed in or out on a
// satellite meanwhile: one handshake finds out. This is for reads; writes are subject to the
// cross-origin rule.
func TestPrimaryAsksAfterAnotherSite(t *testing.T) {
	const asks = clerkauth.ReasonCrossOriginSync
	live, development := newPrimary(t, false), newPrimary(t, true)
	from := func(referrer string) harness.Edit { return harness.Headers("Referer: " + referrer) }
	for _, tc := range []struct {
		name              string
		edits             harness.Edit
		live, development clerkauth.Reason // empty: signed in, without a handshake
	}{
		{"typed", harness.All(), "", ""},
		{"an empty Referer", from(""), "", ""},
		{"a page of its own", from(harness.Origin + "/page"), "", ""},
		{"a page of its own without a path", from(harness.Origin + "?a=b"), "", ""},
		{"a page of its own, in capitals and with the port", from("HTTPS://Example.com:443/page"), "", ""},
		{"a satellite", from(satelliteHome), asks, asks},
		{"a search engine", from("https://search.test/?q=a"), asks, asks},
		{"a subdomain", from("https://blog.example.com/"), asks, asks},
		{"its own name over http", from("http://example.com/"), asks, asks},
		{"its own name at another port", from("https://example.com:8443/"), asks, asks},
		{"its own name as user info", from("https://example.com@evil.test/"), asks, asks},
		{"its own name as a subdomain", from("https://example.com.evil.test/"), asks, asks},
		{"an app", from("android-app://com.example.app/"), asks, asks},
		{"no address", from("page"), "", ""},
		{"no URL", from("https://%zz/"), "", ""},
		{"two addresses", harness.All(from(satelliteHome), from(harness.Origin+"/page")), "", ""},

		{"the account portal", from("https://accounts.example.com/sign-in"), "", asks},
		{"the account portal over http", from("http://accounts.example.com/sign-in"), asks, asks},
		{"the account portal at another port", from("https://accounts.example.com:8443/"), asks, asks},
		{"another account portal", from("https://accounts.evil.test/sign-in"), asks, asks},
		{"a name that begins like the portal's", from("https://accounts.example.com.evil.test/"), asks, asks},
		{"the Frontend API", from("https://clerk.example.com/v1"), "", asks},
		{"another Frontend API", from("https://clerk.evil.test/v1"), asks, asks},
		{"the development portal", from("https://able-owl-7.accounts.dev/sign-in"), asks, ""},
		{"the development Frontend API", from("https://able-owl-7.clerk.accounts.dev/v1"), asks, ""},
		{"another's development Frontend API", from("https://bad-owl-1.clerk.accounts.dev/v1"), asks, asks},
		{"a name that ends like the portal's", from("https://evilaccounts.dev/"), asks, asks},
		{"the portal of Clerk's staging", from("https://able-owl-7.accountsstage.dev/sign-in"), asks, ""},
		{"the Frontend API there", from("https://bad-owl-1.clerk.accountsstage.dev/v1"), asks, asks},
		{"a development portal on this machine", from("https://accounts.able-owl-7.lcl.dev/"), asks, ""},
		{"a name that ends like that portal's", from("https://other.lcl.dev/"), asks, asks},
		{"a name that begins like the development portal's", from("https://able-owl-7.accounts.dev.evil.test/"), asks, asks},

		{"another site, in a frame", harness.All(from(satelliteHome), harness.With("Sec-Fetch-Dest", "iframe")), "", ""},
		{"another site, not a page", harness.All(from(satelliteHome), scripted), "", ""},
		{"another site, from an old browser", harness.All(from(satelliteHome), harness.With("Sec-Fetch-Dest")), "", ""},
		{"another site, after a handshake", harness.All(from(satelliteHome), harness.Headers("Cookie: __clerk_redirect_count=1")), "", ""},
	} {
		for a, want := range map[*harness.App]clerkauth.Reason{live: tc.live, development: tc.development} {
			state := a.AuthenticateRequest(navigating(harness.Origin+"/page?x=1", a.SignedIn(), tc.edits))
			to := sentTo(t, state)
			if got := harness.Reason(t, state); got != want || (to != nil) != (want != "") {
				t.Errorf("%s at %s: %q and sent to %v, want %q", tc.name, a.Clerk.Issuer(), got, to, want)
			}
			if to == nil {
				continue
			}
			if got := addressOf(to); got != a.Clerk.Issuer()+handshakePath {
				t.Errorf("%s: redirected to %s, want %s%s", tc.name, got, a.Clerk.Issuer(), handshakePath)
			}
			if got := comesBackTo(t, to); got != harness.Origin+"/page?x=1" {
				t.Errorf("%s: the handshake returns to %s, want /page?x=1", tc.name, got)
			}
		}
	}
}

func TestWhoDoesNotAskAfterAnotherSite(t *testing.T) {
	elsewhere := harness.Headers("Referer: https://search.test/")
	satellite, primary := newSatellite(t, false), newPrimary(t, false)
	for _, tc := range []struct {
		name   string
		a      *harness.App
		target string
		sent   harness.Edit
		want   clerkauth.Reason
	}{
		{"a satellite", satellite, satelliteHome, satellite.SignedIn(), ""},
		{"somebody signed out", primary, harness.Origin + "/", harness.All(), nothingSent},
		{"a bearer token", primary, harness.Origin + "/", harness.WithBearer(primary.Clerk.Token(clerktest.Claims{})), ""},
		{"a host outside the list", primary, "https://other.test/", primary.SignedIn(), ""},
	} {
		state := tc.a.AuthenticateRequest(navigating(tc.target, tc.sent, elsewhere))
		if got := harness.Reason(t, state); got != tc.want || sentTo(t, state) != nil {
			t.Errorf("%s: %q and sent to %v, want %q and nowhere", tc.name, got, sentTo(t, state), tc.want)
		}
	}
	underPath := newPrimary(t, false, func(c *clerkauth.Config) { c.ProxyURL = "/__clerk" })
	for _, referrer := range []string{"https://clerk.example.com/v1", "https://accounts.example.com/"} {
		state := underPath.AuthenticateRequest(navigating(harness.Origin+"/", underPath.SignedIn(), harness.Headers("Referer: "+referrer)))
		if got := harness.Reason(t, state); got != clerkauth.ReasonCrossOriginSync {
			t.Errorf("with the Frontend API under a path, from %s: got %q, want %q", referrer, got, clerkauth.ReasonCrossOriginSync)
		}
	}
	proxied := newPrimary(t, false, func(c *clerkauth.Config) { c.ProxyURL = "https://proxy.test/__clerk" })
	for referrer, want := range map[string]clerkauth.Reason{
		"https://proxy.test/__clerk/v1": "", "https://clerk.example.com/v1": clerkauth.ReasonCrossOriginSync,
		"https://accounts.example.com/": clerkauth.ReasonCrossOriginSync,
	} {
		state := proxied.AuthenticateRequest(navigating(harness.Origin+"/", proxied.SignedIn(), harness.Headers("Referer: "+referrer)))
		if got := harness.Reason(t, state); got != want {
			t.Errorf("with a proxied Frontend API, from %s: got %q, want %q", referrer, got, want)
		}
	}
}

package threats_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// tab is a tab of a browser that sends one request at a time.
type tab struct {
	*traveller
	at     string
	status int
	body   string
}

// step sends the tab's next request and reports whether there is another.
func (b *tab) step() bool {
	b.Helper()
	got := b.once(http.MethodGet, b.at)
	b.status, b.body = got.status, got.body
	if location := got.header.Get("Location"); location != "" {
		b.at = location
		return true
	}
	return false
}

// Tabs that are restored together, one after the other or all at once, of one page or of ten, are
// all signed in. A counter that lives two seconds, and that all tabs share, once stopped them.
func TestTabsDoNotStopEachOther(t *testing.T) {
	for _, live := range []bool{true, false} {
		for _, path := range []string{"/same", "/tab-"} {
			for _, staggered := range []bool{false, true} {
				now := harness.Noon
				w := development(&now)
				if live {
					w = production(&now)
				}
				w.WithoutRefresh = true
				v := newTraveller(t, w)
				v.clerk.SignIn(v.browser.Jar, alice)
				v.visit("/")
				now = now.Add(8 * time.Hour)
				opened := 10
				if staggered {
					opened = 4
				}
				tabs := openTabs(v, path, opened, staggered)
				for more := true; more; {
					more = false
					for _, b := range tabs {
						more = b.status/100 == 3 && b.step() || more
					}
				}
				for i, b := range tabs {
					if b.status != http.StatusOK || b.body != "hello user_2alice" {
						t.Errorf("live %t, %s, staggered %t: tab %d got %d %q, want %d \"hello user_2alice\"", live, path, staggered, i, b.status, b.body, http.StatusOK)
					}
				}
			}
		}
	}
}

// openTabs sends the first request of each tab: staggered, each with the cookies that the ones
// before have set; or else all before the first answer.
func openTabs(v *traveller, path string, n int, staggered bool) []*tab {
	tabs := make([]*tab, n)
	jar := v.browser.Jar
	for i := range tabs {
		name := path
		if path == "/tab-" {
			name += string(rune('a' + i))
		}
		tabs[i] = &tab{traveller: v, at: v.origin + name}
		if staggered && name == path && i == 3 {
			tabs[i].status = http.StatusFound // the fourth of one page begins when the first is done
			for tabs[0].step() {
				continue
			}
		}
		if !staggered {
			v.browser.Jar = frozen{jar} // it sends the old cookies, and keeps the new ones for later
		}
		tabs[i].step()
		v.browser.Jar = jar
	}
	if !staggered {
		for _, c := range frozenSets[jar] {
			jar.SetCookies(c.at, c.cookies)
		}
		delete(frozenSets, jar)
	}
	return tabs
}

// frozen is a jar whose cookies change only later.
type frozen struct{ http.CookieJar }

type setLater struct {
	at      *url.URL
	cookies []*http.Cookie
}

var frozenSets = map[http.CookieJar][]setLater{}

func (f frozen) SetCookies(u *url.URL, cookies []*http.Cookie) {
	frozenSets[f.CookieJar] = append(frozenSets[f.CookieJar], setLater{u, cookies})
}

// A redirect that the browser does not follow, of a prefetch or after the Stop button, stops no visit.
func TestUnfollowedRedirects(t *testing.T) {
	now := harness.Noon
	v := newTraveller(t, production(&now))
	v.clerk.SignIn(v.browser.Jar, alice)
	for _, purpose := range []string{"prefetch", "prefetch;prerender"} {
		for range 5 {
			got := v.once(http.MethodGet, "/me", harness.With("Sec-Purpose", purpose))
			if got.status != http.StatusTemporaryRedirect || len(got.header["Set-Cookie"]) != 0 {
				t.Errorf("%s: got %d and cookies %q, want 307 and none", purpose, got.status, got.header["Set-Cookie"])
			}
		}
	}
	stopped := &tab{traveller: v, at: v.origin + "/me"}
	for range 2 { // Stop is pressed twice
		stopped.at = v.origin + "/me"
		stopped.step()
	}
	v.want("after all that", v.visit("/me"), 200, "hello user_2alice", 2) // the second removes the parameter that distinguishes a return from a reload
	if left := v.cookie("__Host-clerkauth_handshake"); left != "" {
		t.Errorf("the count is still %q after the page was decided, want none", left)
	}
}

// In a frame, perhaps of another site, a browser accepts only such a cookie. Elsewhere the cookie
// stays with its site.
func TestCountInFrames(t *testing.T) {
	b := harness.NewApp(t)
	for dest, want := range map[string]string{
		"document": "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax",
		"iframe":   "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=None; Partitioned",
		"frame":    "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=None; Partitioned",
	} {
		r := b.Page(b.Expired(clerktest.Claims{}))
		r.Header.Set("Sec-Fetch-Dest", dest)
		set := strings.Join(b.AuthenticateRequest(r).Header["Set-Cookie"], "\n")
		if !strings.Contains(set, "__Host-clerkauth_handshake=") || !strings.HasSuffix(set, want) {
			t.Errorf("%s: set %q, want the count with %q", dest, set, want)
		}
	}
}

// No browser is redirected to an address that is too long: the page is refused with its reason.
func TestLongAddressesGoNowhere(t *testing.T) {
	b := harness.NewApp(t)
	for _, query := range []string{strings.Repeat("x", 9<<10), strings.Repeat("%25", 2000), strings.Repeat("x&", 200_000)} {
		r := b.Page(b.Expired(clerktest.Claims{}))
		r.RequestURI, r.URL.RawQuery = "/page?"+query, query
		harness.WantState(t, b.AuthenticateRequest(r), clerkauth.StatusSignedOut, clerkauth.ReasonTokenExpired)
	}
}

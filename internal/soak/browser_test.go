package soak_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

const (
	origin   = "https://example.com"
	appHost  = "example.com"
	longest  = 10 // redirects of one page
	maxReply = 64 << 10
)

// browser is one person's: the cookies that it keeps, and its session.
type browser struct {
	user string
	now  func() time.Time

	mu       sync.Mutex // guards the fields below
	cookies  map[cookieKey]cookie
	session  *clerktest.BrowserSession
	signedIn time.Time // when its session began
	ended    bool      // its session was revoked
	returns  bool      // its person has noticed, and signs in again when the requests of this tick have ended
	wanted   int       // how many times a page was needed: the browser is new, or a request of it was refused
	loaded   int       // for how many of these one was loaded
}

// cookieKey identifies a cookie. All have the path /.
type cookieKey struct{ name, domain string }

type cookie struct {
	value string
	until time.Time // zero: for as long as the browser is open
}

// SetCookies implements http.CookieJar.
func (b *browser) SetCookies(u *url.URL, cookies []*http.Cookie) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range cookies {
		key := cookieKey{c.Name, cmp.Or(strings.TrimPrefix(c.Domain, "."), "="+u.Hostname())}
		switch {
		case c.MaxAge < 0 || !c.Expires.IsZero() && c.Expires.Before(b.now()):
			delete(b.cookies, key)
		case c.MaxAge > 0:
			b.cookies[key] = cookie{c.Value, b.now().Add(time.Duration(c.MaxAge) * time.Second)}
		default:
			b.cookies[key] = cookie{value: c.Value}
		}
	}
}

// Cookies implements http.CookieJar.
func (b *browser) Cookies(u *url.URL) []*http.Cookie {
	b.mu.Lock()
	defer b.mu.Unlock()
	var sent []*http.Cookie
	for key, c := range b.cookies {
		host := u.Hostname()
		if key.domain != "="+host && host != key.domain && !strings.HasSuffix(host, "."+key.domain) {
			continue
		}
		if !c.until.IsZero() && !b.now().Before(c.until) {
			delete(b.cookies, key)
			continue
		}
		sent = append(sent, &http.Cookie{Name: key.name, Value: c.value}) //nolint:gosec // of a request: it has no attributes
	}
	return sent
}

// size returns about how many bytes its cookies have.
func (b *browser) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for key, c := range b.cookies {
		n += len(key.name) + len(key.domain) + len(c.value) + 160 // and the map's overhead
	}
	return n
}

// state decides how a request of the browser may end.
type state struct {
	tokenState // its session token

	signedIn   time.Time
	ended      bool
	knownUntil int64 // when its party cookie ends, in Unix seconds; 0: it has none
}

// known reports whether its party cookie is valid, even if the clock jumps during a request.
func (s *state) known(now time.Time) bool { return s.knownUntil > now.Add(time.Hour).Unix() }

// tokenState describes a session token; zero: there is none.
type tokenState struct {
	issued, expires time.Time
	kid             string
}

func (b *browser) state() state {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := state{signedIn: b.signedIn, ended: b.ended}
	for key, c := range b.cookies {
		if key.name == "__session" {
			s.tokenState = readToken(c.value)
		}
		if strings.HasPrefix(key.name, "__Host-clerkauth_party_") {
			_, _ = fmt.Sscanf(c.value, "v2.%d.", &s.knownUntil)
		}
	}
	return s
}

// claims returns the claims of the browser's own tokens.
func (b *browser) claims() clerktest.Claims {
	b.mu.Lock()
	defer b.mu.Unlock()
	return clerktest.Claims{Subject: b.user, SessionID: b.session.ID}
}

// end revokes its session.
func (b *browser) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.session.SignOut()
}

func readToken(token string) tokenState {
	var header struct{ Kid string }
	var claims struct{ Iat, Exp int64 }
	parts := strings.Split(token, ".")
	for i, into := range []any{&header, &claims} {
		part, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(part, into)
		}
		if err != nil {
			panic(err) // Clerk minted it
		}
	}
	return tokenState{time.Unix(claims.Iat, 0), time.Unix(claims.Exp, 0), header.Kid}
}

// reply is the result of a request, redirects included.
type reply struct {
	status       int
	body, reason string
	header       http.Header
	err          error
	trail        string // the statuses and reasons of its redirects
}

// visit sends a request as a browser does, and follows redirects to Clerk and back. planted are
// cookies that another host of the domain has put into the browser: they precede the others, as
// cookies of a longer path do.
func (s *soak) visit(b *browser, method, target string, header http.Header, planted []string) reply {
	var trail strings.Builder
	for range longest {
		r, err := http.NewRequestWithContext(s.tb.Context(), method, target, http.NoBody)
		if err != nil {
			return reply{err: err}
		}
		r.Header = header.Clone()
		if b != nil {
			r.Header["Cookie"] = cookieLine(planted, b.Cookies(r.URL))
		}
		got := s.exchange(r)
		if b != nil {
			b.SetCookies(r.URL, (&http.Response{Header: got.header}).Cookies())
		}
		fmt.Fprintf(&trail, " %d %s", got.status, got.reason)
		got.trail = trail.String()
		if got.err != nil || got.status/100 != 3 || b == nil {
			return got
		}
		next, err := r.URL.Parse(got.header.Get("Location"))
		if err != nil {
			return reply{err: err}
		}
		target = next.String()
	}
	return reply{status: http.StatusLoopDetected, reason: "too many redirects", trail: trail.String()}
}

// cookieLine returns the Cookie header; nil: there are no cookies.
func cookieLine(planted []string, own []*http.Cookie) []string {
	pairs := slices.Clone(planted)
	for _, c := range own {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	if len(pairs) == 0 {
		return nil
	}
	return []string{strings.Join(pairs, "; ")}
}

// exchange sends one request, to the application over the network or to Clerk.
func (s *soak) exchange(r *http.Request) reply {
	network := http.RoundTripper(s.toApp)
	if r.URL.Hostname() != appHost {
		network = s.toClerk
		r.Header.Del("Authorization")
	}
	resp, err := network.RoundTrip(r)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	return reply{status: resp.StatusCode, body: string(body), reason: resp.Header.Get("X-Clerk-Auth-Reason"), header: resp.Header, err: err}
}

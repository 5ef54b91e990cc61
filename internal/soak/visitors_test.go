package soak_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// The kinds of honest requests.
const (
	pages   = "pages"
	scripts = "requests of scripts"
	forms   = "forms"
	planted = " with planted cookies"
	bearers = "bearer tokens"
	jwts    = "JWTs of machines"
	keys    = "API keys and opaque tokens of machines"
)

// plan returns the requests of one tick, in their proportions.
func (s *soak) plan(n int) []func() {
	requests := []func(){s.bearerOf("a long-lived token", s.old)}
	if s.old == "" {
		requests = nil
	} else if !s.oldUntil.IsZero() {
		requests = []func(){s.withRevokedKey()}
	}
	for range n {
		switch share := s.rand.IntN(100); {
		case share < 5:
			requests = append(requests, s.forgery())
		case share < 10:
			requests = append(requests, s.unknownKID())
		case share < 20:
			requests = append(requests, s.machineRequest())
		case share < 25:
			b := s.anyBrowser()
			requests = append(requests, s.bearerOf(b.user, s.clerk.Token(b.claims())))
		default:
			requests = append(requests, s.browserRequest())
		}
	}
	return requests
}

// anyBrowser returns one of a few that are used often, or one of all.
func (s *soak) anyBrowser() *browser {
	if s.rand.IntN(4) > 0 {
		return s.browsers[s.rand.IntN(len(s.browsers)/50)]
	}
	return s.browsers[s.rand.IntN(len(s.browsers))]
}

// These are the headers that browsers send.
var (
	pageHeader   = http.Header{"Accept": {"text/html"}, "Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Site": {"none"}}
	scriptHeader = http.Header{"Accept": {"application/json"}, "Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"same-origin"}, "Referer": {origin + "/app/"}}
	formHeader   = http.Header{"Accept": {"text/html"}, "Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Site": {"same-origin"}, "Origin": {origin}}
)

// browserRequest is a page, a script's request or a form of an honest person. One in 20 has planted
// cookies too.
func (s *soak) browserRequest() func() {
	b, share, plant := s.anyBrowser(), s.rand.IntN(100), s.rand.IntN(20) == 0
	page := fmt.Sprint("/app/", s.rand.IntN(20))
	choice := s.rand.IntN(100)
	return func() {
		was := b.state()
		b.mu.Lock()
		kind, method, header := pages, http.MethodGet, pageHeader
		wanted := b.wanted
		switch {
		case b.loaded < wanted || was.expires.IsZero() || share < 60:
		case share < 85:
			kind, header = scripts, scriptHeader
		default:
			kind, method, header = forms, http.MethodPost, formHeader
		}
		b.mu.Unlock()
		var cookies []string
		if plant && !was.expires.IsZero() {
			cookies = s.plant(b, was, kind, choice)
		}
		if len(cookies) > 0 {
			kind += planted
		}
		begin := time.Now()
		got := s.visit(b, method, origin+page, header, cookies)
		took := time.Since(begin)
		s.honest(kind, b.user, got, took, s.excuse(kind, was, got, took))
		if got.status == http.StatusOK {
			if now := s.clock.now(); was.ended && b.state().ended && !now.Before(was.expires.Add(leeway)) {
				s.strange(forgeries, "a revoked session", got, 0)
			}
			if strings.HasPrefix(kind, pages) {
				b.mu.Lock()
				b.loaded = max(b.loaded, wanted)
				b.mu.Unlock()
			}
			return
		}
		b.mu.Lock()
		b.wanted++
		b.returns = b.returns || was.ended && method == http.MethodGet && got.status == http.StatusUnauthorized
		b.mu.Unlock()
	}
}

// whenNew is for browsers that were here once, or not for a week. Until the second page they have
// no party cookie, which distinguishes their own session from planted ones.
const whenNew = "401 or 503: the browser has no party cookie yet, and a planted cookie may be of its session; the next page shows which"

// slowMachine is for requests that waited as long as the application allows.
const slowMachine = "503: it took over a second of real time"

// leeway is Config.ClockSkew.
const leeway = 5 * time.Second

// excuse returns why an honest request may have been refused as it was; empty: there is no excuse.
func (s *soak) excuse(kind string, was state, got reply, took time.Duration) string {
	now := s.clock.now()
	out := now.Before(s.outUntil) || s.questions.slowLately()
	switch {
	case got.status == http.StatusOK && !was.ended:
		return ""
	case was.ended:
		return "the session was revoked"
	case got.status == http.StatusServiceUnavailable && out && !now.Before(was.expires) && !strings.HasPrefix(kind, pages):
		return "503: the token has expired and the Backend API, which renews it, is out of reach"
	case got.status == http.StatusServiceUnavailable && took >= tooSlow:
		return slowMachine
	case strings.HasSuffix(kind, planted) && !was.known(now) && (!strings.HasPrefix(kind, pages) || got.status == http.StatusServiceUnavailable && now.Before(s.keysUntil)):
		return whenNew
	case got.status == http.StatusServiceUnavailable && now.Before(s.keysUntil) && s.revoked[was.kid]:
		return "503: the key of the token was revoked while the browser was away, which cannot be told without the keys' endpoint"
	case strings.HasSuffix(kind, planted) && (got.status == http.StatusUnauthorized || got.status == http.StatusServiceUnavailable) && s.revoked[was.kid]:
		return "401 or 503: the browser's own token has a key that was revoked, so that a planted one decides; 503 where too many refreshes of its session failed"
	case got.status == http.StatusUnauthorized && s.revoked[was.kid] && !strings.HasPrefix(kind, pages):
		return "401: the key of the expired token was revoked while the browser was away; the next page renews it"
	case got.status == http.StatusUnauthorized && was.issued.After(now.Add(leeway)) && !strings.HasPrefix(kind, pages):
		return "401: the clock was put back and the token is of the future; the next page renews it"
	case got.status == http.StatusUnauthorized && was.signedIn.After(now):
		return "401: the clock was put back and the session is of the future"
	}
	return ""
}

// plant returns cookies that another host of the domain has put into a browser.
func (s *soak) plant(b *browser, was state, kind string, choice int) []string {
	suffixed := "__session_" + harness.Suffix(s.clerk)
	planted := clerktest.Claims{Subject: planter, SessionID: "sess_planter"}
	value := "garbage"
	switch choice % 6 {
	case 1:
		value = s.clerk.Forge(b.claims())
	case 2:
		value = withKID(s.clerk.Token(b.claims()), choice)
	case 3:
		planted.IssuedAt = s.clock.now().Add(-time.Hour)
		value = s.clerk.Token(planted)
	case 4:
		planted.AuthorizedParty = "https://blog.example.com"
		value = s.clerk.Token(planted)
	case 5:
		if was.known(s.clock.now()) && kind == pages { // a page of a browser that was signed in here is never silently another person's
			value = s.clerk.Token(planted)
		}
	}
	return [][]string{{"__session=" + value}, {suffixed + "=" + value}, {"__session=" + value, suffixed + "=" + value}}[choice/6%3]
}

// bearerOf is a request of an honest client that sends a token itself.
func (s *soak) bearerOf(user, token string) func() {
	return func() {
		begin := time.Now()
		got := s.visit(nil, http.MethodGet, origin+"/app/", http.Header{"Authorization": {"Bearer " + token}}, nil)
		want := user
		if user == "a long-lived token" {
			want = "user_old"
		}
		s.honest(bearers, want, got, time.Since(begin), "")
	}
}

// machine is a client with a credential.
type machine struct {
	subject string
	opaque  bool // each request needs a call of the Backend API
	spare   bool // its credential is never revoked
	mint    func() string

	mu      sync.Mutex // guards the fields below during requests
	secret  string
	expires time.Time
}

func (s *soak) newMachines() []*machine {
	var all []*machine
	for i := range 10 {
		claims := func(prefix string) clerktest.MachineClaims {
			return clerktest.MachineClaims{Subject: fmt.Sprint(prefix, "_", i)}
		}
		add := func(prefix string, opaque bool, mint func(clerktest.MachineClaims) string) {
			c := claims(prefix)
			all = append(all, &machine{subject: c.Subject, opaque: opaque, spare: i > 0, mint: func() string { return mint(c) }})
		}
		add("user_keys", true, s.clerk.APIKey)
		add("mch_opaque", true, s.clerk.M2M)
		add("user_oauth", true, s.clerk.OAuth)
		add("mch_jwt", false, s.clerk.M2MJWT)
		add("user_oauthjwt", false, s.clerk.OAuthJWT)
	}
	return all
}

// machineRequest is a request of an honest machine.
func (s *soak) machineRequest() func() {
	m := s.machines[s.rand.IntN(len(s.machines))]
	return func() {
		now := s.clock.now()
		m.mu.Lock()
		// A JWT is valid for a minute, and not before its time; the clock may have been set back to
		// before that.
		if m.secret == "" || !m.opaque && (!now.Before(m.expires) || now.Before(m.expires.Add(-time.Minute))) {
			m.secret, m.expires = m.mint(), now.Add(time.Minute)
		}
		secret := m.secret
		m.mu.Unlock()
		begin := time.Now()
		got := s.visit(nil, http.MethodGet, origin+"/machines", http.Header{"Authorization": {"Bearer " + secret}}, nil)
		kind, excuse := jwts, ""
		if m.opaque {
			kind = keys
			if got.status == http.StatusServiceUnavailable && (now.Before(s.outUntil) || s.questions.slowLately()) {
				excuse = "503: the Backend API, which verifies the credential, is out of reach"
			}
		}
		s.honest(kind, m.subject, got, time.Since(begin), excuse)
	}
}

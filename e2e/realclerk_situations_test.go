package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// situation is a request to either server, made for each of them: nonces can be used only once.
type situation struct {
	name    string
	visit   func(t *testing.T, s *sides, address string) visit
	differs *difference // nil: both respond alike
}

// difference is an intended difference of this library.
type difference struct {
	rule     string // a rule of the conformance tests
	signedIn bool   // false: for the handler nobody is signed in
	onlyLive bool   // in development they respond alike
}

func refusedBy(rule string) *difference  { return &difference{rule: rule} }
func acceptedBy(rule string) *difference { return &difference{rule: rule, signedIn: true} }

var document = http.Header{"Accept": {"text/html"}, "Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Site": {"none"}}

// cookie adds cookies to a header.
func cookie(h http.Header, pairs ...string) http.Header {
	h = h.Clone()
	if was := h.Get("Cookie"); was != "" {
		pairs = append([]string{was}, pairs...)
	}
	h.Set("Cookie", strings.Join(pairs, "; "))
	return h
}

// jar returns the cookies of a person signed in with a token, changed by change: from a name to a
// value, or to "" for none.
func (s *sides) jar(token string, change map[string]string) []string {
	var pairs []string
	for _, c := range s.clerk.Cookies(token) {
		value := c.Value
		if to, ok := change[strings.TrimSuffix(c.Name, s.suffixOf())]; ok {
			value = to
		}
		if value != "" {
			pairs = append(pairs, c.Name+"="+value)
		}
	}
	return pairs
}

func (s *sides) suffixOf() string {
	return strings.TrimPrefix(s.clerk.Cookies(s.clerk.Token(clerktest.Claims{}))[1].Name, "__session")
}

func get(h http.Header) visit { return visit{http.MethodGet, "/page?a=1", h} }

// bearer is a script's request with a token in the header.
func bearer(name string, token func(s *sides) string, differs *difference) situation {
	return situation{"header: " + name, func(_ *testing.T, s *sides, _ string) visit {
		return get(http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer " + token(s)}})
	}, differs}
}

func claimed(c clerktest.Claims) func(*sides) string {
	return func(s *sides) string { return s.clerk.Token(c) }
}

// cookies is a request with a token in cookies.
func cookies(name string, h http.Header, c clerktest.Claims, change map[string]string, differs *difference) situation {
	return situation{"cookies: " + name, func(_ *testing.T, s *sides, _ string) visit {
		return get(cookie(h, s.jar(s.clerk.Token(c), change)...))
	}, differs}
}

func situations() []situation {
	return append(append(headerSituations(), cookieSituations()...), handshakeSituations()...)
}

var acme = clerkauth.Organization{ID: "org_acme", Slug: "acme", Role: "org:admin"}

func headerSituations() []situation {
	minute := time.Minute
	permissions := []string{"org:invoices:create", "org:docs:read", "org:docs:create"}
	return []situation{
		bearer("signed in", claimed(clerktest.Claims{}), nil),
		bearer("organization, version 2", claimed(clerktest.Claims{
			Organization: acme, Permissions: permissions, Features: []string{"u:search", "uo:docs", "o:idle"}, Plans: []string{"u:free", "o:pro"},
		}), nil),
		bearer("organization, version 1", claimed(clerktest.Claims{Version: 1, Organization: acme, Permissions: permissions}), nil),
		bearer("impersonated", claimed(clerktest.Claims{Actor: clerkauth.Actor{Subject: "user_admin", SessionID: "sess_admin"}}), nil),
		bearer("pending", claimed(clerktest.Claims{Pending: true}), nil),
		bearer("expired", claimed(clerktest.Claims{ExpiresAt: time.Now().Add(-minute)}), nil),
		bearer("not yet", claimed(clerktest.Claims{NotBefore: time.Now().Add(minute)}), nil),
		bearer("from the future", claimed(clerktest.Claims{IssuedAt: time.Now().Add(minute), NotBefore: time.Now()}), nil),
		bearer("for a sibling subdomain", claimed(clerktest.Claims{AuthorizedParty: "https://evil.example"}), nil),
		bearer("for nobody", claimed(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}}), nil),
		bearer("of another issuer", claimed(clerktest.Claims{Issuer: "https://clerk.other.example"}), refusedBy("issuer is the instance's")),
		bearer("forged", func(s *sides) string { return s.clerk.Forge(clerktest.Claims{}) }, nil),
		bearer("of an unknown key", claimed(clerktest.Claims{Header: map[string]any{"kid": "ins_other"}}), nil),
		bearer("alg none", claimed(clerktest.Claims{Header: map[string]any{"alg": "none"}}), nil),
		bearer("alg HS256", claimed(clerktest.Claims{Header: map[string]any{"alg": "HS256"}}), nil),
		bearer("alg RS512", claimed(clerktest.Claims{Header: map[string]any{"alg": "RS512"}}), nil),
		bearer("crit", claimed(clerktest.Claims{Header: map[string]any{"crit": []string{"x"}}}), refusedBy("extended header")),
		bearer("of a template", claimed(clerktest.Claims{Header: map[string]any{"cat": "cl_B7d4PD222AAA"}}), nil),
		bearer("no session", claimed(clerktest.Claims{Extra: map[string]any{"sid": clerktest.Absent}}), refusedBy("user and session are named")),
		bearer("garbage", func(*sides) string { return "garbage" }, nil),
		bearer("of a machine", func(*sides) string { return "mt_0123456789abcdef" }, nil),
		{"header: in small letters", func(_ *testing.T, s *sides, _ string) visit {
			return get(http.Header{"Authorization": {"bearer " + s.clerk.Token(clerktest.Claims{})}})
		}, acceptedBy("scheme in any case")},
		{"header: two of them", func(_ *testing.T, s *sides, _ string) visit {
			return get(http.Header{"Authorization": {"Bearer " + s.clerk.Token(clerktest.Claims{}), "Bearer garbage"}})
		}, refusedBy("several Authorization headers")},
		{"header: Basic", func(*testing.T, *sides, string) visit { return get(http.Header{"Authorization": {"Basic dTpw"}}) }, nil},
		{"header: a POST", func(_ *testing.T, s *sides, _ string) visit {
			return visit{http.MethodPost, "/write", http.Header{"Authorization": {"Bearer " + s.clerk.Token(clerktest.Claims{})}, "Origin": {"https://elsewhere.example"}, "Sec-Fetch-Site": {"cross-site"}}}
		}, nil},
		{"header: beside a stranger's cookies", func(_ *testing.T, s *sides, _ string) visit {
			h := http.Header{"Authorization": {"Bearer " + s.clerk.Token(clerktest.Claims{Subject: "user_header"})}}
			return get(cookie(h, s.jar(s.clerk.Token(clerktest.Claims{Subject: "user_cookie"}), nil)...))
		}, nil},
	}
}

func cookieSituations() []situation {
	script := http.Header{"Accept": {"*/*"}, "Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"same-origin"}}
	frame := document.Clone()
	frame.Set("Sec-Fetch-Dest", "iframe")
	old := http.Header{"Accept": {"text/html,application/xhtml+xml"}} // a browser without Sec-Fetch
	expired := clerktest.Claims{ExpiresAt: time.Now().Add(-time.Minute)}
	write := func(from, site string) func(*testing.T, *sides, string) visit {
		return func(_ *testing.T, s *sides, _ string) visit {
			h := http.Header{"Accept": {"*/*"}, "Origin": {from}, "Sec-Fetch-Site": {site}}
			if from == "" {
				h.Set("Origin", s.origin)
			}
			return visit{http.MethodPost, "/write", cookie(h, s.jar(s.clerk.Token(clerktest.Claims{}), nil)...)}
		}
	}
	return []situation{
		{"cookies: a first visit", func(*testing.T, *sides, string) visit { return get(document) }, nil},
		{"cookies: a first visit by a script", func(*testing.T, *sides, string) visit { return get(script) }, nil},
		cookies("signed in", document, clerktest.Claims{Organization: acme}, nil, nil),
		cookies("signed in, a script", script, clerktest.Claims{}, nil, nil),
		cookies("signed in, a frame", frame, clerktest.Claims{}, nil, nil),
		cookies("pending", document, clerktest.Claims{Pending: true}, nil, nil),
		cookies("expired", document, expired, nil, nil),
		cookies("expired, an old browser", old, expired, nil, nil),
		cookies("expired, a frame", frame, expired, nil, nil),
		cookies("expired, a script", script, expired, nil, nil),
		cookies("no client_uat", document, clerktest.Claims{}, map[string]string{"__client_uat": ""}, nil),
		cookies("client_uat 0", document, clerktest.Claims{}, map[string]string{"__client_uat": "0"}, nil),
		cookies("client_uat later than the token", document, clerktest.Claims{}, map[string]string{"__client_uat": fmt.Sprint(time.Now().Add(10 * time.Second).Unix())}, nil),
		cookies("client_uat alone", document, clerktest.Claims{}, map[string]string{"__session": ""}, nil),
		cookies("client_uat alone, a script", script, clerktest.Claims{}, map[string]string{"__session": ""}, nil),
		cookies("signed out", document, clerktest.Claims{}, map[string]string{"__session": "", "__client_uat": "0"}, nil),
		cookies("for a sibling subdomain", document, clerktest.Claims{AuthorizedParty: "https://evil.example"}, nil, nil),
		cookies("not yet", document, clerktest.Claims{NotBefore: time.Now().Add(time.Minute)}, nil, nil),
		cookies("from the future", document, clerktest.Claims{IssuedAt: time.Now().Add(time.Minute), NotBefore: time.Now()}, nil, nil),
		cookies("garbage", document, clerktest.Claims{}, map[string]string{"__session": "garbage"}, nil),
		cookies("no token of the browser", document, clerktest.Claims{}, map[string]string{"__clerk_db_jwt": ""}, nil),
		{"cookies: a write of the page's own", write("", "same-origin"), nil},
		{"cookies: a write of a sibling subdomain", write("https://evil."+domain, "same-site"), refusedBy("crossOriginWrite")},
		{"cookies: a write of another site", write("https://evil.example", "cross-site"), refusedBy("crossOriginWrite")},
		{"cookies: under a host that is not listed", func(_ *testing.T, s *sides, _ string) visit {
			h := cookie(document, s.jar(s.clerk.Token(expired), nil)...)
			h.Set("X-Forwarded-Host", "elsewhere.example")
			return get(h)
		}, refusedBy("host is in the list")},
		{"cookies: two of one name", func(_ *testing.T, s *sides, _ string) visit {
			return get(cookie(document, append([]string{"__session=garbage", "__session" + s.suffixOf() + "=garbage"}, s.jar(s.clerk.Token(clerktest.Claims{}), nil)...)...))
		}, acceptedBy("every session cookie is a candidate")},
		{"cookies: three times sent away", func(_ *testing.T, s *sides, _ string) visit {
			return get(cookie(document, append(s.jar(s.clerk.Token(expired), nil), "__clerk_redirect_count=3")...))
		}, nil},
	}
}

// guest is a browser that has a cookie or token of the Frontend API.
type guest struct {
	t      *testing.T
	s      *sides
	query  url.Values  // of each request: the browser's token, in development
	header http.Header // of each request: the browser's cookie, in production
}

func (s *sides) newGuest(t *testing.T, signedIn bool) *guest {
	t.Helper()
	g := &guest{t, s, url.Values{}, http.Header{"Origin": {s.origin}, "Content-Type": {"application/x-www-form-urlencoded"}}}
	if !s.live {
		var known struct{ ID string }
		if err := json.Unmarshal(g.ask("POST", "/v1/dev_browser", nil).body, &known); err != nil {
			t.Fatal(err)
		}
		g.query.Set("__clerk_db_jwt", known.ID)
	}
	if !signedIn {
		return g
	}
	for _, c := range g.ask("POST", "/v1/client/sign_ins", url.Values{"strategy": {"ticket"}, "ticket": {s.clerk.Ticket(dora)}}).cookies(t) {
		if c.Name == "__client" {
			g.header.Set("Cookie", c.Name+"="+c.Value)
		}
	}
	return g
}

// ask sends a request to the Frontend API.
func (g *guest) ask(method, path string, form url.Values) reply {
	g.t.Helper()
	frontend := strings.TrimSuffix(g.s.clerk.URL(clerktest.FrontendClient), "/v1/client")
	return send(g.t, method, frontend+path+"?"+g.query.Encode(), form.Encode(), g.header)
}

// sentOut makes a server redirect a browser to the Frontend API. It returns the URL, and the
// browser's cookies.
func (s *sides) sentOut(t *testing.T, address string) (handshake url.Values, kept []string) {
	t.Helper()
	h := cookie(document, "__client_uat="+fmt.Sprint(time.Now().Unix()))
	resp := s.ask(t, address, get(h))
	location := resp.location(t)
	if location == nil {
		t.Fatalf("%s answers %d without a redirect", address, resp.status)
	}
	for _, c := range resp.cookies(t) {
		if c.MaxAge >= 0 {
			kept = append(kept, c.Name+"="+c.Value)
		}
	}
	return location.Query(), kept
}

// handshakeResult is a document request that returns from a handshake with a result, or with what
// change makes of it: the server redirects the browser, and the Frontend API redirects it back.
func handshakeResult(name, format string, signedIn bool, change func(string) string, differs *difference) situation {
	return situation{"handshake: " + name, func(t *testing.T, s *sides, address string) visit {
		handshake, jar := s.sentOut(t, address)
		g := s.newGuest(t, signedIn)
		g.query.Set("redirect_url", handshake.Get("redirect_url"))
		g.query.Set("format", format)
		resp := g.ask("GET", "/v1/client/handshake", nil)
		back := resp.location(t)
		if back == nil {
			t.Fatalf("got %d %s, want a redirect back from the Frontend API", resp.status, resp.body)
		}
		altered := func(name, value string) string {
			if change != nil && strings.HasPrefix(name, "__clerk_handshake") {
				return change(value)
			}
			return value
		}
		for _, c := range resp.cookies(t) {
			jar = append(jar, c.Name+"="+altered(c.Name, c.Value))
		}
		q := back.Query()
		for name := range q {
			q.Set(name, altered(name, q.Get(name)))
		}
		back.RawQuery = q.Encode()
		if browser := g.query.Get("__clerk_db_jwt"); browser != "" {
			jar = append(jar, "__clerk_db_jwt="+browser, "__clerk_db_jwt"+s.suffixOf()+"="+browser)
		}
		return visit{http.MethodGet, back.RequestURI(), cookie(document, jar...)}
	}, differs}
}

// refreshed is a request with an expired token, and the refresh cookie of its session.
func refreshed(name string, h http.Header) situation {
	return situation{"refresh: " + name, func(_ *testing.T, s *sides, _ string) visit {
		session := s.clerk.SignIn(nil, dora)
		old := dora.Claims
		old.SessionID, old.ExpiresAt = session.ID, time.Now().Add(-time.Minute)
		jar := s.jar(s.clerk.Token(old), nil)
		for _, c := range session.Cookies() {
			if strings.HasPrefix(c.Name, "__refresh") {
				jar = append(jar, c.Name+"="+c.Value)
			}
		}
		return get(cookie(h, jar...))
	}, nil}
}

func handshakeSituations() []situation {
	script := http.Header{"Accept": {"*/*"}, "Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"same-origin"}}
	const failed = "failed answers fall through" // in production the server deletes the cookie, too
	garbage := func(string) string { return "0123456789abcdef" }
	return []situation{
		handshakeResult("by nonce, signed in", "nonce", true, nil, nil),
		handshakeResult("by token, signed in", "token", true, nil, nil),
		handshakeResult("by nonce, signed out", "nonce", false, nil, nil),
		handshakeResult("by token, signed out", "token", false, nil, nil),
		handshakeResult("a nonce that nobody knows", "nonce", true, garbage, &difference{rule: failed, onlyLive: true}),
		handshakeResult("a token that is none", "token", true, garbage, refusedBy(failed)),
		refreshed("a document", document),
		refreshed("a script", script),
	}
}

package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// sides are two servers of one app behind one instance: @clerk/express, and this library.
type sides struct {
	clerk   *clerktest.Instance
	live    bool
	origin  string
	express string // its address
	ours    string
}

const (
	liveOrigin = "https://app." + domain
	testOrigin = "http://localhost:3000"
)

func newSides(t *testing.T, live bool) *sides {
	t.Helper()
	s := &sides{live: live, origin: testOrigin}
	opts := clerktest.Options{Development: !live, People: []clerktest.Person{dora}}
	if live {
		s.origin, opts.Domain = liveOrigin, domain
	}
	opts.Origins = []string{s.origin}
	clerk, err := clerktest.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(clerk.Close)
	s.clerk = clerk
	cfg := clerk.Config()
	cfg.FrontendAPIURL, cfg.TrustForwardedHeaders = "", true // both redirect browsers to the address in the key
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ours := httptest.NewServer(auth.Optional(http.HandlerFunc(tell)))
	t.Cleanup(ours.Close)
	s.ours, s.express = ours.URL, startExpress(t, cfg)
	return s
}

// startExpress starts @clerk/express with the settings of a Config.
func startExpress(t *testing.T, cfg clerkauth.Config) (address string) {
	t.Helper()
	modules(t)
	node := exec.CommandContext(t.Context(), "node", "express.mjs")
	node.Dir, node.Stderr = "npm", t.Output()
	node.Env = append(os.Environ(),
		"CLERK_PUBLISHABLE_KEY="+cfg.PublishableKey, "CLERK_SECRET_KEY="+cfg.SecretKey, "CLERK_API_URL="+cfg.BackendAPIURL,
		"CLERK_AUTHORIZED_PARTIES="+strings.Join(cfg.AuthorizedParties, ","), "CLERK_TELEMETRY_DISABLED=1", "NODE_ENV=production")
	out, err := node.StdoutPipe()
	if err == nil {
		err = node.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Process.Kill(); _ = node.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("@clerk/express does not start: %v", err)
	}
	return "http://127.0.0.1:" + strings.TrimSpace(line)
}

// identity is the signed-in user according to a server. The zero identity is nobody.
type identity struct {
	User, Session, Organization, Slug, Role string
	Permissions                             []string
	Actor                                   string
}

// tell writes as JSON who is signed in according to the middleware.
func tell(w http.ResponseWriter, r *http.Request) {
	who := identity{Permissions: []string{}}
	if s, ok := clerkauth.FromContext(r.Context()); ok {
		who = identity{s.UserID, s.ID, s.Organization.ID, s.Organization.Slug, s.Organization.Role, s.Permissions(), s.Actor.Subject}
		who.Permissions = append([]string{}, who.Permissions...)
		slices.Sort(who.Permissions)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(who) // the client may have disconnected
}

// visit is a request to either side.
type visit struct {
	method, path string
	header       http.Header
}

// outcome is the compared part of a response.
type outcome struct {
	status   int
	location string
	cookies  []string
	who      string
	signedIn bool
}

var (
	aToken  = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`)
	aRandom = regexp.MustCompile(`\b(sess|dvb|rt)_[A-Z2-7]{26}\b`)
	aTime   = regexp.MustCompile(`\b(__client_uat\w*)=[1-9]\d{9}\b`)
)

// String returns the text that is compared. Each server gets a session of its own, so random values
// and times are replaced by names, and tokens by their claims.
func (o outcome) String() string {
	text := fmt.Sprintf("%d %s\n    to      %s\n    cookies %s", o.status, o.who, o.location, strings.Join(o.cookies, "\n            "))
	text = aToken.ReplaceAllStringFunc(text, func(token string) string {
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
			return token
		}
		return fmt.Sprintf("(a token of %v in %v for %v)", claims["sub"], claims["sid"], claims["azp"])
	})
	return aTime.ReplaceAllString(aRandom.ReplaceAllString(text, "($1)"), "$1=(now)")
}

// ask sends a request as through a proxy with forwarded headers.
func (s *sides) ask(t *testing.T, address string, v visit) reply {
	t.Helper()
	h := v.header.Clone()
	scheme, host, _ := strings.Cut(s.origin, "://")
	if h.Get("X-Forwarded-Host") == "" {
		h.Set("X-Forwarded-Host", host)
	}
	h.Set("X-Forwarded-Proto", scheme)
	return send(t, v.method, address+v.path, "", h)
}

// judge sends a request, follows redirects within the app, as browsers do after a handshake, and
// returns what is compared.
func (s *sides) judge(t *testing.T, address string, v visit) outcome {
	t.Helper()
	got := s.ask(t, address, v)
	set := got.cookies(t)
	for range 3 {
		at := got.location(t)
		if at == nil || at.Scheme+"://"+at.Host != s.origin {
			break
		}
		v = visit{v.method, at.RequestURI(), changed(v.header, got.cookies(t))}
		got = s.ask(t, address, v)
		set = append(set, got.cookies(t)...)
	}
	o := outcome{status: got.status, location: plainLocation(t, got.header.Get("Location")), cookies: plainCookies(set)}
	if got.status == http.StatusOK {
		var who identity
		if err := json.Unmarshal(got.body, &who); err != nil {
			t.Fatalf("the body %s is not JSON: %v", got.body, err)
		}
		o.who, o.signedIn = fmt.Sprintf("%+v", who), who.User != ""
	}
	return o
}

// plainLocation returns a URL in a form that does not depend on the server: parameters in order,
// the token of the browser that both got, and without this library's own parameters.
func plainLocation(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	maps.DeleteFunc(q, func(name string, _ []string) bool { return strings.HasPrefix(name, "__clerkauth_") })
	if back := q.Get("redirect_url"); back != "" {
		q.Set("redirect_url", plainLocation(t, back))
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// plainCookies returns Clerk's cookies of a response. A deletion counts once for a name, and not if
// the name is set too: each server deletes a cookie in one place before it sets it in another, in
// its own way.
func plainCookies(cookies []*http.Cookie) []string {
	set, deleted := []string{}, map[string]bool{}
	for _, c := range cookies {
		switch {
		case strings.Contains(c.Name, "clerkauth"), deletes(c) && planted(c): // this library's
		case deletes(c):
			deleted[c.Name] = c.Name != "__clerk_redirect_count" // which expires after two seconds
		default:
			set = append(set, fmt.Sprintf("%s=%s Path=%s Domain=%s MaxAge=%d Secure=%t HttpOnly=%t SameSite=%d",
				c.Name, c.Value, c.Path, c.Domain, c.MaxAge, c.Secure, c.HttpOnly, c.SameSite))
		}
	}
	for name, counts := range deleted {
		if counts && !slices.ContainsFunc(set, func(s string) bool { return strings.HasPrefix(s, name+"=") }) {
			set = append(set, name+" deleted")
		}
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// planted reports whether it is a session or refresh cookie of a whole domain. Clerk sets none
// there: this library deletes them, since a sibling subdomain may have planted them.
func planted(c *http.Cookie) bool {
	return c.Domain != "" && (strings.HasPrefix(c.Name, "__session") || strings.HasPrefix(c.Name, "__refresh"))
}

// conformanceRules returns the text that lists the differences from the reference.
func conformanceRules(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "conformance", "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the conformance tests are not found: %v", err)
	}
	var all strings.Builder
	for _, f := range files {
		content, err := os.ReadFile(f) //nolint:gosec // G304: they are ours
		if err != nil {
			t.Fatal(err)
		}
		all.Write(content)
	}
	return all.String()
}

// TestRealExpressSideBySide sends each situation to both servers. They respond alike, or differ by
// a rule of the conformance tests.
func TestRealExpressSideBySide(t *testing.T) {
	t.Parallel()
	t.Logf("@clerk/express %s, @clerk/backend %s", versionOf(t, "@clerk/express"), versionOf(t, "@clerk/backend"))
	rules := conformanceRules(t)
	compared, differ := 0, 0
	for _, live := range []bool{false, true} {
		name := map[bool]string{true: "production", false: "development"}[live]
		t.Run(name, func(t *testing.T) {
			s := newSides(t, live)
			for _, x := range situations() {
				t.Run(x.name, func(t *testing.T) {
					theirs, ours := s.judge(t, s.express, x.visit(t, s, s.express)), s.judge(t, s.ours, x.visit(t, s, s.ours))
					compared++
					same := theirs.String() == ours.String()
					d := x.differs
					if d != nil && d.onlyLive && !live {
						d = nil
					}
					switch {
					case d == nil && !same:
						t.Errorf("the responses differ, want the same\n  @clerk/express: %s\n  clerkauth:      %s", theirs, ours)
					case d == nil:
					case same:
						t.Errorf("the responses are the same, want a difference by the rule %q: %s", d.rule, ours)
					case !strings.Contains(rules, d.rule):
						t.Errorf("the conformance tests have no rule %q", d.rule)
					case ours.status != http.StatusOK || ours.signedIn != d.signedIn:
						t.Errorf("the rule %q, want signed in: %t; clerkauth: %s", d.rule, d.signedIn, ours)
					default:
						differ++
						t.Logf("differs by %q\n  @clerk/express: %s\n  clerkauth:      %s", d.rule, theirs, ours)
					}
				})
			}
		})
	}
	if compared < 40 {
		t.Errorf("%d situations, want at least 40", compared)
	}
	t.Logf("%d situations, of which %d differ by a rule", compared, differ)
}

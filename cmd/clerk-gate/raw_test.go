package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"testing"
	"time"
)

// dial opens a connection to the gateway that lasts for some time.
func (s *site) dial(lifetime time.Duration) net.Conn {
	conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", s.addr)
	if err != nil {
		s.t.Error(err)
		return nil
	}
	_ = conn.SetDeadline(time.Now().Add(lifetime))
	return conn
}

// exchange sends bytes to the gateway and reads the answer, until it closes or sends nothing more.
func (s *site) exchange(raw string) {
	conn := s.dial(2 * time.Second)
	if conn == nil {
		return
	}
	defer func() { _ = conn.Close() }()
	go func() { _, _ = io.WriteString(conn, raw) }() // the answer may be sent before all is read
	_, _ = io.Copy(io.Discard, conn)
}

// upgrade requests a WebSocket. It returns the status, and what the other side sends back for a
// first line.
func (s *site) upgrade(raw string) (status int, echo string) {
	conn := s.dial(10 * time.Second)
	if conn == nil {
		return 0, ""
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, raw)
	buffered := bufio.NewReader(conn)
	resp, err := http.ReadResponse(buffered, nil)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		_, _ = io.WriteString(conn, "hello\n")
		echo, _ = buffered.ReadString('\n')
	}
	return resp.StatusCode, echo
}

// cookieLine returns the browser's cookies as a header line; "" for none.
func (s *site) cookieLine() string {
	var pairs []string
	for _, c := range s.client.Jar.Cookies(s.url()) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	if pairs == nil {
		return ""
	}
	return "Cookie: " + strings.Join(pairs, "; ") + "\r\n"
}

func TestWebSockets(t *testing.T) {
	forEachGateway(t, func(t *testing.T, s *site) {
		s.as("user_2alice")
		upgrade := func(upgrade, more string) string {
			return "GET /socket HTTP/1.1\r\nHost: " + s.addr + "\r\nConnection: Upgrade\r\nUpgrade: " + upgrade + "\r\nSec-WebSocket-Version: 13\r\n" +
				"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + more + "\r\n"
		}
		cookies := s.cookieLine()
		own := "Origin: " + s.base + "\r\n"
		other := "Origin: https://elsewhere.example\r\n"
		for name, tt := range map[string]struct {
			raw  string
			want int
		}{
			"of our page":                    {upgrade("websocket", cookies+own), http.StatusSwitchingProtocols},
			"of our page, in capitals":       {upgrade("WebSocket", cookies+own), http.StatusSwitchingProtocols},
			"of another site":                {upgrade("websocket", cookies+other), http.StatusForbidden},
			"of a sibling subdomain":         {upgrade("websocket", cookies+"Origin: http://sibling."+s.addr+"\r\nSec-Fetch-Site: same-site\r\n"), http.StatusForbidden},
			"of nobody":                      {upgrade("websocket", own), http.StatusUnauthorized},
			"of another site with two words": {upgrade("h2c, websocket", cookies+other), http.StatusForbidden},
		} {
			s.reset()
			status, echo := s.upgrade(tt.raw)
			if status != tt.want {
				t.Errorf("a WebSocket %s: got %d %q, want %d", name, status, echo, tt.want)
			}
			if opened := tt.want == http.StatusSwitchingProtocols; (echo == "hello\n") != opened || (len(s.reached()) == 1) != opened {
				t.Errorf("a WebSocket %s: got the echo %q, and %d requests reached the app, want it open: %t", name, echo, len(s.reached()), opened)
			}
		}
		// Without a key, which every browser sends, some gateways see no WebSocket, and the app may
		// see one. Traefik does not pass Upgrade on, so the gate sees only the key.
		s.reset()
		if s.upgrade(strings.Replace(upgrade("websocket", cookies+other), "Sec-WebSocket-Key", "X-Key", 1)); len(s.reached()) != 0 && s.kind != "traefik" {
			t.Error("a WebSocket of another site without a key reached the app")
		}
		// An upgrade to HTTP/2 would carry requests past the gateway.
		s.reset()
		s.upgrade(strings.Replace(upgrade("h2c", cookies+own), "Connection: Upgrade", "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", 1))
		for _, r := range s.reached() {
			if r.Header["Upgrade"] != nil {
				t.Errorf("an upgrade to %q reached the app, want no Upgrade header", r.Header["Upgrade"])
			}
		}
	})
}

// attacks are raw requests. HOST is the gateway's address. COOKIES is a line with the session of a
// person who is no admin, or nothing. A hidden second request has "smuggled" in it.
func attacks() map[string]string {
	const lines = "Host: HOST\r\nCOOKIESConnection: close\r\n"
	const hidden = "GET /smuggled HTTP/1.1\r\nHost: HOST\r\nX-Clerk-User-Id: user_evil\r\n\r\n"
	chunked := "0\r\n\r\n" + hidden
	withBody := func(framing, body string) string {
		return "POST /data HTTP/1.1\r\nHost: HOST\r\nCOOKIES" + framing + "\r\n" + body
	}
	set := map[string]string{
		"CL.TE":                        withBody(fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n", len(chunked)), chunked),
		"TE.CL":                        withBody("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(hidden), hidden)),
		"TE with a space":              withBody(fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding : chunked\r\n", len(chunked)), chunked),
		"TE with a tab":                withBody(fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding:\tchunked\r\n", len(chunked)), chunked),
		"TE xchunked":                  withBody(fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: xchunked\r\n", len(chunked)), chunked),
		"TE twice":                     withBody(fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", len(chunked)), chunked),
		"TE identity, chunked":         withBody(fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: identity, chunked\r\n", len(chunked)), chunked),
		"TE folded":                    withBody(fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding:\r\n chunked\r\n", len(chunked)), chunked),
		"TE with a vertical tab":       withBody(fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: \x0bchunked\r\n", len(chunked)), chunked),
		"TE_ with an underscore":       withBody(fmt.Sprintf("Content-Length: %d\r\nTransfer_Encoding: chunked\r\n", len(chunked)), chunked),
		"CL twice":                     withBody(fmt.Sprintf("Content-Length: 0\r\nContent-Length: %d\r\n", len(hidden)), hidden),
		"CL list":                      withBody(fmt.Sprintf("Content-Length: 0, %d\r\n", len(hidden)), hidden),
		"CL with a plus":               withBody(fmt.Sprintf("Content-Length: +%d\r\n", len(hidden)), hidden),
		"CL in hexadecimal":            withBody("Content-Length: 0x0\r\n", hidden),
		"CL negative":                  withBody("Content-Length: -1\r\n", hidden),
		"CL of zero, a GET behind":     withBody("Content-Length: 0\r\n", hidden),
		"CL in a GET":                  strings.Replace(withBody("Content-Length: 0\r\n", hidden), "POST", "GET", 1),
		"chunk extension with LF":      withBody("Transfer-Encoding: chunked\r\n", "1;\n\r\nx\r\n0\r\n\r\n"+hidden),
		"chunk size overflow":          withBody("Transfer-Encoding: chunked\r\n", "10000000000000000\r\n"+hidden),
		"chunk trailer as identity":    withBody("Transfer-Encoding: chunked\r\nTrailer: X-Clerk-User-Id\r\n", "0\r\nX-Clerk-User-Id: user_evil\r\n\r\n"),
		"bare LF":                      "GET /data HTTP/1.1\nHost: HOST\nCOOKIES\n" + hidden,
		"bare CR in a value":           "GET /data HTTP/1.1\r\n" + lines + "X-A: a\rX-Clerk-User-Id: user_evil\r\n\r\n",
		"NUL in a value":               "GET /data HTTP/1.1\r\n" + lines + "X-A: a\x00b\r\nX-Clerk-User-Id: user_evil\r\n\r\n",
		"obs-fold of an identity":      "GET /data HTTP/1.1\r\n" + lines + "X-A: a\r\n X-Clerk-User-Id: user_evil\r\nX-Clerk-User-Id:\r\n user_evil\r\n\r\n",
		"space before a colon":         "GET /data HTTP/1.1\r\n" + lines + "X-Clerk-User-Id : user_evil\r\n\r\n",
		"space before a name":          "GET /data HTTP/1.1\r\n X-Clerk-User-Id: user_evil\r\n" + lines + "\r\n",
		"identity in Connection alone": "GET /data HTTP/1.1\r\nHost: HOST\r\nCOOKIESConnection: close, X-Clerk-User-Id, X-Clerk-Org-Role\r\n\r\n",
		"identity in Connection":       "GET /data HTTP/1.1\r\nHost: HOST\r\nCOOKIESConnection: close, X-Clerk-User-Id, X-Clerk-Org-Role, Cookie\r\n\r\n",
		"host twice":                   "GET /admin HTTP/1.1\r\nHost: HOST\r\n" + lines + "\r\n",
		"two hosts":                    "GET /admin HTTP/1.1\r\nHost: other.example\r\n" + lines + "\r\n",
		"no host":                      "GET /admin HTTP/1.1\r\nCOOKIESConnection: close\r\n\r\n",
		"host with a path":             "GET /admin HTTP/1.1\r\nHost: HOST/welcome?\r\nCOOKIESConnection: close\r\n\r\n",
		"host with user info":          "GET /admin HTTP/1.1\r\nHost: welcome@HOST\r\nCOOKIESConnection: close\r\n\r\n",
		"HTTP/1.0":                     "GET /admin HTTP/1.0\r\n" + lines + "\r\n",
		"HTTP/0.9":                     "GET /admin\r\n\r\n",
		"absolute-form":                "GET http://HOST/admin HTTP/1.1\r\n" + lines + "\r\n",
		"absolute-form, other host":    "GET http://other.example/admin HTTP/1.1\r\n" + lines + "\r\n",
		"absolute-form of the gate":    "GET http://127.0.0.1:4180/auth HTTP/1.1\r\n" + lines + "\r\n",
		"asterisk-form":                "OPTIONS * HTTP/1.1\r\n" + lines + "\r\n",
		"authority-form":               "CONNECT HOST HTTP/1.1\r\n" + lines + "\r\n",
		"no slash":                     "GET admin HTTP/1.1\r\n" + lines + "\r\n",
		"lower-case method":            "get /admin HTTP/1.1\r\n" + lines + "\r\n",
		"the gate's own location":      "GET /.clerk-gate/anybody HTTP/1.1\r\n" + lines + "\r\n",
		"a packed answer":              "GET /admin HTTP/1.1\r\n" + lines + "X-Clerk-Answer: eyJTdGF0dXMiOjIwMH0\r\n\r\n",
		"an internal redirect":         "GET /admin HTTP/1.1\r\n" + lines + "X-Accel-Redirect: /welcome\r\nX-Original-URI: /welcome\r\nX-Rewrite-URL: /welcome\r\n\r\n",
		"the original from a client": "GET /admin HTTP/1.1\r\n" + lines + "X-Original-Method: OPTIONS\r\nX-Original-URL: http://HOST/welcome\r\nX-Forwarded-Method: OPTIONS\r\n" +
			"X-Forwarded-Uri: /welcome\r\nX-Forwarded-Host: HOST\r\nX-Forwarded-Proto: https\r\n\r\n",
		"a write that says GET": "POST /data HTTP/1.1\r\n" + lines + "Origin: https://elsewhere.example\r\nX-Original-Method: GET\r\nX-Forwarded-Method: GET\r\n" +
			"X_Original_Method: GET\r\nContent-Length: 0\r\n\r\n",
		"a preflight with cookies":  "OPTIONS /admin HTTP/1.1\r\n" + lines + "Origin: https://elsewhere.example\r\nAuthorization: Basic dTpw\r\nAccess-Control-Request-Method: GET\r\n\r\n",
		"a preflight that is a GET": "OPTIONS /admin HTTP/1.1\r\n" + lines + "Origin: https://elsewhere.example\r\nX-HTTP-Method-Override: GET\r\nAccess-Control-Request-Method: GET\r\n\r\n",
	}
	for _, target := range []string{
		"/%61dmin", "/admin%2f", "/%2e/admin", "/x/%2e%2e/admin", "//admin", "/./admin", "/x/../admin", "/x/..;/admin", "/.;/admin", "/;/admin", "/admin;x",
		"/admin/..;/admin", "/welcome/../admin", "/welcome/..%2fadmin", "/welcome/%2e%2e/admin", "/welcome/..;/admin", "/welcome%2f..%2fadmin",
		`/welcome\..\admin`, `/\admin`, "/welcome/%5c../admin", "/%2fadmin", "/admin%00", "/admin#/welcome", "/admin%23/welcome", "/%c0%afadmin", "/ADMIN", "/welcome//../admin", "/%2561dmin", "/%u0061dmin",
	} {
		set["path "+target] = "GET " + target + " HTTP/1.1\r\n" + lines + "\r\n"
	}
	return set
}

// asRead returns the ways in which an app may read a path.
func asRead(uri string) []string {
	p, _, _ := strings.Cut(uri, "?")
	p, _, _ = strings.Cut(p, "#")
	readings := []string{p}
	for range 2 {
		if decoded, err := url.PathUnescape(p); err == nil {
			p = decoded
			readings = append(readings, p)
		}
	}
	var all []string
	for _, reading := range readings {
		reading, _, _ = strings.Cut(strings.ReplaceAll(reading, `\`, "/"), "\x00")
		var bare []string // without parameters
		for segment := range strings.SplitSeq(reading, "/") {
			segment, _, _ = strings.Cut(segment, ";")
			bare = append(bare, segment)
		}
		all = append(all, path.Clean("/"+reading), path.Clean("/"+strings.Join(bare, "/")))
	}
	return all
}

// Nothing that a signed-out client sends reaches the app. Nothing that a signed-in one sends
// reaches it as another user, or where an admin is required, however the app reads the path.
func TestRawRequests(t *testing.T) {
	forEachGateway(t, func(t *testing.T, s *site) {
		for _, user := range []string{"", "user_2bob"} {
			if s.as("user_2bob"); user == "" {
				s.newBrowser()
			}
			replace := strings.NewReplacer("HOST", s.addr, "COOKIES", s.cookieLine())
			var wait sync.WaitGroup
			for name, raw := range attacks() {
				wait.Go(func() {
					raw := strings.Replace(raw, " HTTP/1", "?attack="+url.QueryEscape(name)+" HTTP/1", 1)
					s.exchange(replace.Replace(raw))
				})
			}
			wait.Wait()
			seen := s.reached()
			if user == "" && len(seen) != 0 {
				t.Errorf("%d signed-out requests reached the app, want none", len(seen))
			}
			for _, r := range seen {
				checkReached(t, r, user)
			}
			if user != "" {
				t.Logf("%d of %d attacks of %s reached the app, as what they are", len(seen), len(attacks()), user)
			}
		}
		// The connections to the app are still in step.
		s.as("user_2bob")
		for i := range 20 {
			want := fmt.Sprintf("GET /after/%d [user_2bob] ", i)
			if r := s.send(http.MethodGet, fmt.Sprintf("/after/%d", i), script...); r.body != want {
				t.Errorf("after the attacks: got %d %q, want %q", r.status, r.body, want)
			}
		}
	})
}

func checkReached(t *testing.T, r *http.Request, user string) {
	t.Helper()
	env := asCGI(r.Header)
	if got := strings.Join(env["HTTP_X_CLERK_USER_ID"], "+"); got != user || user == "" {
		t.Errorf("%s %s reached the app as %q, want %q", r.Method, r.RequestURI, got, user)
	}
	if got := strings.Join(env["HTTP_X_CLERK_ORG_ROLE"], "+"); got != "org:member" {
		t.Errorf("%s %s reached the app with role %q, want \"org:member\"", r.Method, r.RequestURI, got)
	}
	for _, reading := range asRead(r.RequestURI) {
		if reading = strings.ToLower(reading); reading == "/admin" || strings.HasPrefix(reading, "/admin/") || strings.Contains(reading, "smuggled") {
			t.Errorf("%s %s reached the app, which may read it as %s", r.Method, r.RequestURI, reading)
			return
		}
	}
	if strings.Contains(r.Header.Get("Origin"), "elsewhere") {
		t.Errorf("%s %s of another site reached the app", r.Method, r.RequestURI)
	}
}

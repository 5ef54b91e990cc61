package inbound_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
)

// live and test are the settings of an application with live and with test keys.
var (
	live = inbound.Settings{Live: true, Names: inbound.NewNames("abcd1234")}
	test = inbound.Settings{Names: inbound.NewNames("abcd1234")}
)

// read reads a GET of target with these header lines, each "Name: value".
func read(t *testing.T, s inbound.Settings, target string, lines ...string) *inbound.Request {
	t.Helper()
	f, reason := readRequest(s, newRequest(http.MethodGet, target, lines...))
	if reason != "" {
		t.Fatalf("%s %q: got %s, want none", target, lines, reason)
	}
	return f
}

func newRequest(method, target string, lines ...string) *http.Request {
	r := httptest.NewRequest(method, target, http.NoBody)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func readRequest(s inbound.Settings, r *http.Request) (*inbound.Request, reasons.Reason) {
	var f inbound.Request
	reason := f.Read(r, &s)
	return &f, reason
}

func TestDocument(t *testing.T) {
	proxied := live
	proxied.ProxyPrefix = "/__clerk"
	for name, tc := range map[string]struct {
		settings       inbound.Settings
		method, target string
		lines          []string
		want           bool
	}{
		"a navigation":                     {live, "GET", "/", []string{"Sec-Fetch-Dest: document"}, true},
		"a frame":                          {live, "GET", "/", []string{"Sec-Fetch-Dest: iframe"}, true},
		"its headers alone":                {live, "HEAD", "/", []string{"Sec-Fetch-Dest: document"}, true},
		"of a browser that does not say":   {live, "GET", "/", []string{"Accept: text/html,*/*"}, true},
		"of a service worker":              {live, "GET", "/", []string{"Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: navigate"}, true},
		"a form that was sent":             {live, "POST", "/", []string{"Sec-Fetch-Dest: document"}, false},
		"a fetch":                          {live, "GET", "/", []string{"Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: cors", "Accept: text/html"}, false},
		"an image":                         {live, "GET", "/", []string{"Sec-Fetch-Dest: image", "Accept: text/html"}, false},
		"an object":                        {live, "GET", "/", []string{"Sec-Fetch-Dest: object", "Accept: text/html"}, false},
		"HTML among others":                {live, "GET", "/", []string{"Accept: application/json, text/html"}, false},
		"nothing said":                     {live, "GET", "/", nil, false},
		"two destinations":                 {live, "GET", "/", []string{"Sec-Fetch-Dest: document", "Sec-Fetch-Dest: document"}, false},
		"the proxied Frontend API":         {proxied, "GET", "/__clerk/v1/client", []string{"Sec-Fetch-Dest: document"}, false},
		"a path that only begins like it":  {proxied, "GET", "/__clerks", []string{"Sec-Fetch-Dest: document"}, true},
		"below a prefix that was stripped": {proxied, "GET", "/x", []string{"Sec-Fetch-Dest: document"}, true},
	} {
		f, reason := readRequest(tc.settings, newRequest(tc.method, tc.target, tc.lines...))
		if f.Document != tc.want || reason != "" {
			t.Errorf("%s: got %t (%s), want %t", name, f.Document, reason, tc.want)
		}
	}
}

func TestBearer(t *testing.T) {
	for value, want := range map[string]struct {
		token string
		ok    bool
	}{
		"Bearer a.b.c":   {"a.b.c", true},
		"bEARER a.b.c":   {"a.b.c", true},
		"a.b.c":          {"a.b.c", true},
		"Bearer":         {"Bearer", true},
		"Bearer a.b.c d": {"a.b.c", true},
		"Basic YTpi":     {"", false},
		"Bearer2 a.b.c":  {"", false},
	} {
		f := read(t, live, "/", "Authorization: "+value)
		if f.Bearer() != want.token || f.HasBearer != want.ok {
			t.Errorf("%q: got %q, %t, want %q, %t", value, f.Bearer(), f.HasBearer, want.token, want.ok)
		}
	}
	if f := read(t, live, "/", "Authorization: "); f.HasBearer {
		t.Error("an empty line is taken for a bearer token")
	}
	if _, reason := readRequest(live, newRequest(http.MethodGet, "/", "Authorization: Bearer a", "Authorization: Bearer a")); reason != reasons.MultipleAuthorization {
		t.Errorf("two lines: got %q, want %q", reason, reasons.MultipleAuthorization)
	}
}

// A bearer token decides alone, so that the cookies beside it are not read.
func TestCookiesBesideABearerToken(t *testing.T) {
	if f := read(t, live, "/", "Authorization: Bearer a.b.c", "Cookie: __client_uat=1"); f.UAT[inbound.Plain].Value != "" {
		t.Errorf("a script's request: __client_uat %q was read", f.UAT[inbound.Plain].Value)
	}
	if f := read(t, live, "/", "Authorization: Bearer a.b.c", "Cookie: __client_uat=1", "Sec-Fetch-Dest: document"); f.UAT[inbound.Plain].Value != "1" {
		t.Error("a page may have to be sent to a handshake, and its __client_uat was not read")
	}
}

// session is a value that has a session token's outline.
func session(c byte) string {
	return strings.Repeat(string(c), 20) + "." + strings.Repeat(string(c), 40) + "." + strings.Repeat(string(c), 400)
}

func TestCookies(t *testing.T) {
	a, b := session('a'), session('b')
	f := read(
		t, live, "/", "Cookie: __session="+a+"; theme=dark; __session_abcd1234="+b+"; __session="+b,
		"Cookie: __client_uat=5; __client_uat=6; __client_uat_abcd1234=7; __refresh_abcd1234=r%20s; __refresh=no; __clerk_redirect_count=2; __client_uat_other=9",
		"Cookie: __clerk_handshake_nonce=n1; __clerk_handshake=h1; __clerk_handshake=h2; __clerk_db_jwt=dvb",
	)
	want := []inbound.SessionCookie{{Slot: inbound.Plain, Sent: a}, {Slot: inbound.Suffixed, Sent: b}, {Slot: inbound.Plain, Sent: b}}
	if got := f.SessionCookies(); !slices.Equal(got, want) {
		t.Errorf("session cookies %v, want %v", got, want)
	}
	if f.SignedInAt(inbound.Plain) != 5 || f.SignedInAt(inbound.Suffixed) != 7 || f.Refresh != "r s" || f.Redirects != 2 || f.DevBrowser[inbound.Plain].Value != "dvb" {
		t.Errorf("got __client_uat %v, refresh %q, %d redirects, development browser %v, want 5 and 7, r s, 2, dvb", f.UAT, f.Refresh, f.Redirects, f.DevBrowser)
	}
	if f.Answer.Nonce.Only() != "n1" || f.Answer.Token.Only() != "" || f.Answer.Token.Count != 2 {
		t.Errorf("got %+v, want a nonce and two handshake tokens", f.Answer)
	}
}

// With test keys the answer of a handshake is in the address, and only there.
func TestAnswer(t *testing.T) {
	const cookie, page = "Cookie: __clerk_handshake_nonce=cookie", "Sec-Fetch-Dest: document"
	for name, tc := range map[string]struct {
		settings inbound.Settings
		target   string
		lines    []string
		want     string
	}{
		"live, in a cookie":          {live, "/", []string{cookie, page}, "cookie"},
		"live, in the address":       {live, "/?__clerk_handshake_nonce=address", []string{page}, ""},
		"test, in a cookie":          {test, "/", []string{cookie, page}, ""},
		"test, in the address":       {test, "/?a=b&__clerk_handshake_nonce=address", []string{cookie, page}, "address"},
		"test, its name escaped":     {test, "/?%5F_clerk_handshake_nonce=address", []string{page}, "address"},
		"test, and all of it":        {test, "/?__%63lerk_handshake_nonce=address", []string{page}, "address"},
		"test, twice in the address": {test, "/?__clerk_handshake_nonce=a&__clerk_handshake_nonce=a", []string{page}, ""},
		"test, of no page":           {test, "/?__clerk_handshake_nonce=address", nil, ""},
	} {
		if f := read(t, tc.settings, tc.target, tc.lines...); f.Answer.Nonce.Only() != tc.want {
			t.Errorf("%s: got %q, want %q", name, f.Answer.Nonce.Only(), tc.want)
		}
	}
}

func TestOwnParameters(t *testing.T) {
	for target, want := range map[string]inbound.OwnParameters{
		"/": {},
		"/?__clerkauth_state=s&__clerkauth_sent=12":              {Any: true, State: "s", Sent: 12},
		"/?__clerkauth_state=s&__clerkauth_state=s":              {Any: true},
		"/?__clerkauth_sent=12t":                                 {Any: true, Sent: 12, ForToken: true},
		"/?_%5Fclerkauth_sent=1%32t&__%63lerkauth_state=%73":     {Any: true, State: "s", Sent: 12, ForToken: true},
		"/?__clerkauth_sent=x":                                   {Any: true},
		"/?__clerkauth_sent=99999999999999999999&clerk=whatever": {Any: true, Sent: 1<<63 - 1},
	} {
		if f := read(t, live, target, "Sec-Fetch-Dest: document"); f.Own != want {
			t.Errorf("%s: got %+v, want %+v", target, f.Own, want)
		}
	}
}

func TestHostAndScheme(t *testing.T) {
	forwarded := live
	forwarded.Forwarded = true
	const host, proto = "X-Forwarded-Host: app.example.com", "X-Forwarded-Proto: https"
	for name, tc := range map[string]struct {
		settings     inbound.Settings
		host         string
		tls          bool
		lines        []string
		want, scheme string
	}{
		"as it was sent":         {live, "App.example.com:8080", false, nil, "app.example.com:8080", "http"},
		"with TLS":               {live, "app.example.com", true, nil, "app.example.com", "https"},
		"forwarded, not trusted": {live, "inner", false, []string{host, proto}, "inner", "http"},
		"forwarded and trusted":  {forwarded, "inner", false, []string{host, proto}, "app.example.com", "https"},
		"forwarded twice":        {forwarded, "inner", false, []string{host, host}, "", "http"},
		"a forwarded list":       {forwarded, "inner", false, []string{"X-Forwarded-Host: a, b"}, "", "http"},
		"another scheme":         {forwarded, "inner", false, []string{host, "X-Forwarded-Proto: ftp"}, "app.example.com", "http"},
		"no host":                {live, "", false, nil, "", "http"},
		"what is no host":        {live, "a b", false, nil, "", "http"},
		"too long to be one":     {live, strings.Repeat("a.", 500) + "example.com", false, nil, "", "http"},
	} {
		r := newRequest(http.MethodGet, "/", tc.lines...)
		r.Host, r.TLS = tc.host, nil
		if tc.tls {
			r.TLS = &tls.ConnectionState{}
		}
		f, reason := readRequest(tc.settings, r)
		if f.Host() != tc.want || f.Scheme != tc.scheme || reason != "" {
			t.Errorf("%s: got %q by %s (%s), want %q by %s", name, f.Host(), f.Scheme, reason, tc.want, tc.scheme)
		}
	}
}

func TestSignedInAt(t *testing.T) {
	for value, want := range map[string]int64{
		"1700000000": 1700000000, "0": 0, "": 0, "x": 0, "12x": 12, " 12": 12, "%2012": 12, "-5": -5, "+5": 5, "0x1F": 31, "-1xF": -1, "%EF%BB%BF12": 12, "1e3": 1,
		"99999999999999999999": 253402300799,
	} {
		if f := read(t, live, "/", "Cookie: __client_uat="+value); f.SignedInAt(inbound.Plain) != want {
			t.Errorf("%q: got %d, want %d", value, f.SignedInAt(inbound.Plain), want)
		}
	}
}

func TestDestination(t *testing.T) {
	for value, want := range map[string]inbound.Destination{
		"document": inbound.PageItself, "empty": inbound.PageItself, "websocket": inbound.PageItself, "iframe": inbound.PageItself,
		"image": inbound.PageMedia, "video": inbound.PageMedia, "object": inbound.PageMedia,
		"script": inbound.PagePart, "style": inbound.PagePart, "manifest": inbound.PagePart, "worker": inbound.PagePart, "new-one": inbound.PagePart,
	} {
		if f := read(t, live, "/", "Sec-Fetch-Dest: "+value); f.Destination() != want {
			t.Errorf("%s: got %d, want %d", value, f.Destination(), want)
		}
	}
	if f := read(t, live, "/"); f.Destination() != inbound.PageItself {
		t.Errorf("a browser that does not say: got %d, want %d", f.Destination(), inbound.PageItself)
	}
}

// The way back must lead to where the client was, whatever handlers in front made of the URL.
func TestTarget(t *testing.T) {
	for target, want := range map[string][2]string{
		"/a/b?c=d":                    {"/a/b", "c=d"},
		"/a%2Fb?":                     {"/a%2Fb", ""},
		"//evil.example/a":            {"//evil.example/a", ""},
		"http://app.example.com/a?b":  {"/a", "b"},
		"http://app.example.com?b":    {"/stripped", "by=handlers"}, // no path in the line
		"HTTPS://app.example.com/a?b": {"/a", "b"},
	} {
		r := newRequest(http.MethodGet, "/stripped?by=handlers")
		r.RequestURI = target
		path, query := inbound.Target(r)
		if path != want[0] || query != want[1] {
			t.Errorf("%s: got %q and %q, want %q", target, path, query, want)
		}
	}
}

// A decision is believed for the request that it was made for: copies of it, and no other.
func TestIdentity(t *testing.T) {
	made := func(change func(*http.Request)) *http.Request {
		r := newRequest(http.MethodGet, "/a?b=c", "Cookie: __session=x", "Accept: text/html", "Origin: https://app.example.com")
		change(r)
		return r
	}
	var f inbound.Request
	var id inbound.Identity
	r := made(func(*http.Request) {})
	f.Read(r, &live)
	_, _ = f.Lines.First(inbound.LineOrigin), f.Referrer()
	id.Set(r, &f.Lines)
	for name, tc := range map[string]struct {
		change func(*http.Request)
		want   bool
	}{
		"the same":             {func(*http.Request) {}, true},
		"a header nobody read": {func(r *http.Request) { r.Header.Set("X-Other", "1") }, true},
		"of those, this time":  {func(r *http.Request) { r.Header.Set("Upgrade", "websocket") }, true},
		"one not believed":     {func(r *http.Request) { r.Header.Set("X-Forwarded-Host", "other") }, true},
		"another method":       {func(r *http.Request) { r.Method = http.MethodPost }, false},
		"another host":         {func(r *http.Request) { r.Host = "other" }, false},
		"another target":       {func(r *http.Request) { r.RequestURI = "/a?b=d" }, false},
		"TLS":                  {func(r *http.Request) { r.TLS = &tls.ConnectionState{} }, false},
		"another Accept":       {func(r *http.Request) { r.Header.Set("Accept", "*/*") }, false},
		"another destination":  {func(r *http.Request) { r.Header.Set("Sec-Fetch-Dest", "empty") }, false},
		"another cookie":       {func(r *http.Request) { r.Header.Set("Cookie", "__session=y") }, false},
		"one more cookie line": {func(r *http.Request) { r.Header.Add("Cookie", "a=b") }, false},
		"without the cookie":   {func(r *http.Request) { r.Header.Del("Cookie") }, false},
		"a bearer token":       {func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, false},
		"another origin":       {func(r *http.Request) { r.Header.Set("Origin", "null") }, false},
		"an empty line":        {func(r *http.Request) { r.Header["Referer"] = []string{""} }, false},
		"no values in a line":  {func(r *http.Request) { r.Header["Referer"] = []string{} }, false},
	} {
		if got := id.Of(made(tc.change)); got != tc.want {
			t.Errorf("%s: got %t, want %t", name, got, tc.want)
		}
	}
}

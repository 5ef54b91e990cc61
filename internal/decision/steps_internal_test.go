package decision

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// Clerk's rule about the two names of its cookies, as older and newer versions of its script keep them.
func TestChoosePair(t *testing.T) {
	claims := func(iss string, iat, exp int64) *sessiontoken.Claims {
		date := func(unix int64) sessiontoken.Date { return sessiontoken.Date{State: sessiontoken.Present, Unix: unix} }
		return &sessiontoken.Claims{Iss: iss, Iat: date(iat), Exp: date(exp)}
	}
	cookie := func(c *sessiontoken.Claims) *judgedCookie {
		return &judgedCookie{read: sessiontoken.Token{Raw: "token", Claims: c}}
	}
	now, later := noon.Unix(), noon.Unix()+50
	none, old, new := &judgedCookie{}, cookie(claims(issuer, now-30, later)), cookie(claims(issuer, now-10, later))
	for name, tc := range map[string]struct {
		change          func(*Settings)
		plain, suffixed *judgedCookie
		uat, uatSuffix  string
		want            inbound.Slot
	}{
		"nothing":                             {plain: none, suffixed: none, want: inbound.Plain},
		"the plain one alone":                 {plain: new, suffixed: none, uat: "1", want: inbound.Plain},
		"the suffixed one alone":              {plain: none, suffixed: new, uatSuffix: "1", want: inbound.Suffixed},
		"the plain one is newer":              {plain: new, suffixed: old, uat: "1", uatSuffix: "1", want: inbound.Plain},
		"the suffixed one is newer":           {plain: old, suffixed: new, uat: "1", uatSuffix: "1", want: inbound.Suffixed},
		"as new as each other":                {plain: new, suffixed: new, uat: "1", uatSuffix: "1", want: inbound.Suffixed},
		"another instance's plain one":        {plain: cookie(claims("https://clerk.other.example", now, later)), suffixed: old, uat: "1", uatSuffix: "1", want: inbound.Suffixed},
		"a plain one that is no token":        {plain: cookie(nil), suffixed: new, uat: "1", uatSuffix: "1", want: inbound.Plain},
		"signed out by the suffixed name":     {plain: old, suffixed: new, uat: "1", uatSuffix: "0", want: inbound.Plain},
		"signed out by both":                  {plain: new, suffixed: old, uat: "0", uatSuffix: "0", want: inbound.Suffixed},
		"signed out by the plain name":        {plain: new, suffixed: old, uat: "0", uatSuffix: "1", want: inbound.Suffixed},
		"the same in development, expired":    {change: testKeys, plain: new, suffixed: cookie(claims(issuer, now-100, now)), uat: "0", uatSuffix: "1", want: inbound.Plain},
		"signed out by both in development":   {change: testKeys, plain: new, suffixed: cookie(claims(issuer, now-100, now)), uat: "0", uatSuffix: "0", want: inbound.Suffixed},
		"a suffixed one that never expires":   {change: testKeys, plain: new, suffixed: cookie(&sessiontoken.Claims{Iss: issuer}), uat: "0", uatSuffix: "1", want: inbound.Suffixed},
		"the same with live keys":             {plain: new, suffixed: cookie(claims(issuer, now-100, now)), uat: "0", uatSuffix: "1", want: inbound.Suffixed},
		"an expired suffixed one, signed in":  {change: testKeys, plain: cookie(claims(issuer, now-200, later)), suffixed: cookie(claims(issuer, now-100, now)), uat: "1", uatSuffix: "1", want: inbound.Suffixed},
		"a plain one without an issuer":       {plain: cookie(claims("", now-30, later)), suffixed: new, uat: "1", uatSuffix: "1", want: inbound.Plain},
		"the suffixed name has no __client_…": {plain: old, suffixed: new, uat: "1", want: inbound.Plain},
	} {
		s := decider(t).Settings
		if tc.change != nil {
			tc.change(s)
		}
		f := inboundWith(t, s, tc.uat, tc.uatSuffix)
		if got := choosePair(tc.plain, tc.suffixed, f.UAT, s, noon); got != tc.want {
			t.Errorf("%s: got %d, want %d", name, got, tc.want)
		}
	}
}

// inboundWith is a request with these values of __client_uat; empty: the cookie is not sent.
func inboundWith(t *testing.T, s *Settings, uat, suffixed string) *inbound.Request {
	t.Helper()
	r := request(http.MethodGet, appOrigin+"/")
	for name, value := range map[string]string{"__client_uat": uat, "__client_uat_" + suffix: suffixed} {
		if value != "" {
			r.Header.Add("Cookie", name+"="+value)
		}
	}
	var f inbound.Request
	if reason := f.Read(r, &s.Settings); reason != "" {
		t.Fatal(reason)
	}
	return &f
}

// A page is never put together with a host out of its path, and what is too long is not sent anywhere.
func TestAddressWithout(t *testing.T) {
	for name, tc := range map[string]struct {
		page inbound.Page
		want string
	}{
		"a path that begins like a host": {inbound.Page{Path: "//evil.example/a"}, appOrigin + "//evil.example/a"},
		"a parameter of ours":            {inbound.Page{Path: "/", Query: "a=1&__clerkauth_state=x&b=2"}, appOrigin + "/?a=1&b=2"},
		"one that is escaped":            {inbound.Page{Path: "/", Query: "%5F_clerkauth_state=x&b=2"}, appOrigin + "/?b=2"},
		"what looks like another":        {inbound.Page{Path: "/", Query: "a=%26__clerkauth_state%3Dx"}, appOrigin + "/?a=%26__clerkauth_state%3Dx"},
		"a query without end":            {inbound.Page{Path: "/", Query: strings.Repeat("a=b&", maxAddress)}, ""},
	} {
		if got := addressWithout(appOrigin, &tc.page, asForm, decider(t).isHandshakeParameter); got != tc.want {
			t.Errorf("%s: got %.60q, want %q", name, got, tc.want)
		}
	}
}

// A refresh tells the Backend API about the browser, and no more than fits.
func TestForwarded(t *testing.T) {
	h := http.Header{"User-Agent": {"Browser"}, "Accept-Language": {"de", "en"}, "Cookie": {"a=1", "b=2"}, "X-Long": {strings.Repeat("x", maxForwarded)}}
	want := map[string][]string{"user-agent": {"Browser"}, "accept-language": {"de, en"}, "cookie": {"a=1; b=2"}}
	for range 20 { // in whichever order a map has its lines
		if got := forwarded(h); !reflect.DeepEqual(got, want) {
			t.Fatalf("forwarded() = %.200v, want %v", got, want)
		}
	}
	for size, want := range map[int]int{maxForwarded: 1, maxForwarded + 1: 0} {
		if got := forwarded(http.Header{"A": {strings.Repeat("x", size-1)}}); len(got) != want {
			t.Errorf("forwarded(a line of %d bytes) = %d lines, want %d", size, len(got), want)
		}
	}
}

func TestWellFormed(t *testing.T) {
	for sid, want := range map[string]bool{
		"sess_1": true, "sess_" + strings.Repeat("a", 128): true, "sess_" + strings.Repeat("a", 129): false,
		"sess_": false, "": false, "user_1": false, "1": false, "sess_1/../x": false, "sess_1?x": false, "sess_ä": false,
	} {
		if got := wellFormedSID(sid); got != want {
			t.Errorf("session %q: got %t, want %t", sid, got, want)
		}
	}
	for nonce, want := range map[string]bool{
		"12345678": true, "a_b-C012": true, strings.Repeat("a", 128): true, strings.Repeat("a", 129): false, "1234567": false, "1234567/": false, "": false,
	} {
		if got := wellFormedNonce(nonce); got != want {
			t.Errorf("nonce %q: got %t, want %t", nonce, got, want)
		}
	}
}

// What Clerk sends is passed on under Clerk's own names only, and a session never for the domain above.
func TestPassOn(t *testing.T) {
	for name, tc := range map[string]struct {
		change  func(*Settings)
		line    string
		signOut bool
		want    string
	}{
		"a session":                       {nil, "__session=t; Path=/; Domain=example.com; SameSite=Lax", false, "__session=t; Path=/; SameSite=Lax; Secure"},
		"a session in development":        {testKeys, "__session=t; Path=/", false, "__session=t; Path=/"},
		"the deletion of one":             {nil, "__session=; Path=/; Domain=example.com; Max-Age=0", false, "__session=; Path=/; Domain=example.com; Max-Age=0; Secure"},
		"a domain in other letters":       {nil, "__session=t; DOMAIN =example.com", false, "__session=t; Secure"},
		"__client_uat for the domain":     {nil, "__client_uat=5; Domain=example.com; Secure", false, "__client_uat=5; Domain=example.com; Secure"},
		"another instance's session":      {nil, "__session_other=t; Path=/", false, ""},
		"another application's cookie":    {nil, "theme=dark; Path=/", false, ""},
		"signing out, a session":          {nil, "__session=t; Path=/", true, ""},
		"signing out, a deletion":         {nil, "__session=; Path=/", true, "__session=; Path=/; Secure"},
		"signing out, __client_uat":       {nil, "__client_uat=0; Path=/", true, "__client_uat=0; Path=/; Secure"},
		"signing out, another __client_…": {nil, "__client_uat=1; Path=/", true, ""},
		"signing out, a browser's token":  {testKeys, "__clerk_db_jwt=dvb; Path=/", true, "__clerk_db_jwt=dvb; Path=/"},
		"the same with live keys":         {nil, "__clerk_db_jwt=dvb; Path=/", true, ""},
		"signing out, a session of 0":     {nil, "__session=0; Path=/", true, ""},
		"a tilde":                         {nil, "__session=t; Path=/~a", false, "__session=t; Path=/~a; Secure"},
		"a name alone":                    {nil, "__session", false, ""},
		"two lines in one":                {nil, "__session=t\r\nSet-Cookie: a=b", false, ""},
	} {
		var changes []func(*Settings)
		if tc.change != nil {
			changes = append(changes, tc.change)
		}
		got := strings.Join(decider(t, changes...).filterSetCookie([]string{tc.line}, tc.signOut), "|")
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// Without a request, as in VerifyToken, there is no host that AllowParty could compare the token with.
func TestVerify(t *testing.T) {
	var hosts []string
	d := decider(t, func(s *Settings) {
		s.Policy.Allow = func(_ context.Context, _, host string) bool { hosts = append(hosts, host); return true }
	})
	var o Outcome
	d.Verify(t.Context(), token(t, jwt.MapClaims{"azp": "https://customer.example"}), &inbound.Request{}, &o, noon)
	if o.Reason != "" || len(hosts) != 1 || hosts[0] != "" {
		t.Errorf("got %q with the hosts %q, want no reason, and one host, which is empty", o.Reason, hosts)
	}
}

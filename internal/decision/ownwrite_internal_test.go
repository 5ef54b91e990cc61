package decision

import (
	"net/http"
	"testing"

	"github.com/clerkauth/clerkauth/internal/inbound"
)

// anyParty makes settings those of an application without a list.
func anyParty(s *Settings) { s.Policy.Any = true }

// Only a write from a page of the same origin refreshes an expired session.
func TestOwnWrite(t *testing.T) {
	const same, fromApp, ofApp = "Sec-Fetch-Site: same-origin", "Origin: " + appOrigin, "Referer: " + appOrigin + "/form"
	plainOnly := func(s *Settings) { s.Policy.List = list(t, "http://app.example.com") }
	for name, tc := range map[string]struct {
		change func(*Settings)
		target string
		lines  []string
		want   bool
	}{
		"a form":                               {lines: []string{same, fromApp, ofApp}, want: true},
		"without Origin and Referer":           {lines: []string{same}, want: true},
		"with an empty Referer":                {lines: []string{same, fromApp, "Referer: "}, want: true},
		"its policy hides the origin":          {lines: []string{same, "Origin: null"}, want: true},
		"a browser without Sec-Fetch-Site":     {lines: []string{fromApp, ofApp}, want: true},
		"without anything":                     {},
		"two Origins":                          {lines: []string{same, fromApp, "Origin: https://evil.example.com"}},
		"two Origins without Sec-Fetch-Site":   {lines: []string{fromApp, fromApp}},
		"another origin":                       {lines: []string{same, "Origin: https://other.example.com"}},
		"another origin's page":                {lines: []string{same, "Referer: https://other.example.com/form"}},
		"two Referers":                         {lines: []string{same, ofApp, ofApp}},
		"a Referer without an origin":          {lines: []string{same, "Referer: form"}},
		"through a worker":                     {lines: []string{same, fromApp, "Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: same-origin"}},
		"a host that is not listed":            {target: "https://evil.example.com/", lines: []string{same}},
		"its empty Origin":                     {target: "https://evil.example.com/", lines: []string{"Origin: "}},
		"https, only http is listed":           {change: plainOnly, lines: []string{same, fromApp}},
		"http, listed":                         {change: plainOnly, lines: []string{same, "Origin: http://app.example.com"}, want: true},
		"without a list":                       {change: anyParty, lines: []string{same, fromApp}, want: true},
		"without a list, another host":         {change: anyParty, lines: []string{same, "Origin: https://evil.example.com"}},
		"without a list, its origin hidden":    {change: anyParty, lines: []string{same, "Origin: null", ofApp}, want: true},
		"without a list, no host at all":       {change: anyParty, target: "https://a..b/", lines: []string{same}},
		"without a list, its Origin":           {change: anyParty, target: "https://a..b/", lines: []string{same, "Origin: https://a..b"}},
		"without a list, hidden by the client": {change: anyParty, lines: []string{"Origin: null", ofApp}},
	} {
		if tc.target == "" {
			tc.target = appOrigin + "/"
		}
		var changes []func(*Settings)
		if tc.change != nil {
			changes = append(changes, tc.change)
		}
		d := decider(t, changes...)
		var f inbound.Request
		f.Read(request(http.MethodPost, tc.target, tc.lines...), &d.Settings.Settings)
		if got := d.ownWrite(t.Context(), &f); got != tc.want {
			t.Errorf("%s: ownWrite(%q) = %t, want %t", name, tc.lines, got, tc.want)
		}
	}
}

// Without a list, a browser that says once that its page has https shows that TLS ended in front of this server.
func TestOwnOriginWithoutAList(t *testing.T) {
	const plain, fromApp, ofApp = "http://app.example.com", "Origin: " + appOrigin, "Referer: " + appOrigin + "/form"
	for _, tc := range []struct {
		lines []string
		want  string
	}{
		{nil, plain},
		{[]string{fromApp}, appOrigin},
		{[]string{ofApp}, appOrigin},
		{[]string{"Origin: null", ofApp}, appOrigin},
		{[]string{"Origin: " + plain, ofApp}, plain},
		{[]string{"Origin: https://other.example.com"}, plain},
		{[]string{ofApp, ofApp}, plain},
		{[]string{fromApp, fromApp, ofApp}, plain},
		{[]string{fromApp, fromApp, fromApp, ofApp}, plain},
	} {
		d := decider(t, anyParty)
		var f inbound.Request
		f.Read(request(http.MethodGet, appOrigin+"/", tc.lines...), &d.Settings.Settings)
		if got := d.ownOrigin(t.Context(), &f); got != tc.want {
			t.Errorf("ownOrigin(%q) = %q, want %q", tc.lines, got, tc.want)
		}
	}
}

// At a host that is not listed a write may still claim to come from a page of it, so that its refusal names the host.
func TestClaimsOwn(t *testing.T) {
	const same, from = "Sec-Fetch-Site: same-origin", "Origin: https://evil.example.com"
	for _, tc := range []struct {
		lines []string
		want  bool
	}{
		{[]string{same}, true},
		{[]string{from}, true},
		{[]string{same, from}, true},
		{nil, false},
		{[]string{from, from}, false},
		{[]string{"Sec-Fetch-Site: cross-site"}, false},
		{[]string{"Sec-Fetch-Site: same-site", from}, false},
	} {
		var f inbound.Request
		f.Read(request(http.MethodPost, "https://evil.example.com/", tc.lines...), &inbound.Settings{Live: true})
		if got := claimsOwn(&f); got != tc.want {
			t.Errorf("claimsOwn(%q) = %t, want %t", tc.lines, got, tc.want)
		}
	}
}

// Of an address only the origin is compared, and written to a log.
func TestOriginOf(t *testing.T) {
	for address, want := range map[string]string{
		"https://a.example/b?c": "https://a.example", "https://a.example?c": "https://a.example", "https://a.example": "https://a.example",
		"https:///secret": "https://", "https://?secret": "https://", "/secret": "", "": "",
	} {
		if got := originOf(address); got != want {
			t.Errorf("originOf(%q) = %q, want %q", address, got, want)
		}
	}
}

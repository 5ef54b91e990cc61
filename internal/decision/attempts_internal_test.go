package decision

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
)

// A page that comes back from its handshakes, or is asked for again at once, is not sent away a fourth time within its half
// minute. One that is loaded again because its handshake is slow is, though not for ever, and so is another page.
func TestHandshakesEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		every    time.Duration
		returned bool
		most     int
	}{
		"at once":                   {2 * time.Second, false, maxAttempts},
		"slowly, and they return":   {5 * time.Second, true, maxAttempts},
		"slowly, and nothing shows": {3 * time.Second, false, maxUnreturned},
	} {
		d := decider(t)
		jar := map[string]string{"__client_uat": "1"}
		visit := func(path string, now time.Time) bool {
			lines := []string{"Sec-Fetch-Dest: document"}
			for name, value := range jar {
				lines = append(lines, "Cookie: "+name+"="+value)
			}
			var e Evidence
			o := d.outcome(request(http.MethodGet, appOrigin+path, lines...), &e, now)
			for _, line := range o.Header["Set-Cookie"] {
				if c, err := http.ParseSetCookie(line); err == nil && c.Name != inbound.CookieRedirects { // that one lives for two seconds
					jar[c.Name] = c.Value
				}
			}
			if delete(jar, inbound.CookieNonce); tc.returned {
				jar[inbound.CookieNonce] = "of_no_secret_key"
			}
			return o.Handshake()
		}
		now := noon
		for i := range tc.most + 1 {
			if got, want := visit("/", now), i < tc.most; got != want {
				t.Errorf("%s: visit %d: to a handshake %t, want %t", name, i+1, got, want)
			}
			now = now.Add(tc.every)
		}
		if !visit("/other", now) && !tc.returned {
			t.Errorf("%s: another page is stopped too", name)
		}
		if !visit("/", now.Add(attemptsWithin)) {
			t.Errorf("%s: the page is still stopped half a minute later", name)
		}
	}
}

func TestParseAttempts(t *testing.T) {
	at := noon.Unix()
	const a, b = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
	for value, want := range map[string][]attempt{
		"":                                                       nil,
		"~":                                                      nil,
		fmt.Sprintf("%s.1.%d", a, at):                            {{a, 1, at, false, false}},
		fmt.Sprintf("%s.2.%d.t", a, at):                          {{a, 2, at, true, false}},
		fmt.Sprintf("%s.2.%d.c", a, at):                          {{a, 2, at, false, true}},
		fmt.Sprintf("%s.2.%d.tc", a, at):                         {{a, 2, at, true, true}},
		fmt.Sprintf("%s.2.%d.x", a, at):                          nil,
		fmt.Sprintf("%s.1.%d.t.t", a, at):                        nil,
		fmt.Sprintf("%s.-1.%d", a, at):                           nil,
		fmt.Sprintf("%s.999.%d", a, at):                          nil,
		fmt.Sprintf("%s.1.%d", a[1:], at):                        nil,
		fmt.Sprintf("%s.1.%d", a, at-601):                        nil,
		fmt.Sprintf("%s.1.%d", a, at-600):                        {{a, 1, at - 600, false, false}},
		fmt.Sprintf("%s.1.%d", a, at+31):                         nil,
		fmt.Sprintf("%s.1.%d", a, -at):                           nil,
		fmt.Sprintf("%s.1.9999999999999", a):                     nil,
		fmt.Sprintf("%s.1.%d~%s.2.%d", a, at, b, at-5):           {{b, 2, at - 5, false, false}, {a, 1, at, false, false}},
		fmt.Sprintf("%s.3.%d.t~%s.1.%d", a, at-5, a, at):         {{a, 3, at, true, false}},
		fmt.Sprintf("%s.3.%d.c~%s.1.%d.t", a, at-5, a, at):       {{a, 3, at, true, true}},
		fmt.Sprintf("%s.3.%d.t~%s.1.%d.c", a, at-5, a, at):       {{a, 3, at, true, true}},
		fmt.Sprintf("%s.1.%d", a, at+30):                         {{a, 1, at + 30, false, false}},
		"aaaaaaaaaaaa":                                           nil,
		"aaaaaaaaaaaa.1":                                         nil,
		fmt.Sprintf("garbage~%s.1.%d~%s", a, at, "more.garbage"): {{a, 1, at, false, false}},
	} {
		if got := parseAttempts(value, noon); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: got %v, want %v", value, got, want)
		} else if len(got) == 1 && got[0].n == 1 && len(value) < 30 && got[0].String() != value {
			t.Errorf("String(%v) = %q, want %q", got[0], got[0].String(), value)
		}
	}
}

// A page without an entry that comes back from a handshake counts on from the page that went furthest, under its own address:
// the other page may be open in another tab, and keeps its own count.
func TestChangedAddressesLeaveOtherPagesTheirCount(t *testing.T) {
	other := attempt{address: "aaaaaaaaaaaa", n: 2, at: noon.Unix() - 1, byToken: true}
	for name, tc := range map[string]struct {
		uat    string
		counts []int // of the pages in the cookie afterwards; nil: it stays as it is
	}{
		"needs a handshake": {"1", []int{2, 3}},
		"needs none":        {"0", nil},
	} {
		var e Evidence
		o := decider(t).outcome(request(http.MethodGet, appOrigin+"/changed", "Sec-Fetch-Dest: document",
			"Cookie: "+inbound.CookieNonce+"=of_no_secret_key; __client_uat="+tc.uat+"; "+inbound.PrefixHost+inbound.CookieAttempts+"="+other.String()), &e, noon)
		var counts []int
		for _, line := range o.Header["Set-Cookie"] {
			c, err := http.ParseSetCookie(line)
			if err != nil || c.Name != inbound.PrefixHost+inbound.CookieAttempts {
				continue
			}
			entries := parseAttempts(c.Value, noon)
			if len(entries) == 0 || entries[0] != other {
				t.Errorf("%s: got the entries %v, want that of the other page first, as it was", name, entries)
			}
			for _, entry := range entries {
				counts = append(counts, entry.n)
			}
		}
		if !slices.Equal(counts, tc.counts) {
			t.Errorf("%s: got the counts %v, want %v", name, counts, tc.counts)
		}
	}
}

package decision

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

const partyOrigin = "https://example.com"

// partySettings are those of an application at partyOrigin with a key.
func partySettings(t *testing.T, changes ...func(*Settings)) *Settings {
	t.Helper()
	key, err := NewPartyKey([]byte(strings.Repeat("k", MinStateKey)))
	if err != nil {
		t.Fatal(err)
	}
	s := &Settings{
		Settings: inbound.Settings{Live: true},
		Policy:   Policy{List: list(t, partyOrigin, "https://other.example.com"), Issuers: []string{"https://clerk.example.com"}, Party: key},
	}
	for _, change := range changes {
		change(s)
	}
	return s
}

func partyClaims(s *Settings, sid string) *sessiontoken.Claims {
	return &sessiontoken.Claims{Iss: s.Policy.Issuers[0], SID: sid, Sub: "user_1", AZP: sessiontoken.Text{State: sessiontoken.Present, Value: partyOrigin}}
}

// sent is a page request that brings these party cookies.
func (s *Settings) sent(scheme, host string, party ...inbound.PartyCookie) *inbound.Request {
	r := httptest.NewRequest(http.MethodGet, scheme+"://placeholder/", http.NoBody)
	r.Host = host
	r.Header.Set("Sec-Fetch-Dest", "document")
	prefix := inbound.PrefixHost
	if s.Bare(&inbound.Request{RawHost: host, Scheme: scheme}) {
		prefix = ""
	}
	for _, c := range party {
		r.Header.Add("Cookie", prefix+inbound.CookieParty+c.Tag+"="+c.Value)
	}
	var f inbound.Request
	f.Read(r, &s.Settings)
	return &f
}

// parsed is a Set-Cookie value taken apart; nil: there is none.
func parsed(t *testing.T, line string) *http.Cookie {
	t.Helper()
	if line == "" {
		return nil
	}
	c, err := http.ParseSetCookie(line)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParsePartyValue(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	mac := strings.Repeat("A", 43)
	for value, want := range map[string]bool{
		"v2.1700000001." + mac:              true,
		"v2.1700000000." + mac:              false, // has just expired
		"v2.1600000000." + mac:              false,
		"v1.1700000001." + mac:              false,
		"1700000001." + mac:                 false,
		"v2.1700000001":                     false,
		"v2.1700000001.":                    false,
		"v2.." + mac:                        false,
		"v2.x." + mac:                       false,
		"v2.99999999999999999999." + mac:    false,
		"v2.1700000001." + mac[1:]:          false,
		"v2.1700000001." + mac + "A":        false,
		"v2.1700000001." + mac + "=":        false,
		"v2.1700000001." + mac[1:] + "B":    false, // bits that no byte has
		"v2.1700000001." + mac + "." + mac:  false,
		"v2.1700000001." + mac[1:] + "\x80": false,
		"":                                  false,
	} {
		if _, got := parsePartyValue(value, now); got != want {
			t.Errorf("%q: got %t, want %t", value, got, want)
		}
	}
}

func TestPartyValues(t *testing.T) {
	s, now := partySettings(t), time.Unix(1_700_000_000, 0)
	k, week := s.Policy.Party, now.Add(partyLifetime)
	tag := k.tag(s.Policy.Issuers[0], partyOrigin)
	one, two := k.mint(partyClaims(s, "sess_1"), partyOrigin, week), k.mint(partyClaims(s, "sess_2"), partyOrigin, week)
	cookie := func(tag, value string) inbound.PartyCookie { return inbound.PartyCookie{Tag: tag, Value: value} }
	past := k.mint(partyClaims(s, "sess_1"), partyOrigin, now)
	for name, tc := range map[string]struct {
		host string
		sent []inbound.PartyCookie
		want []string
	}{
		"none":                    {"example.com", nil, nil},
		"one":                     {"example.com", []inbound.PartyCookie{cookie(tag, one)}, []string{one}},
		"of two sessions":         {"example.com", []inbound.PartyCookie{cookie(tag, one), cookie(tag, two)}, []string{one, two}},
		"one that has expired":    {"example.com", []inbound.PartyCookie{cookie(tag, past), cookie(tag, two)}, []string{two}},
		"of another name":         {"example.com", []inbound.PartyCookie{cookie("AAAAAAAA", one)}, []string{}},
		"at another origin":       {"other.example.com", []inbound.PartyCookie{cookie(tag, one)}, []string{}},
		"at an unlisted host":     {"evil.example.com", []inbound.PartyCookie{cookie(tag, one)}, []string{}},
		"at no host":              {"", []inbound.PartyCookie{cookie(tag, one)}, []string{}},
		"what cannot be a cookie": {"example.com", []inbound.PartyCookie{cookie(tag, "v2.x")}, []string{}},
	} {
		f := s.sent("https", tc.host, tc.sent...)
		if got := s.Policy.partyValues(t.Context(), f, now); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
		holds := slices.Contains(tc.want, one)
		if got := s.Policy.partyHolds(t.Context(), partyClaims(s, "sess_1"), f, now); got != holds {
			t.Errorf("%s: holds for the first session %t, want %t", name, got, holds)
		}
	}
}

func TestReplaceParty(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for name, tc := range map[string]struct {
		host   string
		azp    sessiontoken.State
		change func(*Settings)
		want   bool
	}{
		"a good session":        {"example.com", sessiontoken.Present, nil, true},
		"without azp":           {"example.com", sessiontoken.Absent, nil, false},
		"at an unlisted host":   {"evil.example.com", sessiontoken.Present, nil, false},
		"without a key":         {"example.com", sessiontoken.Present, func(s *Settings) { s.Policy.Party = nil }, false},
		"where none is read":    {"example.com", sessiontoken.Present, func(s *Settings) { s.Policy.CookieWithout = true }, false},
		"at the listed sibling": {"other.example.com", sessiontoken.Present, nil, true},
	} {
		s := partySettings(t, func(s *Settings) {
			if tc.change != nil {
				tc.change(s)
			}
		})
		c := partyClaims(s, "sess_1")
		c.AZP.State = tc.azp
		got := parsed(t, s.replaceParty(t.Context(), c, s.sent("https", tc.host), now))
		if (got != nil) != tc.want {
			t.Errorf("%s: got %v, want a cookie: %t", name, got, tc.want)
		}
		if got == nil {
			continue
		}
		// It holds at once, for this session at this origin and for nothing else.
		brought := inbound.PartyCookie{Tag: strings.TrimPrefix(got.Name, inbound.PrefixHost+inbound.CookieParty), Value: got.Value}
		f := s.sent("https", tc.host, brought)
		if again := parsed(t, s.partyCookie(t.Context(), c, f, now)); again != nil {
			t.Errorf("%s: the cookie is set again: %v", name, again)
		}
		elsewhere := s.sent("https", map[bool]string{true: "other.example.com", false: "example.com"}[tc.host == "example.com"], brought)
		for _, at := range []struct {
			f    *inbound.Request
			c    *sessiontoken.Claims
			want bool
		}{{f, c, true}, {elsewhere, c, false}, {f, partyClaims(s, "sess_2"), false}} {
			if got := s.Policy.partyHolds(t.Context(), at.c, at.f, now); got != at.want {
				t.Errorf("%s: at %s for %s: got %t, want %t", name, at.f.RawHost, at.c.SID, got, at.want)
			}
		}
		if s.Policy.partyHolds(t.Context(), c, f, now.Add(partyLifetime)) {
			t.Errorf("%s: holds after its life", name)
		}
	}
}

// Of several that hold, the one that lasts longest counts, so that an old one beside it is no reason to set another.
func TestPartyCookieThatLastsLongest(t *testing.T) {
	s, now := partySettings(t), time.Unix(1_700_000_000, 0)
	k, tag := s.Policy.Party, s.Policy.Party.tag(s.Policy.Issuers[0], partyOrigin)
	for _, lives := range [][]time.Duration{{time.Hour, partyLifetime}, {partyLifetime, time.Hour}} {
		c := partyClaims(s, "sess_1")
		var brought []inbound.PartyCookie
		for _, life := range lives {
			brought = append(brought, inbound.PartyCookie{Tag: tag, Value: k.mint(c, partyOrigin, now.Add(life))})
		}
		if got := parsed(t, s.partyCookie(t.Context(), c, s.sent("https", "example.com", brought...), now)); got != nil {
			t.Errorf("%s: got %v, want none", lives, got)
		}
	}
}

// What is remembered of a session's party cookie holds for that cookie alone, at that origin, and no longer than it says.
func TestPartyProof(t *testing.T) {
	s, now := partySettings(t, func(s *Settings) {
		s.Live, s.Policy.List = false, list(t, "http://localhost:3000", "https://localhost:3000")
	}), time.Unix(1_700_000_000, 0)
	c := partyClaims(s, "sess_1")
	at := func(scheme, tag, value string) *inbound.Request {
		return s.sent(scheme, "localhost:3000", inbound.PartyCookie{Tag: tag, Value: value})
	}
	set := parsed(t, s.replaceParty(t.Context(), c, at("https", "", ""), now))
	tag, value := strings.TrimPrefix(set.Name, inbound.PrefixHost+inbound.CookieParty), set.Value
	other := s.Policy.Party.mint(partyClaims(s, "sess_2"), "https://localhost:3000", now.Add(partyLifetime))
	for name, tc := range map[string]struct {
		f    *inbound.Request
		want bool
	}{
		"the cookie":         {at("https", tag, value), true},
		"another session's":  {at("https", tag, other), false},
		"under another name": {at("https", "AAAAAAAA", value), false},
		"at another origin":  {at("http", tag, value), false},
		"no cookie":          {at("https", "", ""), false},
	} {
		if got := s.Policy.partyHolds(t.Context(), c, tc.f, now); got != tc.want {
			t.Errorf("%s: holds %t, want %t", name, got, tc.want)
		}
	}
	for life, want := range map[time.Duration]bool{partyLifetime/2 - time.Second: false, partyLifetime / 2: true} {
		c := partyClaims(s, "sess_1")
		set := parsed(t, s.replaceParty(t.Context(), c, at("https", "", ""), now))
		if got := parsed(t, s.partyCookie(t.Context(), c, at("https", tag, set.Value), now.Add(life))); (got != nil) != want {
			t.Errorf("after %s: got %v, want it renewed: %t", life, got, want)
		}
	}
	if got := parsed(t, s.partyCookie(t.Context(), c, at("http", "", ""), now)); got == nil || strings.HasSuffix(got.Name, tag) {
		t.Errorf("at another origin: got %v, want another cookie", got)
	}
}

// Until a browser sends its party cookie, all its requests get the same one, whichever replica set
// it first.
func TestPartyCookieOfSeveralRequests(t *testing.T) {
	s, now := partySettings(t), time.Unix(1_700_000_000, 0)
	k, tag := s.Policy.Party, s.Policy.Party.tag(s.Policy.Issuers[0], partyOrigin)
	for name, tc := range map[string]struct{ sent []inbound.PartyCookie }{
		"set here":         {},
		"set by a replica": {[]inbound.PartyCookie{{Tag: tag, Value: k.mint(partyClaims(s, "sess_1"), partyOrigin, now.Add(partyLifetime-time.Hour))}}},
	} {
		c := partyClaims(s, "sess_1")
		set := parsed(t, s.partyCookie(t.Context(), c, s.sent("https", "example.com", tc.sent...), now))
		if (set != nil) == (len(tc.sent) > 0) {
			t.Fatalf("%s: partyCookie() = %v, want one only if none was sent", name, set)
		}
		want := ""
		if set != nil {
			want = set.Value
		} else {
			want = tc.sent[0].Value
		}
		for what, sent := range map[string][]inbound.PartyCookie{"none": nil, "another service's": {{Tag: "AAAAAAAA", Value: want}}} {
			again := parsed(t, s.partyCookie(t.Context(), c, s.sent("https", "example.com", sent...), now.Add(time.Minute)))
			if again == nil || again.Value != want {
				t.Errorf("%s: partyCookie(%s was sent) = %v, want the value %s", name, what, again, want)
			}
		}
	}
}

// A page replaces another session's party cookie, and a fetch does not.
func TestPartyCookieOfAnotherSession(t *testing.T) {
	s, now := partySettings(t), time.Unix(1_700_000_000, 0)
	other := parsed(t, s.replaceParty(t.Context(), partyClaims(s, "sess_2"), s.sent("https", "example.com"), now))
	for _, document := range []bool{true, false} {
		f := s.sent("https", "example.com", inbound.PartyCookie{Tag: other.Name[len(other.Name)-inbound.PartyTagSize:], Value: other.Value})
		f.Document = document
		if got := parsed(t, s.partyCookie(t.Context(), partyClaims(s, "sess_1"), f, now)); (got != nil) != document {
			t.Errorf("partyCookie(a document: %t) = %v, want a cookie: %t", document, got, document)
		}
	}
}

package clerkauth

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const partyOrigin = "https://example.com"

// partySettings are those of an application at partyOrigin with a key.
func partySettings(t *testing.T, changes ...func(*Config)) *settings {
	t.Helper()
	cfg := Config{
		PublishableKey: "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k", AuthorizedParties: []string{partyOrigin, "https://other.example.com"},
		StateKey: []byte(strings.Repeat("k", minStateKey)),
	}
	for _, change := range changes {
		change(&cfg)
	}
	s, err := validate(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func partyClaims(s *settings, sid string) *claims {
	return &claims{iss: s.policy.issuers[0], sid: sid, sub: "user_1", azp: text{present, partyOrigin}}
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
			t.Errorf("%q: %t, want %t", value, got, want)
		}
	}
}

func TestPartyValues(t *testing.T) {
	s, now := partySettings(t), time.Unix(1_700_000_000, 0)
	k, week := s.policy.party, now.Add(partyLifetime)
	tag := k.tag(s.policy.issuers[0], partyOrigin)
	one, two := k.mint(partyClaims(s, "sess_1"), partyOrigin, week), k.mint(partyClaims(s, "sess_2"), partyOrigin, week)
	past := k.mint(partyClaims(s, "sess_1"), partyOrigin, now)
	for name, tc := range map[string]struct {
		host string
		sent []sentParty
		want []string
	}{
		"none":                    {"example.com", nil, nil},
		"one":                     {"example.com", []sentParty{{tag, one}}, []string{one}},
		"of two sessions":         {"example.com", []sentParty{{tag, one}, {tag, two}}, []string{one, two}},
		"one that has expired":    {"example.com", []sentParty{{tag, past}, {tag, two}}, []string{two}},
		"of another name":         {"example.com", []sentParty{{"AAAAAAAA", one}}, []string{}},
		"at another origin":       {"other.example.com", []sentParty{{tag, one}}, []string{}},
		"at an unlisted host":     {"evil.example.com", []sentParty{{tag, one}}, []string{}},
		"at no host":              {"", []sentParty{{tag, one}}, []string{}},
		"what cannot be a cookie": {"example.com", []sentParty{{tag, "v2.x"}}, []string{}},
	} {
		f := facts{rawHost: tc.host, partyCount: len(tc.sent)}
		copy(f.party[:], tc.sent)
		if got := s.policy.partyValues(t.Context(), &f, now); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
		holds := slices.Contains(tc.want, one)
		if got := s.policy.partyHolds(t.Context(), partyClaims(s, "sess_1"), &f, now); got != holds {
			t.Errorf("%s: holds for the first session %t, want %t", name, got, holds)
		}
	}
}

// What is read of many cookies is bounded, and nothing that cannot be a party cookie takes the place of one that may.
func TestReadParty(t *testing.T) {
	var f facts
	for _, tag := range []string{"", "short", "ninechars"} {
		f.readParty(tag, "v2.1.x")
	}
	for _, value := range []string{"", "x", "v1.1.x", "v2", "v2." + strings.Repeat("x", maxPartyValue)} {
		f.readParty("AAAAAAAA", value)
	}
	if f.partyCount != 0 {
		t.Errorf("%d of what cannot be party cookies were kept", f.partyCount)
	}
	for range 3 * maxPartyCookies {
		f.readParty("AAAAAAAA", "v2.1.x")
	}
	if f.partyCount != maxPartyCookies {
		t.Errorf("%d kept, want %d", f.partyCount, maxPartyCookies)
	}
}

func TestReplaceParty(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for name, tc := range map[string]struct {
		host   string
		azp    state
		change func(*Config)
		want   bool
	}{
		"a good session":        {"example.com", present, nil, true},
		"without azp":           {"example.com", absent, nil, false},
		"at an unlisted host":   {"evil.example.com", present, nil, false},
		"without a key":         {"example.com", present, func(c *Config) { c.StateKey = nil }, false},
		"where none is read":    {"example.com", present, func(c *Config) { c.InsecureAllowCookieWithoutParty = true }, false},
		"at the listed sibling": {"other.example.com", present, nil, true},
	} {
		s := partySettings(t, func(c *Config) {
			if tc.change != nil {
				tc.change(c)
			}
		})
		c := partyClaims(s, "sess_1")
		c.azp.state = tc.azp
		f := facts{rawHost: tc.host}
		got := s.replaceParty(t.Context(), c, &f, now)
		if (got != nil) != tc.want {
			t.Errorf("%s: %v, want a cookie: %t", name, got, tc.want)
		}
		if got == nil {
			continue
		}
		// It holds at once, for this session at this origin and for nothing else.
		f.readParty(strings.TrimPrefix(got.Name, prefixHost+cookieParty), got.Value)
		if again := s.partyCookie(t.Context(), c, &facts{rawHost: f.rawHost, ownSite: true, party: f.party, partyCount: 1}, now); again != nil {
			t.Errorf("%s: set again: %v", name, again)
		}
		elsewhere := f
		elsewhere.rawHost = map[bool]string{true: "other.example.com", false: "example.com"}[f.rawHost == "example.com"]
		for _, at := range []struct {
			f    *facts
			c    *claims
			want bool
		}{{&f, c, true}, {&elsewhere, c, false}, {&f, partyClaims(s, "sess_2"), false}} {
			if got := s.policy.partyHolds(t.Context(), at.c, at.f, now); got != at.want {
				t.Errorf("%s: at %s for %s: %t, want %t", name, at.f.rawHost, at.c.sid, got, at.want)
			}
		}
		if s.policy.partyHolds(t.Context(), c, &f, now.Add(partyLifetime)) {
			t.Errorf("%s: holds after its life", name)
		}
	}
}

// Of several that hold, the one that lasts longest counts, so that an old one beside it is no reason to set another.
func TestPartyCookieThatLastsLongest(t *testing.T) {
	s, now := partySettings(t), time.Unix(1_700_000_000, 0)
	k, tag := s.policy.party, s.policy.party.tag(s.policy.issuers[0], partyOrigin)
	for _, lives := range [][]time.Duration{{time.Hour, partyLifetime}, {partyLifetime, time.Hour}} {
		c := partyClaims(s, "sess_1")
		f := facts{rawHost: "example.com", ownSite: true}
		for _, life := range lives {
			f.readParty(tag, k.mint(c, partyOrigin, now.Add(life)))
		}
		if got := s.partyCookie(t.Context(), c, &f, now); got != nil {
			t.Errorf("%s: %v, want none", lives, got)
		}
	}
}

// What is remembered of a session's party cookie holds for that cookie alone, at that origin, and no longer than it says.
func TestPartyProof(t *testing.T) {
	s, now := partySettings(t, func(c *Config) {
		c.PublishableKey = "pk_test_Y2xlcmsuZXhhbXBsZS5jb20k"
		c.AuthorizedParties = []string{"http://localhost:3000", "https://localhost:3000"}
	}), time.Unix(1_700_000_000, 0)
	c := partyClaims(s, "sess_1")
	at := func(scheme, tag, value string) *facts {
		f := &facts{rawHost: "localhost:3000", scheme: scheme, ownSite: true, document: true}
		f.readParty(tag, value)
		return f
	}
	set := s.replaceParty(t.Context(), c, at("https", "", ""), now)
	tag, value := strings.TrimPrefix(set.Name, prefixHost+cookieParty), set.Value
	other := s.policy.party.mint(partyClaims(s, "sess_2"), "https://localhost:3000", now.Add(partyLifetime))
	for name, tc := range map[string]struct {
		f    *facts
		want bool
	}{
		"the cookie":         {at("https", tag, value), true},
		"another session's":  {at("https", tag, other), false},
		"under another name": {at("https", "AAAAAAAA", value), false},
		"at another origin":  {at("http", tag, value), false},
		"no cookie":          {at("https", "", ""), false},
	} {
		if got := s.policy.partyHolds(t.Context(), c, tc.f, now); got != tc.want {
			t.Errorf("%s: holds %t, want %t", name, got, tc.want)
		}
	}
	for life, want := range map[time.Duration]bool{partyLifetime/2 - time.Second: false, partyLifetime / 2: true} {
		c := partyClaims(s, "sess_1")
		set := s.replaceParty(t.Context(), c, at("https", "", ""), now)
		if got := s.partyCookie(t.Context(), c, at("https", tag, set.Value), now.Add(life)); (got != nil) != want {
			t.Errorf("after %s: %v, want it renewed: %t", life, got, want)
		}
	}
	if got := s.partyCookie(t.Context(), c, at("http", "", ""), now); got == nil || strings.HasSuffix(got.Name, tag) {
		t.Errorf("at another origin: %v, want another cookie", got)
	}
}

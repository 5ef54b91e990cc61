package inbound

import (
	"strings"
	"testing"
)

// What is read of many cookies is bounded, and nothing that cannot be a party cookie takes the place of one that may.
func TestReadParty(t *testing.T) {
	var f Request
	for _, tag := range []string{"", "short", "ninechars"} {
		f.readParty(tag, "v2.1.x")
	}
	for _, value := range []string{"", "x", "v1.1.x", "v2", "v2." + strings.Repeat("x", maxPartyValue-2)} {
		f.readParty("AAAAAAAA", value)
	}
	if f.party.n != 0 {
		t.Errorf("%d of what cannot be party cookies were kept", f.party.n)
	}
	for range 3 * maxPartyCookies {
		f.readParty("AAAAAAAA", "v2."+strings.Repeat("x", maxPartyValue-3))
	}
	if f.party.n != maxPartyCookies {
		t.Errorf("%d kept, want %d", f.party.n, maxPartyCookies)
	}
}

package decision

import (
	"slices"
	"testing"

	"github.com/clerkauth/clerkauth/internal/inbound"
)

func TestDeleteDomainSessions(t *testing.T) {
	suffixedToo := inbound.NewNames("abc")
	all := []string{
		"__session=; Path=/; Domain=example.com; Max-Age=0; Secure", "__session_abc=; Path=/; Domain=example.com; Max-Age=0; Secure",
		"__refresh_abc=; Path=/; Domain=example.com; Max-Age=0; Secure",
	}
	for name, tc := range map[string]struct {
		root, host string
		names      inbound.Names
		want       []string
	}{
		"below the root domain":  {"example.com", "app.example.com", suffixedToo, all},
		"at the root domain":     {"example.com", "EXAMPLE.com:8443", suffixedToo, all},
		"without a suffix":       {"example.com", "app.example.com", inbound.NewNames(""), all[:1]},
		"a name that ends alike": {"example.com", "badexample.com", suffixedToo, nil},
		"another domain":         {"example.com", "satellite.example", suffixedToo, nil},
		"no root domain known":   {"", "app.example.com", suffixedToo, nil},
		"a host that cannot be":  {"example.com", "app example.com", suffixedToo, nil},
	} {
		s := &Settings{Settings: inbound.Settings{Names: tc.names}, RootDomain: tc.root}
		if got := s.deleteDomainSessions(&inbound.Request{RawHost: tc.host}); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

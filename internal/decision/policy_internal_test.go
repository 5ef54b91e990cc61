package decision

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/origin"
)

// list is an allowlist of these origins.
func list(t *testing.T, origins ...string) origin.List {
	t.Helper()
	var l origin.List
	for _, text := range origins {
		o, err := origin.ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		l.Add(o)
	}
	return l
}

// AllowParty is somebody's own code, such as a look-up in a database of customers' domains: it must never see a
// spelling that it would have to think about.
func TestAllowsAsksInNormalFormOnly(t *testing.T) {
	calls := map[string]string{}
	p := &Policy{
		List:  list(t, "https://listed.example"),
		Allow: func(_ context.Context, origin, host string) bool { calls[origin] = host; return true },
	}
	for _, party := range []string{
		"https://listed.example", "https://customer.example", "http://customer.example:8080", "https://[::1]", "app://x",
		"", "null", "https://CUSTOMER.example", "https://customer.example/", "https://customer.example:443", "https://a@customer.example",
		"https://customer.example?", "https://customer.example#", "https://*.example", "https://bücher.example", "https://customer.example ",
		"customer.example", "//customer.example", "https://customer.example\n", "wss://customer.example", "https://[0:0::1]", "https://127.1",
	} {
		p.allows(t.Context(), party, &inbound.Request{RawHost: "host.example"})
	}
	got := slices.Sorted(maps.Keys(calls))
	want := []string{"app://x", "http://customer.example:8080", "https://[::1]", "https://customer.example"}
	if !slices.Equal(got, want) {
		t.Errorf("AllowParty was asked about %q, want %q", got, want)
	}
	for origin, host := range calls {
		if host != "host.example" {
			t.Errorf("AllowParty(%q) was told the host %q, want the request's", origin, host)
		}
	}
	refusing := &Policy{Allow: func(context.Context, string, string) bool { return false }}
	if refusing.allows(t.Context(), "https://customer.example", &inbound.Request{}) {
		t.Error("what AllowParty refuses is allowed")
	}
}

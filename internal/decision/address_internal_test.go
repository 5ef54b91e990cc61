package decision

import (
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/inbound"
)

// An address that is too long is not sent cut off, without what did not fit.
func TestAddressIsWholeOrNone(t *testing.T) {
	long := strings.Repeat("a", maxAddress)
	for name, tc := range map[string]struct {
		build func(*address)
		want  int // bytes
	}{
		"as long as one may be":           {func(a *address) { a.write(long[1:], "b") }, maxAddress},
		"one byte more":                   {func(a *address) { a.write(long, "b") }, 0},
		"a part that fits after another":  {func(a *address) { a.write("b", long); a.write("c") }, 0},
		"a parameter that fits":           {func(a *address) { a.write("b"); a.add("n", long); a.add("m", "v") }, 0},
		"as long with a parameter":        {func(a *address) { a.write(long[4:]); a.add("n", "v") }, maxAddress},
		"one byte more with a parameter":  {func(a *address) { a.write(long[3:]); a.add("n", "v") }, 0},
		"a parameter that escaping makes": {func(a *address) { a.add("n", long[:maxAddress/2]+"%%") }, 3 + maxAddress/2 + 6},
		"a query that is read": {func(a *address) {
			a.addWithout(strings.Repeat("&", inbound.MaxQuery-1)+"n", unchanged, leftByHandshake)
		}, 2},
		"a query that is not read": {func(a *address) { a.addWithout(strings.Repeat("&", inbound.MaxQuery)+"n", unchanged, leftByHandshake) }, 0},
		"longer than it":           {func(a *address) { a.add("n", strings.Repeat("%", maxAddress/2)) }, 0},
	} {
		var a address
		tc.build(&a)
		if got := len(a.String()); got != tc.want {
			t.Errorf("%s: an address of %d bytes, want %d", name, got, tc.want)
		}
	}
}

// A page's address, once a handshake's answer is removed, still has the page's own parameters.
func TestWithoutAnswer(t *testing.T) {
	page := inbound.Page{Path: "/a", Query: "b=c*~&__clerk_db_jwt=x&__dev_session=own&__clerk_handshake=y&__clerkauth_sent=1&%5F_clerk_help=z&d"}
	if got, want := withoutAnswer(appOrigin, page), appOrigin+"/a?b=c*%7E&__dev_session=own&d="; got != want {
		t.Errorf("withoutAnswer(%q) = %q, want %q", page.Query, got, want)
	}
}

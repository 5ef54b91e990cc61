package docs_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

var span = regexp.MustCompile("`([^`]+)`")

// rows are the rows of the table that begins with a head, cell by cell.
func rows(t *testing.T, page, head string) [][]string {
	t.Helper()
	_, table, ok := strings.Cut(page, head+"\n")
	if !ok {
		t.Fatalf("there is no table %q", head)
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var found [][]string
	for i, line := range strings.Split(strings.TrimSpace(table), "\n") {
		if i > 0 { // the line of hyphens
			found = append(found, strings.Split(strings.Trim(line, "| "), " | "))
		}
	}
	if len(found) < 2 {
		t.Fatalf("%q has %d rows, want at least 2", head, len(found))
	}
	return found
}

// The patterns in docs/allowlist.md accept the origins listed there, and none of those that it excludes.
func TestPatternsOfTheAllowlist(t *testing.T) {
	page := read(t, "docs/allowlist.md")
	clerk := clerktest.New(t, clerktest.Options{})
	for _, row := range rows(t, page, "| entry | accepts | does not accept |") {
		cfg := clerk.Config()
		cfg.AuthorizedParties = []string{span.FindStringSubmatch(row[0])[1]}
		auth, err := clerkauth.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		for i, accepted := range []bool{true, false} {
			for _, m := range span.FindAllStringSubmatch(row[1+i], -1) {
				_, err := auth.VerifyToken(context.Background(), clerk.Token(clerktest.Claims{AuthorizedParty: m[1]}))
				if (err == nil) != accepted {
					t.Errorf("%s: a token of %s: got %v, want it accepted: %t", row[0], m[1], err, accepted)
				}
			}
		}
	}
}

// New takes and refuses the entries that docs/allowlist.md says it does.
func TestEntriesOfTheAllowlist(t *testing.T) {
	page := read(t, "docs/allowlist.md")
	live := clerktest.New(t, clerktest.Options{}).Config()
	test := clerktest.New(t, clerktest.Options{Development: true}).Config()
	for _, row := range rows(t, page, "| entry, for an instance of `example.com` | with live keys | with test keys |") {
		for i, cfg := range []clerkauth.Config{live, test} {
			entry, wanted := span.FindStringSubmatch(row[0])[1], row[1+i]
			if other := span.FindStringSubmatch(wanted); other != nil {
				if accepts(cfg, entry) {
					t.Errorf("%s: is taken, and the page says %q", entry, wanted)
				}
				entry = other[1]
			}
			if got := accepts(cfg, entry); got != strings.HasPrefix(wanted, "yes") {
				t.Errorf("%s: New takes it: %t, and the page says %q", entry, got, wanted)
			}
		}
	}
}

func accepts(cfg clerkauth.Config, entry string) bool {
	cfg.AuthorizedParties = []string{entry}
	_, err := clerkauth.New(cfg)
	return err == nil
}

// The function that docs/allowlist.md warns about lets a stolen token in.
func TestTheTrapOfAllowParty(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	cfg := clerk.Config()
	// WRONG: accepts every token, if it is only sent with its own origin as Host.
	cfg.AllowParty = func(_ context.Context, origin, host string) bool { return origin == "https://"+host }
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "https://old-blog.example.com/", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+clerk.Token(clerktest.Claims{AuthorizedParty: "https://old-blog.example.com"}))
	if state := auth.AuthenticateRequest(r); state.Status != clerkauth.StatusSignedIn {
		t.Errorf("got %v, want signed in: the warning warns of nothing", state.Err)
	}
}

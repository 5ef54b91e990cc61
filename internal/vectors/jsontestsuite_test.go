package vectors_test

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"path"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
	"github.com/clerkauth/clerkauth/internal/vectors"
)

// jsonTexts are the texts of JSONTestSuite, by the expectation of the suite: y must be accepted, n refused, i may be
// either; t is accepted by all parsers, which then read different values.
func jsonTexts(t *testing.T) map[string]map[string]string {
	t.Helper()
	texts := map[string]map[string]string{"y": {}, "n": {}, "i": {}, "t": {}}
	for name, text := range vectors.Files(t, "jsontestsuite") {
		kind, base := "t", path.Base(name)
		if path.Dir(name) == "test_parsing" {
			kind = base[:1]
		}
		texts[kind][base] = string(text)
	}
	for kind, want := range map[string]int{"y": 95, "n": 188, "i": 35, "t": 22} {
		if got := len(texts[kind]); got != want {
			t.Errorf("%d texts of kind %s, want %d", got, kind, want)
		}
	}
	return texts
}

func TestJSONTestSuiteAsPayload(t *testing.T) {
	harness.Long(t)
	clerk, auth := harness.Offline(t, clerktest.Options{})
	for _, texts := range jsonTexts(t) {
		for name, text := range texts {
			if harness.Judge(t, auth, clerk.Token(clerktest.Claims{RawPayload: []byte(text)})) == "" {
				t.Errorf("%s: got a session of %q, want an error", name, text)
			}
		}
	}
}

func TestJSONTestSuiteAsClaim(t *testing.T) {
	harness.Long(t)
	clerk, auth := harness.Offline(t, clerktest.Options{})
	now := time.Now().Unix()
	for kind, texts := range jsonTexts(t) {
		for name, text := range texts {
			payload := fmt.Sprintf(`{"iss":%q,"sub":"user_1","sid":"sess_1","azp":"https://example.com","exp":%d,"iat":%d,"x":%s}`,
				clerk.Issuer(), now+60, now, text)
			got := harness.Judge(t, auth, clerk.Token(clerktest.Claims{RawPayload: []byte(payload)}))
			switch {
			case kind == "i":
				t.Logf("%s: %q", name, got)
			case kind == "n" && got != clerkauth.ReasonTokenInvalid:
				t.Errorf("%s: got %q, want %s", name, got, clerkauth.ReasonTokenInvalid)
			case kind != "n" && got != "":
				t.Errorf("%s: got %s, want it accepted", name, got)
			}
		}
	}
}

func TestJSONTestSuiteAsHeader(t *testing.T) {
	harness.Long(t)
	clerk, auth := harness.Offline(t, clerktest.Options{})
	for _, texts := range jsonTexts(t) {
		for name, text := range texts {
			if harness.Judge(t, auth, clerk.Token(clerktest.Claims{RawHeader: []byte(text)})) == "" {
				t.Errorf("%s: got a session under the header %q, want an error", name, text)
			}
		}
	}
}

// No text of the suite contains a key, so if one is returned instead of the keys, the keys stay.
func TestJSONTestSuiteAsKeys(t *testing.T) {
	texts := jsonTexts(t)
	synctest.Test(t, func(t *testing.T) {
		clerk := clerktest.New(t, clerktest.Options{})
		auth := harness.New(t, clerk, func(c *clerkauth.Config) { c.Logger = slog.New(slog.DiscardHandler) })
		token := clerk.Token(clerktest.Claims{IssuedAt: time.Now(), ExpiresAt: time.Now().Add(72 * time.Hour)})
		verify := func(name string) {
			t.Helper()
			if reason := harness.Judge(t, auth, token); reason != "" {
				t.Fatalf("%s: got %s, want a session", name, reason)
			}
			synctest.Wait()
		}
		verify("the keys")
		for _, kind := range slices.Sorted(maps.Keys(texts)) {
			for name, text := range texts[kind] {
				clerk.Fault(clerktest.BackendJWKS, func(http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
				})
				fetched := len(clerk.Requests())
				time.Sleep(5 * time.Minute / 2)
				verify(name)
				time.Sleep(5 * time.Minute / 2)
				verify(name)
				if len(clerk.Requests()) == fetched {
					t.Fatalf("%s: was not fetched", name)
				}
				clerk.Fault(clerktest.BackendJWKS, nil)
				time.Sleep(2 * time.Minute)
				verify(name) // begins the fetch
			}
		}
	})
}

package machine

import (
	"net/http"
	"strings"
	"testing"
)

// Whatever the Backend API answers, only a complete answer lets anybody in.
func FuzzAnswer(f *testing.F) {
	f.Add(200, `{"object":"api_key","type":"api_key","id":"ak_1","subject":"user_1","scopes":["a"],"claims":{"a":1},"revoked":false,"expired":false,"expiration":null}`)
	f.Add(200, `{"object":"machine_to_machine_token","id":"mt_1","subject":"mch_1","revoked":false,"expired":true,"expiration":1}`)
	f.Add(200, `{"active":false}`)
	f.Add(404, `{"errors":[{"code":"not_found"}]}`)
	f.Add(200, `{"id":"a","id":"b"}`)
	f.Fuzz(func(t *testing.T, status int, content string) {
		for _, kind := range []Kind{APIKey, M2M, OAuth} {
			c, reason, why := readAnswer(kind, status, content)
			switch {
			case (c == nil) != (reason != "") || (reason != "" && !reason.CannotTell()) != (why != nil):
				t.Fatalf("got %v, %q, %v, want claims or a reason, and an error exactly with a reason that is not CannotTell", c, reason, why)
			case c != nil && (status != http.StatusOK || !strings.HasPrefix(c.ID, endpoints[kind].prefix) || c.Subject == "" || c.Kind != kind):
				t.Fatalf("%d %q lets in %+v", status, content, c)
			}
		}
	})
}

// Malformed credentials are not sent to Clerk.
func FuzzForm(f *testing.F) {
	for _, s := range []string{"ak_a", "mt_", "oat_a.b", "a.b.c", "ak_\xff", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if opaqueKind(raw) == None || !wellFormed(raw) {
			return
		}
		for i := range len(raw) {
			if raw[i] <= ' ' || raw[i] > '~' || raw[i] == '"' || raw[i] == '\\' || raw[i] == '.' {
				t.Fatalf("%q is taken for a credential, want visible ASCII without quotes, backslashes and dots", raw)
			}
		}
		if len(raw) > maxCredential {
			t.Fatalf("%d bytes are taken for a credential, want at most %d", len(raw), maxCredential)
		}
	})
}

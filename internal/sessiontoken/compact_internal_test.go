package sessiontoken

import (
	"encoding/base64"
	"reflect"
	"strings"
	"testing"
)

// Preparing claims for the cache does not change their values.
func TestCompactChangesNothing(t *testing.T) {
	for _, payload := range []string{
		"{}",
		`{"sub":"","sid":"","azp":"","aud":[],"fea":"","pla":"","v":2}`,
		`{"azp":7,"exp":"x","aud":[1],"act":3}`,
		`{"sub":"user_1","sid":"sess_1","iss":"https://clerk.example.com","azp":"https://example.com","aud":["a","","b"],"sts":"pending","exp":3,"nbf":2,"iat":1,` +
			`"act":{"sub":"user_2","sid":"sess_2"},"fva":[3,-1],"v":2,"o":{"id":"org_1","slg":"acme","rol":"admin","per":"read,manage","fpm":"3,1"},"fea":"o:a,o:b,u:c","pla":"u:pro,o:team","x":"\\u0041 \u00e9 <>"}`,
		`{"sub":"user_1","org_id":"org_1","org_slug":"acme","org_role":"org:admin","org_permissions":["org:a:read","org:a:manage"]}`,
	} {
		encode := base64.RawURLEncoding.EncodeToString
		raw := encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(payload)) + "."
		claims := func() *Claims {
			read := parse(raw, MaxSize)
			if read.Reason != "" {
				t.Fatalf("%s: got %s, want none", payload, read.Reason)
			}
			read.Claims.expand(read.jws.members)
			return read.Claims
		}
		want, got := claims(), claims()
		token := strings.Clone(raw)
		got.compact(&token)
		if got.Payload != nil || got.Text() != payload || want.Text() != payload {
			t.Errorf("payload %q and %q, want %q", want.Text(), got.Text(), payload)
		}
		want.Payload, got.token = nil, nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, want\n%+v", payload, got, want)
		}
	}
}

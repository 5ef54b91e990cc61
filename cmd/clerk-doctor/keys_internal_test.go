package main

import (
	"encoding/base64"
	"testing"

	"github.com/clerkauth/clerkauth"
)

func TestKeysAreReadAsTheMiddlewareReadsThem(t *testing.T) {
	encode := base64.StdEncoding.EncodeToString
	for name, tt := range map[string]struct {
		key   string
		valid bool
	}{
		"live":             {"pk_live_" + encode([]byte("clerk.example.com$")), true},
		"without padding":  {"pk_live_" + base64.RawStdEncoding.EncodeToString([]byte("clerk.example.com$")), true},
		"test":             {"pk_test_" + encode([]byte("able-owl-7.clerk.accounts.dev$")), true},
		"no dollar":        {"pk_live_" + encode([]byte("clerk.example.com")), false},
		"no dot":           {"pk_live_" + encode([]byte("clerk$")), false},
		"a path":           {"pk_live_" + encode([]byte("clerk.example.com/x$")), false},
		"other prefix":     {"pk_prod_" + encode([]byte("clerk.example.com$")), false},
		"not base64":       {"pk_live_!!!!", false},
		"secret":           {secretKey, false},
		"nothing after it": {"pk_live_", false},
	} {
		k, err := parseKey(tt.key)
		if (err == nil) != tt.valid {
			t.Errorf("%s: got %+v and error %v, want valid %v", name, k, err, tt.valid)
		}
		if _, err := clerkauth.New(clerkauth.Config{PublishableKey: tt.key, InsecureAllowAnyParty: true}); (err == nil) != tt.valid {
			t.Errorf("%s: New gives %v, want valid %v", name, err, tt.valid)
		}
	}
}

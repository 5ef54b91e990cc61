package sessiontoken_test

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
	"github.com/clerkauth/clerkauth/internal/vectors"
)

// everywhere is a network in which every URL returns the same document.
func everywhere(document string) *http.Client {
	return &http.Client{Transport: harness.Transport(func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Request: r, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(document)),
		}, nil
	})}
}

// fetching is an Authenticator that accepts tokens signed with a key of a JWKS document.
func fetching(t *testing.T, document string) *clerkauth.Authenticator {
	t.Helper()
	cfg := clerktest.New(t, clerktest.Options{}).Config()
	cfg.AuthorizedParties, cfg.InsecureAllowAnyParty = nil, true
	cfg.HTTPClient = everywhere(document)
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

// publish makes a JWKS document of a key or a set of keys, and returns its kid if it has just one.
func publish(t *testing.T, key json.RawMessage) (document, kid string) {
	t.Helper()
	var set struct {
		Keys []struct{ Kid string }
	}
	document = string(key)
	if err := json.Unmarshal(key, &set); err != nil {
		t.Fatal(err)
	}
	if set.Keys == nil {
		document = `{"keys":[` + document + `]}`
		if err := json.Unmarshal([]byte(document), &set); err != nil {
			t.Fatal(err)
		}
	}
	if len(set.Keys) == 1 {
		kid = set.Keys[0].Kid
	}
	return document, kid
}

// wycheproof is the relevant part of that collection's files.
type wycheproof struct {
	NumberOfTests int
	TestGroups    []struct {
		Public, Private json.RawMessage
		PublicKeyDer    string
		Tests           []struct {
			TcID            int
			Comment, Result string
			Msg, Sig        string
			JWS, JWE        any // text, or the JSON serialization
		}
	}
}

func readWycheproof(t *testing.T, name string) wycheproof {
	t.Helper()
	var w wycheproof
	if err := json.Unmarshal(vectors.Files(t, "wycheproof")[name], &w); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWycheproofRSASignatures(t *testing.T) {
	// What the vectors call acceptable, a signature whose parameters omit NULL, is not accepted.
	type counts struct{ valid, invalid, acceptable int }
	for size, want := range map[int]counts{2048: {9, 249, 1}, 3072: {8, 250, 1}, 4096: {7, 250, 1}, 8192: {7, 250, 1}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			seen := map[string]int{}
			for _, g := range readWycheproof(t, fmt.Sprintf("rsa_signature_%d_sha256_test.json", size)).TestGroups {
				key, err := x509.ParsePKIXPublicKey(unhex(t, g.PublicKeyDer))
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range g.Tests {
					seen[c.Result]++
					err := jwt.SigningMethodRS256.Verify(string(unhex(t, c.Msg)), unhex(t, c.Sig), key)
					if got, want := err == nil, c.Result == "valid"; got != want {
						t.Errorf("tc%d %s: accepted %v, want %v", c.TcID, c.Comment, got, want)
					}
				}
			}
			if got := (counts{seen["valid"], seen["invalid"], seen["acceptable"]}); got != want {
				t.Errorf("ran %+v, want %+v", got, want)
			}
		})
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWycheproofJOSE(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for _, c := range []struct {
		file     string
		tests    int
		accepted []int
		// roca is a test whose key has a weak modulus as in CVE-2017-15361. This is not checked here: keys are the
		// instance's own, and Clerk does not generate them with that library.
		roca []int
	}{
		{"json_web_signature_test.json", 401, []int{33, 259, 260, 261, 262, 263, 345, 349}, nil},
		{"json_web_key_test.json", 26, []int{5}, []int{7}},
		{"json_web_crypto_test.json", 83, []int{33}, []int{46}},
	} {
		t.Run(c.file, func(t *testing.T) {
			w, n := readWycheproof(t, c.file), 0
			var got []int
			for _, g := range w.TestGroups {
				key := g.Public
				if key == nil {
					key = g.Private
				}
				document, kid := publish(t, key)
				auth := fetching(t, document)
				for _, test := range g.Tests {
					n++
					token := serialized(t, test.JWS, test.JWE)
					if sessiontoken.CheckSignature(t.Context(), document, kid, token) == "" {
						got = append(got, test.TcID)
					}
					if _, err := auth.VerifyToken(t.Context(), token); err == nil {
						t.Errorf("tc%d %s: got a session, want an error: the payload is no set of claims", test.TcID, test.Comment)
					}
				}
			}
			want := slices.Sorted(slices.Values(slices.Concat(c.accepted, c.roca)))
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("signatures accepted of %v, want %v", got, want)
			}
			if n != c.tests || w.NumberOfTests != n {
				t.Errorf("ran %d tests of %d, want %d", n, w.NumberOfTests, c.tests)
			}
		})
	}
}

// serialized is the one of several forms that is there, as it would be sent.
func serialized(t *testing.T, forms ...any) string {
	t.Helper()
	for _, form := range forms {
		switch form := form.(type) {
		case nil:
		case string:
			return form
		default:
			b, err := json.Marshal(form)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
	}
	t.Fatal("the test has no serialization, want one")
	return ""
}

// The examples of RFC 7520, RFC 7797 and RFC 8037: of all their serializations only the compact one of the RS256
// example has a good signature, and none is a session.
func TestCookbook(t *testing.T) {
	files := vectors.Files(t, "cookbook")
	const rs256 = "jws/4_1.rsa_v15_signature.json"
	tried := 0
	for name, file := range files {
		if strings.HasPrefix(name, "jwk/") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			var example struct {
				Input  struct{ Key json.RawMessage }
				Output map[string]any
			}
			if err := json.Unmarshal(file, &example); err != nil {
				t.Fatal(err)
			}
			key := example.Input.Key
			if name == rs256 {
				key = files["jwk/3_3.rsa_public_key.json"]
			}
			if key[0] == '[' {
				key = json.RawMessage(`{"keys":` + string(key) + `}`)
			}
			document, kid := publish(t, key)
			auth := fetching(t, document)
			for form, output := range example.Output {
				tried++
				token := serialized(t, output)
				reason := sessiontoken.CheckSignature(t.Context(), document, kid, token)
				if want := name == rs256 && form == "compact"; (reason == "") != want {
					t.Errorf("%s %s: signature accepted %v (%s), want %v", name, form, reason == "", reason, want)
				}
				if strings.HasPrefix(name, "rfc7797/") && reason != reasons.TokenInvalid {
					t.Errorf("%s %s: got %s, want %s: the header asks for what is not done here", name, form, reason, reasons.TokenInvalid)
				}
				if _, err := auth.VerifyToken(t.Context(), token); err == nil {
					t.Errorf("%s %s: got a session, want an error", name, form)
				}
			}
		})
	}
	if tried != 31 {
		t.Errorf("tried %d serializations, want 31", tried)
	}
}

// Of the keys of RFC 7520, only the public RSA key is one to verify with: no private one, no other kind.
func TestCookbookKeys(t *testing.T) {
	files := vectors.Files(t, "cookbook")
	var example struct{ Output struct{ Compact string } }
	if err := json.Unmarshal(files["jws/4_1.rsa_v15_signature.json"], &example); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]reasons.Reason{
		"jwk/3_1.ec_public_key.json":                 reasons.KeysUnavailable,
		"jwk/3_2.ec_private_key.json":                reasons.KeysUnavailable,
		"jwk/3_3.rsa_public_key.json":                "",
		"jwk/3_4.rsa_private_key.json":               reasons.KeysUnavailable,
		"jwk/3_5.symmetric_key_mac_computation.json": reasons.KeysUnavailable,
		"jwk/3_6.symmetric_key_encryption.json":      reasons.KeysUnavailable,
	} {
		document, kid := publish(t, files[name])
		if got := sessiontoken.CheckSignature(t.Context(), document, kid, example.Output.Compact); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

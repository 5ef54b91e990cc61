package jwks

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// modulus is a number of so many bits, in base64url, that differs from others by n. Whether it has two large prime factors
// is unknown to verifiers.
func modulus(bits uint, n int64) string {
	m := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return base64.RawURLEncoding.EncodeToString(m.Add(m, big.NewInt(2*n+1)).Bytes())
}

// jwk is a usable key, with changes; nil removes a member.
func jwk(kid string, changes map[string]any) string {
	key := map[string]any{"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": modulus(2048, 1), "e": "AQAB"}
	for name, value := range changes {
		if value == nil {
			delete(key, name)
			continue
		}
		key[name] = value
	}
	b, err := json.Marshal(key)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func documentOf(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

func TestWhatAUsableKeyIs(t *testing.T) {
	null := json.RawMessage("null")
	for name, c := range map[string]struct {
		changes map[string]any
		usable  bool
	}{
		"as Clerk publishes it":   {nil, true},
		"without alg":             {map[string]any{"alg": nil}, true},
		"without use":             {map[string]any{"use": nil}, true},
		"with members of no use":  {map[string]any{"x5t": "x", "x5c": []string{"x"}, "x5u": "https://evil.example.com", "ext": true, "exp": 0}, true},
		"names in other cases":    {map[string]any{"D": "AQAB", "Alg": "none", "KTY": "oct", "USE": "enc", "N": "AQAB"}, true},
		"key_ops verify":          {map[string]any{"key_ops": []string{"verify"}}, true},
		"key_ops verify and more": {map[string]any{"key_ops": []string{"sign", "verify"}}, true},
		"2048 bits":               {map[string]any{"n": modulus(2048, 5)}, true},
		"8192 bits":               {map[string]any{"n": modulus(8192, 5)}, true},
		"e 3":                     {map[string]any{"e": "Aw"}, true},
		"e 2^31-1":                {map[string]any{"e": "f____w"}, true},
		"kid of 256 bytes":        {map[string]any{"kid": strings.Repeat("k", 256)}, true},

		"kid of 257 bytes":         {map[string]any{"kid": strings.Repeat("k", 257)}, false},
		"without kid":              {map[string]any{"kid": nil}, false},
		"kid empty":                {map[string]any{"kid": ""}, false},
		"kid of a number":          {map[string]any{"kid": 5}, false},
		"kid null":                 {map[string]any{"kid": null}, false},
		"2047 bits":                {map[string]any{"n": modulus(2047, 5)}, false},
		"1024 bits":                {map[string]any{"n": modulus(1024, 5)}, false},
		"8193 bits":                {map[string]any{"n": modulus(8193, 5)}, false},
		"an even modulus":          {map[string]any{"n": base64.RawURLEncoding.EncodeToString(append([]byte{0x80}, make([]byte, 255)...))}, false},
		"without n":                {map[string]any{"n": nil}, false},
		"n empty":                  {map[string]any{"n": ""}, false},
		"n of a number":            {map[string]any{"n": 5}, false},
		"n that is no base64":      {map[string]any{"n": "!" + modulus(2048, 1)[1:]}, false},
		"n with padding":           {map[string]any{"n": modulus(2048, 5) + "=="}, false},
		"n in standard base64":     {map[string]any{"n": "//" + modulus(2048, 1)[2:]}, false},
		"without e":                {map[string]any{"e": nil}, false},
		"e empty":                  {map[string]any{"e": ""}, false},
		"e 0":                      {map[string]any{"e": "AA"}, false},
		"e 1":                      {map[string]any{"e": "AQ"}, false},
		"e 2":                      {map[string]any{"e": "Ag"}, false},
		"e even":                   {map[string]any{"e": "AQAA"}, false},
		"e 2^31+1":                 {map[string]any{"e": "gAAAAQ"}, false},
		"e 2^64+65537":             {map[string]any{"e": "AQAAAAAAAQAB"}, false},
		"e with nothing before it": {map[string]any{"e": "AAAAAAABAAE"}, false},
		"e of a number":            {map[string]any{"e": 65537}, false},
		"kty EC":                   {map[string]any{"kty": "EC"}, false},
		"kty oct":                  {map[string]any{"kty": "oct"}, false},
		"kty rsa":                  {map[string]any{"kty": "rsa"}, false},
		"without kty":              {map[string]any{"kty": nil}, false},
		"alg RS384":                {map[string]any{"alg": "RS384"}, false},
		"alg PS256":                {map[string]any{"alg": "PS256"}, false},
		"alg RSA-OAEP":             {map[string]any{"alg": "RSA-OAEP"}, false},
		"alg rs256":                {map[string]any{"alg": "rs256"}, false},
		"alg none":                 {map[string]any{"alg": "none"}, false},
		"alg empty":                {map[string]any{"alg": ""}, false},
		"alg null":                 {map[string]any{"alg": null}, false},
		"use enc":                  {map[string]any{"use": "enc"}, false},
		"use empty":                {map[string]any{"use": ""}, false},
		"use null":                 {map[string]any{"use": null}, false},
		"use of a list":            {map[string]any{"use": []string{"sig"}}, false},
		"key_ops sign":             {map[string]any{"key_ops": []string{"sign"}}, false},
		"key_ops empty":            {map[string]any{"key_ops": []string{}}, false},
		"key_ops null":             {map[string]any{"key_ops": null}, false},
		"key_ops text":             {map[string]any{"key_ops": "verify"}, false},
		"key_ops of other types":   {map[string]any{"key_ops": []any{"verify", 5}}, false},
		"private: d":               {map[string]any{"d": "AQAB"}, false},
		"private: d, empty":        {map[string]any{"d": ""}, false},
		"private: d, null":         {map[string]any{"d": null}, false},
		"private: p":               {map[string]any{"p": "AQAB"}, false},
		"private: q":               {map[string]any{"q": "AQAB"}, false},
		"private: dp":              {map[string]any{"dp": "AQAB"}, false},
		"private: dq":              {map[string]any{"dq": "AQAB"}, false},
		"private: qi":              {map[string]any{"qi": "AQAB"}, false},
		"private: oth":             {map[string]any{"oth": []any{}}, false},
		"symmetric: k":             {map[string]any{"k": "AQAB"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			candidate := jwk("candidate", c.changes)
			alone, err := ParseSet(documentOf(candidate))
			if (err == nil) != c.usable || (alone != nil) != c.usable {
				t.Errorf("alone: got %v, want usable %v", err, c.usable)
			}
			if err != nil && !errors.Is(err, errNoKeys) {
				t.Errorf("alone: got %v, want %v", err, errNoKeys)
			}
			// A bad key does not affect the keys around it.
			set, err := ParseSet(documentOf(jwk("before", nil), candidate, jwk("after", nil)))
			if err != nil {
				t.Fatalf("among others: %v", err)
			}
			want := 2
			if c.usable {
				want = 3
			}
			if !set.Has("before") || !set.Has("after") || len(set.kids) != want {
				t.Errorf("among others: got %q, want %d keys", slices.Sorted(maps.Keys(set.kids)), want)
			}
		})
	}
}

func TestWhatASetIs(t *testing.T) {
	keys := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = jwk(fmt.Sprint("k", i), nil)
		}
		return list
	}
	a, b := jwk("a", nil), jwk("b", nil)
	other := func(n int64) map[string]any { return map[string]any{"n": modulus(2048, n)} }
	for name, c := range map[string]struct {
		document string
		want     []string
		err      error
	}{
		"one key":                     {documentOf(a), []string{"a"}, nil},
		"two keys":                    {documentOf(a, b), []string{"a", "b"}, nil},
		"more than keys":              {`{"x":[],"keys":[` + a + `],"KEYS":[` + b + `]}`, []string{"a"}, nil},
		"keys that are none":          {documentOf("null", "5", `"x"`, "[]", "{}", "true", `{"kty":"RSA","kty":"RSA"}`, a), []string{"a"}, nil},
		"a member twice in a key":     {documentOf(strings.Replace(a, "{", `{"e":"AQAB",`, 1), b), []string{"b"}, nil},
		"a key twice":                 {documentOf(a, b, a), []string{"a", "b"}, nil},
		"a kid of two keys":           {documentOf(a, b, jwk("a", other(2))), []string{"b"}, nil},
		"a kid of two keys, then one": {documentOf(a, b, jwk("a", other(2)), a), []string{"b"}, nil},
		"a kid of two exponents":      {documentOf(a, b, jwk("a", map[string]any{"e": "Aw"})), []string{"b"}, nil},
		"a kid of two keys alone":     {documentOf(a, jwk("a", other(2))), nil, errNoKeys},
		"64 keys":                     {documentOf(keys(64)...), nil, nil},
		"65 keys":                     {documentOf(keys(65)...), nil, errTooMany},
		"65 keys of no use":           {documentOf(slices.Repeat([]string{"{}"}, 65)...), nil, errTooMany},
		"no keys":                     {`{"keys":[]}`, nil, errNoKeys},
		"keys null":                   {`{"keys":null}`, nil, errNoKeySet},
		"keys in an object":           {`{"keys":{"a":` + a + `}}`, nil, errNoKeySet},
		"a key, and no set":           {a, nil, errNoKeySet},
		"a list of keys":              {"[" + a + "]", nil, errNoKeySet},
		"KEYS":                        {`{"KEYS":[` + a + `]}`, nil, errNoKeySet},
		"keys twice":                  {`{"keys":[` + a + `],"keys":[` + b + `]}`, nil, errNoKeySet},
		"{}":                          {`{}`, nil, errNoKeySet},
		"nothing":                     {``, nil, errNoKeySet},
		"half":                        {documentOf(a)[:100], nil, errNoKeySet},
		"something after it":          {documentOf(a) + "x", nil, errNoKeySet},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := ParseSet(c.document)
			if !errors.Is(err, c.err) || (err == nil) != (set != nil) {
				t.Fatalf("got %v, %v, want error %v", set, err, c.err)
			}
			if c.want == nil {
				return
			}
			if got := slices.Sorted(maps.Keys(set.kids)); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSameKeys(t *testing.T) {
	set := func(keys ...string) *Set {
		t.Helper()
		s, err := ParseSet(documentOf(keys...))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a, b := jwk("a", nil), jwk("b", nil)
	for name, c := range map[string]struct {
		one, other *Set
		want       bool
	}{
		"the same":             {set(a, b), set(a, b), true},
		"another order":        {set(a, b), set(b, a), true},
		"another dress":        {set(a), set(jwk("a", map[string]any{"use": nil, "x": 1})), true},
		"unusable ones beside": {set(a), set(a, jwk("c", map[string]any{"use": "enc"})), true},
		"one more":             {set(a), set(a, b), false},
		"one less":             {set(a, b), set(a), false},
		"another name":         {set(a), set(b), false},
		"another modulus":      {set(a), set(jwk("a", map[string]any{"n": modulus(2048, 2)})), false},
		"another exponent":     {set(a), set(jwk("a", map[string]any{"e": "Aw"})), false},
	} {
		if got := c.one.equal(c.other); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// A key may be fetched between a request's lookup and its own fetch.
func TestAKeyFetchedMeanwhile(t *testing.T) {
	set, err := ParseSet(documentOf(jwk("a", nil)))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	k := &Keys{now: func() time.Time { return now }, maxAge: time.Hour, lastUnknown: now}
	k.current.Store(&Snapshot{Set: set, fetchedAt: now, refreshAt: now.Add(time.Minute)})
	if s, err := k.findUnknown(t.Context(), "a"); s == nil || err != nil {
		t.Errorf("got %v, %v, want the keys", s, err)
	}
	if f := k.start(); f != nil { // somebody else has just fetched
		t.Error("fresh keys are fetched again")
	}
	if s, err := k.findUnknown(t.Context(), "b"); s != nil || !errors.Is(err, ErrUnknownKID) {
		t.Errorf("another: got %v, %v, want %v", s, err, ErrUnknownKID)
	}
}

// FuzzParseSet: no document panics, and every accepted key can be trusted.
func FuzzParseSet(f *testing.F) {
	for _, s := range []string{
		"", "{}", documentOf(), documentOf(jwk("a", nil)), documentOf(jwk("a", nil), jwk("a", map[string]any{"e": "Aw"})),
		documentOf(jwk("a", map[string]any{"d": "AQAB"})), documentOf(`{"kty":"EC","kid":"x"}`, "null", jwk("b", map[string]any{"key_ops": []string{"verify"}})),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := ParseSet(text)
		if err != nil {
			return
		}
		if len(set.kids) == 0 || len(set.kids) > maxKeys {
			t.Errorf("got %d keys, want 1 to %d", len(set.kids), maxKeys)
		}
		for kid, key := range set.kids {
			if kid == "" || len(kid) > maxKID || !strong(key) {
				t.Errorf("key %q: got %v, want a strong key, and an ID of 1 to %d bytes", kid, key, maxKID)
			}
		}
	})
}

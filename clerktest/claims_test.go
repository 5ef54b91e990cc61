package clerktest_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

const honestPayload = `{"azp":"https://example.com","exp":1772625660,"fva":[-1,-1],"iat":1772625600,` +
	`"iss":"https://clerk.example.com","nbf":1772625590,"sid":"sess_2clerktest","sts":"active","sub":"user_2clerktest","v":2}`

func TestZeroClaimsAreAnHonestToken(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{Now: atNoon})
	header, payload, _ := parts(t, in.Token(clerktest.Claims{}))
	if want := `{"alg":"RS256","cat":"cl_B7d4PD111AAA","kid":"` + in.KeyID() + `","oiat":1772625600,"typ":"JWT"}`; header != want {
		t.Errorf("header\n got %s\nwant %s", header, want)
	}
	if payload = withoutID(t, payload); payload != honestPayload {
		t.Errorf("payload\n got %s\nwant %s", payload, honestPayload)
	}
}

// TestClaimsEncode compares with the default payload: changed has what differs, and null for what
// is missing.
func TestClaimsEncode(t *testing.T) {
	acme := clerkauth.Organization{ID: "org_acme", Slug: "acme", Role: "org:admin"}
	tests := []struct {
		name    string
		claims  clerktest.Claims
		changed string
	}{
		{"subject and session", clerktest.Claims{Subject: "user_2bob", SessionID: "sess_2b"}, `{"sub":"user_2bob","sid":"sess_2b"}`},
		{
			"party, issuer, audience",
			clerktest.Claims{AuthorizedParty: "https://evil.example", Issuer: "https://i", Audience: []string{"a", "b"}},
			`{"azp":"https://evil.example","iss":"https://i","aud":["a","b"]}`,
		},
		{"issued earlier", clerktest.Claims{IssuedAt: noon.Add(-time.Hour)}, `{"iat":1772622000,"nbf":1772621990,"exp":1772622060}`},
		{"expired, and lived a minute", clerktest.Claims{ExpiresAt: noon.Add(-time.Hour)}, `{"iat":1772621940,"nbf":1772621930,"exp":1772622000}`},
		{"all dates", clerktest.Claims{IssuedAt: noon.Add(time.Second), NotBefore: noon, ExpiresAt: noon}, `{"iat":1772625601,"nbf":1772625600,"exp":1772625600}`},
		{"pending", clerktest.Claims{Pending: true}, `{"sts":"pending"}`},
		{"first factor, of this moment", clerktest.Claims{FirstFactorAt: noon}, `{"fva":[0,-1]}`},
		{"both factors", clerktest.Claims{FirstFactorAt: noon.Add(-7*time.Minute - 59*time.Second), SecondFactorAt: noon.Add(-2 * time.Minute)}, `{"fva":[7,2]}`},
		{"second factor only", clerktest.Claims{SecondFactorAt: noon.Add(-2 * time.Minute)}, `{"fva":[-1,2]}`},
		{"factors after the token", clerktest.Claims{FirstFactorAt: noon.Add(time.Second), SecondFactorAt: noon.Add(time.Hour)}, `{"fva":[-1,-1]}`},
		{
			"factor before an older token",
			clerktest.Claims{IssuedAt: noon.Add(-time.Hour), FirstFactorAt: noon.Add(-90 * time.Minute)},
			`{"fva":[30,-1],"iat":1772622000,"nbf":1772621990,"exp":1772622060}`,
		},
		{
			"actor",
			clerktest.Claims{Actor: clerkauth.Actor{Subject: "user_2eve", SessionID: "sess_2eve"}},
			`{"act":{"iss":"https://dashboard.clerk.com","sid":"sess_2eve","sub":"user_2eve"}}`,
		},
		{"organization", clerktest.Claims{Organization: acme}, `{"o":{"id":"org_acme","slg":"acme","rol":"admin"}}`},
		{"role without prefix", clerktest.Claims{Organization: clerkauth.Organization{ID: "org_acme", Role: "admin"}}, `{"o":{"id":"org_acme","rol":"admin"}}`},
		{
			"plans and features of the user",
			clerktest.Claims{Plans: []string{"u:free", "o:pro"}, Features: []string{"u:search", "uo:export"}},
			`{"pla":"u:free,o:pro","fea":"u:search,uo:export"}`,
		},
		// The example of Clerk's documentation.
		{
			"permissions",
			clerktest.Claims{Organization: acme, Permissions: []string{"org:dashboard:manage", "org:dashboard:read", "org:teams:read"}},
			`{"o":{"id":"org_acme","slg":"acme","rol":"admin","per":"manage,read","fpm":"3,2"},"fea":"o:dashboard,o:teams"}`,
		},
		{
			// Some parsers count only the organization's features and others all: they agree if the
			// user's come last.
			"the user's features come last and have no place in the map",
			clerktest.Claims{
				Organization: acme, Permissions: []string{"org:teams:read", "org:a:b:c"}, Features: []string{"u:search", "o:idle", "uo:teams"},
			},
			`{"o":{"id":"org_acme","slg":"acme","rol":"admin","per":"read,c","fpm":"0,1,2"},"fea":"o:idle,uo:teams,o:a:b,u:search"}`,
		},
		{
			"version 1",
			clerktest.Claims{Version: 1, Organization: acme, Permissions: []string{"org:teams:read"}, Features: []string{"o:x"}, Plans: []string{"o:y"}},
			`{"v":null,"org_id":"org_acme","org_slug":"acme","org_role":"org:admin","org_permissions":["org:teams:read"]}`,
		},
		{
			"version 1, no permission",
			clerktest.Claims{Version: 1, Organization: clerkauth.Organization{ID: "org_acme", Role: "admin"}},
			`{"v":null,"org_id":"org_acme","org_role":"org:admin","org_permissions":[]}`,
		},
		{"version 1, no organization", clerktest.Claims{Version: 1}, `{"v":null}`},
		{
			"extra",
			clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent, "sub": 5, "metadata": map[string]any{"tier": "gold"}}},
			`{"azp":null,"sub":5,"metadata":{"tier":"gold"}}`,
		},
	}
	in := clerktest.New(t, clerktest.Options{Now: atNoon})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var changed map[string]any
			want := map[string]any{}
			decode(t, honestPayload, &want)
			decode(t, tt.changed, &changed)
			maps.Copy(want, changed)
			maps.DeleteFunc(want, func(_ string, v any) bool { return v == nil })
			_, payload, _ := parts(t, in.Token(tt.claims))
			var got map[string]any
			decode(t, payload, &got)
			delete(got, "jti")
			if g, w := compact(t, got), compact(t, want); g != w {
				t.Errorf("payload\n got %s\nwant %s", g, w)
			}
		})
	}
}

func decode(t *testing.T, document string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(document), v); err != nil {
		t.Fatalf("%s: %v", document, err)
	}
}

func compact(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// withoutID is a payload without its jti, which differs each time.
func withoutID(t *testing.T, payload string) string {
	t.Helper()
	var claims map[string]any
	decode(t, payload, &claims)
	delete(claims, "jti")
	return compact(t, claims)
}

func TestEveryTokenHasAnIDOfItsOwn(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{Now: atNoon})
	seen := map[string]bool{}
	for range 3 {
		_, payload, _ := parts(t, in.Token(clerktest.Claims{}))
		var claims struct{ Jti string }
		decode(t, payload, &claims)
		if len(claims.Jti) != 24 || strings.Trim(claims.Jti, "0123456789abcdef") != "" || seen[claims.Jti] {
			t.Errorf("jti %q, want 24 hexadecimal digits that were not there before", claims.Jti)
		}
		seen[claims.Jti] = true
	}
	_, payload, _ := parts(t, in.Token(clerktest.Claims{Extra: map[string]any{"jti": "mine"}}))
	if !strings.Contains(payload, `"jti":"mine"`) {
		t.Errorf("payload %s, want the caller's jti", payload)
	}
}

func TestMintingLeavesTheClaimsAlone(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	features := []string{"o:a", "spare"}
	in.Token(clerktest.Claims{
		Organization: clerkauth.Organization{ID: "org_acme"}, Permissions: []string{"org:b:read"}, Features: features[:1],
	})
	if features[1] != "spare" {
		t.Errorf("Token wrote %q into the memory after the caller's Features", features[1])
	}
}

func TestManyPermissionsOutgrowAMachineWord(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{Now: atNoon})
	c := clerktest.Claims{Organization: clerkauth.Organization{ID: "org_acme"}}
	for i := range 70 {
		c.Permissions = append(c.Permissions, "org:f:p"+string(rune('0'+i/10))+string(rune('0'+i%10)))
	}
	_, payload, _ := parts(t, in.Token(c))
	if want := `"fpm":"1180591620717411303423"`; !strings.Contains(payload, want) { // 2^70 - 1
		t.Errorf("payload %s lacks %s", payload, want)
	}
}

func TestHeaderAndRawPartsAreTheCallersOwn(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{Now: atNoon})
	header, payload, _ := parts(t, in.Token(clerktest.Claims{
		Header: map[string]any{"kid": "ins_other", "cat": clerktest.Absent, "crit": []string{"x"}},
	}))
	if want := `{"alg":"RS256","crit":["x"],"kid":"ins_other","oiat":1772625600,"typ":"JWT"}`; header != want || withoutID(t, payload) != honestPayload {
		t.Errorf("got %s %s, want %s and the honest payload", header, payload, want)
	}
	rawHeader, rawPayload := `{"alg":"RS256","alg":"none"}`, "\xff not JSON"
	header, payload, signature := parts(t, in.Token(clerktest.Claims{RawHeader: []byte(rawHeader), RawPayload: []byte(rawPayload)}))
	if header != rawHeader || payload != rawPayload {
		t.Errorf("got %q %q, want %q %q", header, payload, rawHeader, rawPayload)
	}
	if signature != "" {
		t.Errorf("signature of %d bytes for the last alg, none; want none", len(signature))
	}
}

func TestClaimsThatCannotBeEncodedPanic(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	for name, c := range map[string]clerktest.Claims{
		"a claim that is no JSON":       {Extra: map[string]any{"x": func() {}}},
		"a permission without its form": {Organization: clerkauth.Organization{ID: "org_a"}, Permissions: []string{"invoices"}},
		"a permission without a name":   {Organization: clerkauth.Organization{ID: "org_a"}, Permissions: []string{"org:invoices:"}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic, want one")
				}
			}()
			in.Token(c)
		})
	}
}

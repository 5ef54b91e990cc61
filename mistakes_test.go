package clerkauth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// keyMistakes are mistakes in copying keys, each with the complete error of New.
var keyMistakes = []struct {
	name   string
	change func(*clerkauth.Config)
	want   string
}{
	{"swapped", func(c *clerkauth.Config) { c.PublishableKey, c.SecretKey = liveSecret, liveKey }, `PublishableKey (CLERK_PUBLISHABLE_KEY) and SecretKey (CLERK_SECRET_KEY) are swapped: the first is "sk_live_" and the second "pk_live_"`},
	{"a secret key for the publishable one", func(c *clerkauth.Config) { c.PublishableKey = liveSecret }, `PublishableKey (CLERK_PUBLISHABLE_KEY): "sk_live_" is a secret key, which no page may have; copy the whole publishable key from Clerk's Dashboard, API keys`},
	{"a publishable key for the secret one", func(c *clerkauth.Config) { c.SecretKey = liveKey }, `SecretKey (CLERK_SECRET_KEY): "pk_live_" is a publishable key; copy the whole secret key, sk_live_… or sk_test_…, from Clerk's Dashboard, API keys`},
	{"a machine's key for the secret one", func(c *clerkauth.Config) { c.SecretKey = "ak_0123456789abcdef" }, `SecretKey (CLERK_SECRET_KEY): "ak_0" is the secret key of a machine, which belongs into MachineSecretKey (CLERK_MACHINE_SECRET_KEY); copy the whole secret key, sk_live_… or sk_test_…, from Clerk's Dashboard, API keys`},
	{"a placeholder", func(c *clerkauth.Config) { c.SecretKey = "sk_live_abcd..." }, `SecretKey (CLERK_SECRET_KEY): "sk_live_" is a beginning without the rest; copy the whole secret key, sk_live_… or sk_test_…, from Clerk's Dashboard, API keys`},
	{"a placeholder of one character", func(c *clerkauth.Config) { c.PublishableKey = "pk_test_…" }, `PublishableKey (CLERK_PUBLISHABLE_KEY): "pk_test_" has "…", which is in no key, as character 9 of 9; copy the whole key once more`},
	{"a variable that nobody replaced", func(c *clerkauth.Config) { c.PublishableKey = "${CLERK_PUBLISHABLE_KEY}" }, `PublishableKey (CLERK_PUBLISHABLE_KEY): "${CLERK_" is no publishable key, which begins with pk_live_ or pk_test_; copy the whole publishable key from Clerk's Dashboard, API keys`},
	{"half a key", func(c *clerkauth.Config) { c.PublishableKey = liveKey[:20] }, `PublishableKey (CLERK_PUBLISHABLE_KEY): "pk_live_" is malformed: behind pk_live_ or pk_test_ there is the base64 of the Frontend API host followed by $; copy the whole publishable key from Clerk's Dashboard, API keys`},
	{"quotes", func(c *clerkauth.Config) { c.PublishableKey = `"` + liveKey + `"` }, `PublishableKey (CLERK_PUBLISHABLE_KEY): "\"pk_live" has a quotation mark around it; leave those out`},
	{"quotes of a word processor", func(c *clerkauth.Config) { c.SecretKey = `“` + liveSecret + `”` }, `SecretKey (CLERK_SECRET_KEY): "“sk_li" has a quotation mark around it; leave those out`},
	{"a line of a shell", func(c *clerkauth.Config) { c.SecretKey = "export CLERK_SECRET_KEY=" + liveSecret }, `SecretKey (CLERK_SECRET_KEY): the value begins with the name of a variable, CLERK_SECRET_KEY; set only what stands behind its =`},
	{"a line of a .env file", func(c *clerkauth.Config) { c.PublishableKey = "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY=" + liveKey }, `PublishableKey (CLERK_PUBLISHABLE_KEY): the value begins with the name of a variable, NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY; set only what stands behind its =`},
	{"white space alone", func(c *clerkauth.Config) { c.PublishableKey = "\n" }, `PublishableKey (CLERK_PUBLISHABLE_KEY): "\n" is white space alone; set a value, or leave it empty`},
	{"two keys", func(c *clerkauth.Config) { c.SecretKey = liveSecret + "\n" + liveSecret }, `SecretKey (CLERK_SECRET_KEY): "sk_live_" has "\n" in it, as character 38 of 75, and no key has white space; copy the key alone, on one line`},
	{"a byte order mark", func(c *clerkauth.Config) { c.SecretKey = "\ufeff" + liveSecret }, `SecretKey (CLERK_SECRET_KEY): "\ufeffsk_li" has "\ufeff", which cannot be seen, as character 1 of 38; delete it`},
	{"a zero-width space", func(c *clerkauth.Config) { c.PublishableKey = liveKey[:12] + "\u200b" + liveKey[12:] }, `PublishableKey (CLERK_PUBLISHABLE_KEY): "pk_live_" has "\u200b", which cannot be seen, as character 13 of 33; delete it`},
	{"a zero byte", func(c *clerkauth.Config) { c.SecretKey = liveSecret + "\x00" }, `SecretKey (CLERK_SECRET_KEY): "sk_live_" has "\x00", which cannot be seen, as character 38 of 38; delete it`},
	{"a byte that is no text", func(c *clerkauth.Config) { c.SecretKey = liveSecret + "\xff" }, `SecretKey (CLERK_SECRET_KEY): "sk_live_" has "\xff", which cannot be seen, as character 38 of 38; delete it`},
	{"a filler that looks like nothing", func(c *clerkauth.Config) { c.MachineSecretKey = "ak_0123456789\u3164" }, `MachineSecretKey (CLERK_MACHINE_SECRET_KEY): "ak_0" has "\u3164", which cannot be seen, as character 14 of 14; delete it`},
	{"a publishable key for a PEM", func(c *clerkauth.Config) { c.JWTKey = liveKey }, `JWTKey (CLERK_JWT_KEY): "pk_live_" is not the PEM of a public key; copy it from Clerk's Dashboard, API keys, JWT public key`},
	{"the first line of a PEM", func(c *clerkauth.Config) { c.JWTKey = "-----BEGIN PUBLIC KEY-----" }, `JWTKey (CLERK_JWT_KEY): "-----BEG" ends too early; copy all of it, to -----END PUBLIC KEY-----, and write it on one line with \n between the parts where only one line is read`},
	{"half a PEM", func(c *clerkauth.Config) { c.JWTKey = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" }, `JWTKey (CLERK_JWT_KEY): "-----BEG" ends too early; copy all of it, to -----END PUBLIC KEY-----, and write it on one line with \n between the parts where only one line is read`},
	{"a certificate", func(c *clerkauth.Config) {
		c.JWTKey = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
	}, `JWTKey (CLERK_JWT_KEY): "-----BEG" is not the PEM of a public key; copy it from Clerk's Dashboard, API keys, JWT public key`},
	{"a machine's ID for its key", func(c *clerkauth.Config) { c.MachineSecretKey = "mch_abc" }, `MachineSecretKey (CLERK_MACHINE_SECRET_KEY): "mch_abc" is not the secret key of a machine; copy the whole key, ak_…, from Clerk's Dashboard, Machines`},
	{"a machine's name for its ID", func(c *clerkauth.Config) { c.MachineID = "billing" }, `MachineID: "billing" is not the ID of a machine; copy it, mch_…, from Clerk's Dashboard, Machines`},
}

// addressMistakes are mistakes in addresses and durations. They are tried with test keys.
var addressMistakes = []struct {
	name   string
	change func(*clerkauth.Config)
	want   string
}{
	{"a satellite with a path", satelliteAt("https://satellite.example/app"), `Satellite.Domain (CLERK_DOMAIN): "https://satellite.example/app" is not a domain; write the domain alone, such as "satellite.example"`},
	{"a satellite over http", satelliteAt("http://satellite.example"), `Satellite.Domain (CLERK_DOMAIN): "http://satellite.example" is http, which only this machine may be, and only with test keys; write the domain alone, such as "satellite.example"`},
	{"a satellite without a name", satelliteAt(""), `Satellite.Domain (CLERK_DOMAIN) is empty and there is no ProxyURL; set the satellite's own domain, such as "satellite.example"`},
	{"a satellite without a sign-in page", func(c *clerkauth.Config) {
		c.Satellite = &clerkauth.Satellite{Domain: "satellite.example"}
	}, `SignInURL (CLERK_SIGN_IN_URL) is empty; a development satellite needs the primary domain's sign-in page`},
	{"a sign-in page without its scheme", signInAt("localhost:3000/sign-in"), `SignInURL (CLERK_SIGN_IN_URL): "localhost:3000/sign-in" is neither an absolute http or https URL nor a path of this site; write "http://localhost:3000/sign-in"`},
	{"a sign-in page without a slash", signInAt("sign-in"), `SignInURL (CLERK_SIGN_IN_URL): "sign-in" is neither an absolute http or https URL nor a path of this site; write one, such as "https://accounts.example.com/sign-in" or "/sign-in"`},
	{"a sign-in page with what cannot be seen", signInAt("/sign-in\u200b"), `SignInURL (CLERK_SIGN_IN_URL): "/sign-in\u200b" has "\u200b", which cannot be seen, as character 9 of 9; delete it`},
	{"a proxy without its scheme", func(c *clerkauth.Config) { c.ProxyURL = "example.com/__clerk" }, `ProxyURL (CLERK_PROXY_URL): "example.com/__clerk" is neither an absolute https URL nor a path that begins with one slash and has no blanks; write "https://example.com/__clerk"`},
	{"a blank in the path of a proxy", func(c *clerkauth.Config) { c.ProxyURL = "/ _clerk" }, `ProxyURL (CLERK_PROXY_URL): "/ _clerk" is neither an absolute https URL nor a path that begins with one slash and has no blanks; write an absolute URL or a path, such as "https://example.com/__clerk" or "/__clerk"`},
	{"a proxy with a query", func(c *clerkauth.Config) { c.ProxyURL = "/__clerk?x" }, `ProxyURL (CLERK_PROXY_URL): "/__clerk?x" has user info, a query or a fragment, or is no URL; write an absolute URL or a path, such as "https://example.com/__clerk" or "/__clerk"`},
	{"a Frontend API without its scheme", func(c *clerkauth.Config) { c.FrontendAPIURL = "clerk.example.com" }, `FrontendAPIURL: "clerk.example.com" is not a plain absolute URL; write https, a host and at most a path, such as "https://clerk.example.com"`},
	{"a Backend API with its version", func(c *clerkauth.Config) { c.BackendAPIURL = "https://api.clerk.com/v1/" }, `BackendAPIURL (CLERK_API_URL): "https://api.clerk.com/v1/" ends in /v1, which is added to it; leave that out`},
	{"an issuer without its scheme", func(c *clerkauth.Config) { c.Issuers = []string{"clerk.example.com"} }, `Issuers[0]: "clerk.example.com" is no URL, and the claim iss is always one; write "https://clerk.example.com"`},
	{"an empty audience", func(c *clerkauth.Config) { c.Audience = []string{"a", ""} }, `Audience[1] is empty, which would match a token without the claim; remove it`},
	{"an audience of white space", func(c *clerkauth.Config) { c.MachineAudience = []string{" "} }, `MachineAudience[0]: " " is white space alone; set a value, or leave it empty`},
	{"seconds without a unit", func(c *clerkauth.Config) { c.ClockSkew = 5 }, `ClockSkew: 5 is 5 nanoseconds; write a unit, such as 5 * time.Second`},
	{"hours without a unit", func(c *clerkauth.Config) { c.KeyMaxAge = 24 }, `KeyMaxAge: 24 is 24 nanoseconds; write a unit, such as 24 * time.Second`},
	{"a cache without a unit", func(c *clerkauth.Config) { c.MachineCacheTTL = 30 }, `MachineCacheTTL: 30 is 30 nanoseconds; write a unit, such as 30 * time.Second`},
	{"too much leeway", func(c *clerkauth.Config) { c.ClockSkew = 5 * time.Minute }, `ClockSkew: "5m0s" is more than a minute, as long as a token lives; set the clock of this machine instead`},
}

func satelliteAt(domain string) func(*clerkauth.Config) {
	return func(c *clerkauth.Config) {
		c.Satellite, c.SignInURL = &clerkauth.Satellite{Domain: domain}, "https://primary.example/sign-in"
	}
}

func signInAt(address string) func(*clerkauth.Config) {
	return func(c *clerkauth.Config) { c.SignInURL = address }
}

// One mistake is one sentence: the field, the value, and what to write instead.
func TestOneMistakeIsOneSentence(t *testing.T) {
	development := clerkauth.Config{PublishableKey: testKey, AuthorizedParties: []string{"http://localhost:3000", "http://192.168.1.3:3000", "https://app-*.vercel.app"}}
	production := clerkauth.Config{PublishableKey: liveKey, AuthorizedParties: []string{"https://example.com", "https://*.example.com"}}
	for _, tc := range keyMistakes {
		wantMistake(t, tc.name, production, tc.change, tc.want)
	}
	for _, tc := range addressMistakes {
		wantMistake(t, tc.name, development, tc.change, tc.want)
	}
	for entry, want := range map[string]string{
		"localhost:3001":                      `is not an origin; write "http://localhost:3001"`,
		"127.0.0.1:3001":                      `is not an origin; write "http://127.0.0.1:3001"`,
		"app.localhost":                       `is not an origin; write "http://app.localhost"`,
		"[::1]:3001":                          `is not an origin; write "http://[::1]:3001"`,
		"//localhost:3001":                    `is not an origin; write "http://localhost:3001"`,
		"http:/localhost:3001":                `is not an origin; write "http://localhost:3001"`,
		"https//example.com":                  `is not an origin; write "https://example.com"`,
		"example.com:8443/app":                `is not an origin; write "https://example.com:8443"`,
		"null":                                `is not an origin; write a scheme and a host, such as "https://example.com"`,
		":3001":                               `is not an origin; write a scheme and a host, such as "https://example.com"`,
		"https://example.com/app?x":           `has a path, query, fragment or user info, and an origin has none; write "https://example.com"`,
		"https://example.com/*":               `has a path, query, fragment or user info, and an origin has none; write "https://example.com"`,
		"*.example.com":                       `has a * that is not in a label of the host, or more than one; write "https://*.example.com"`,
		"*":                                   `would allow every origin; list your own`,
		"http://localhost:*":                  `has a * for its port; list each origin, with its port`,
		"https://a.test,https://b.test":       `has white space, a comma or a semicolon in it; write one origin in each entry, and commas between the entries of the variable`,
		"http://::1:3001":                     `has an IPv6 address without brackets; write it in brackets, such as "http://[::1]:3000"`,
		"https://127.1":                       `has a host that no browser would send; write it as the address bar of a browser shows it, without a regular expression`,
		"\"https://example.com":               `has a quotation mark around it; leave those out`,
		`["https://example.com"`:              `has a quotation mark around it; leave those out`,
		"'https://example.com'":               `has a quotation mark around it; leave those out`,
		"":                                    `is empty; remove it`,
		"https://example.com:0":               `has a port that is not a number from 1 to 65535`,
		"wss://example.com":                   `has a WebSocket scheme; write the page's, http or https`,
		"https://example.com\u200d":           `has "\u200d", which cannot be seen, as character 20 of 20; delete it`,
		"CLERK_AUTHORIZED_PARTIES=https://a.": "",
	} {
		want = fmt.Sprintf("AuthorizedParties[0] (CLERK_AUTHORIZED_PARTIES): %q %s", entry, want)
		if strings.Contains(entry, "=") {
			want = "AuthorizedParties[0] (CLERK_AUTHORIZED_PARTIES): the value begins with the name of a variable, CLERK_AUTHORIZED_PARTIES; set only what stands behind its ="
		}
		wantMistake(t, entry, development, func(c *clerkauth.Config) { c.AuthorizedParties = []string{entry} }, want)
	}
	wantMistake(t, "http with live keys", production, func(c *clerkauth.Config) { c.AuthorizedParties = []string{"http://192.168.1.3:3000"} },
		`AuthorizedParties[0] (CLERK_AUTHORIZED_PARTIES): "http://192.168.1.3:3000" is http on a host that is not this machine, with live keys; write https, or use test keys`)
	wantMistake(t, "another field", production, func(c *clerkauth.Config) { c.TrustedOrigins = []string{"pay.example"} }, `TrustedOrigins[0]: "pay.example" is not an origin; write "https://pay.example"`)
	// Only the malformed test key is reported, and nothing that it would have allowed.
	wantMistake(t, "a cut test key", development, func(c *clerkauth.Config) { c.PublishableKey = testKey[:20] }, `PublishableKey (CLERK_PUBLISHABLE_KEY): "pk_test_" is malformed: behind pk_live_ or pk_test_ there is the base64 of the Frontend API host followed by $; copy the whole publishable key from Clerk's Dashboard, API keys`)
}

func wantMistake(t *testing.T, name string, cfg clerkauth.Config, change func(*clerkauth.Config), want string) {
	t.Helper()
	change(&cfg)
	if _, err := clerkauth.New(cfg); err == nil || err.Error() != "clerkauth: "+want {
		t.Errorf("%s: got\n%v\nwant\nclerkauth: %s", name, err, want)
	}
}

// A private key is recognised, and not shown.
func TestPrivateKeyAsJWTKey(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"PRIVATE KEY", "RSA PRIVATE KEY"} {
		text := string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
		for _, text := range []string{text, strings.ReplaceAll(text, "\n", `\n`), text[:200]} {
			wantMistake(t, kind, harness.ShortestConfig(), func(c *clerkauth.Config) { c.JWTKey = text },
				`JWTKey (CLERK_JWT_KEY): "-----BEG" is a private key, which only Clerk has a use for; copy the public one from Clerk's Dashboard, API keys, JWT public key`)
		}
	}
}

// White space around a string of a Config is ignored, and the caller's Config is not changed.
func TestWhiteSpaceAroundEveryText(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Origins: []string{"https://satellite.test"}})
	cfg := clerk.Config()
	cfg.AuthorizedParties, cfg.TrustedOrigins = []string{" https://satellite.test\n"}, []string{"https://pay.example\r\n"}
	cfg.SignInURL, cfg.ProxyURL = "https://primary.test/sign-in\n", "https://satellite.test/__clerk\n"
	cfg.Satellite = &clerkauth.Satellite{Domain: "\tsatellite.test\n"}
	cfg.Issuers, cfg.Audience = []string{clerk.Issuer() + "\n"}, []string{"app\n"}
	cfg.MachineID, cfg.MachineSecretKey, cfg.MachineAudience = "mch_1\n", "ak_1\n", []string{"api\n"}
	cfg.BackendAPIURL, cfg.FrontendAPIURL = "https://api.clerk.com\n", "https://clerk.example.com\n"
	cfg.OrganizationSync.OrganizationPatterns = []string{"/orgs/:slug\n"}
	satellite, parties := cfg.Satellite, cfg.AuthorizedParties
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	token := clerk.Token(clerktest.Claims{AuthorizedParty: "https://satellite.test", Audience: []string{"app"}})
	if _, err := auth.VerifyToken(t.Context(), token); err != nil {
		t.Errorf("a token of the trimmed party, issuer and audience: %v", err)
	}
	write := harness.Request(http.MethodPost, "https://satellite.test/", (&harness.App{Clerk: clerk}).WithCookies(token), harness.With("Origin", "https://pay.example"))
	if got := harness.Reason(t, auth.AuthenticateRequest(write)); got != "" {
		t.Errorf("a write of a trusted origin: got %q, want none", got)
	}
	w := harness.Serve(auth.Require(harness.Greet), navigating("https://satellite.test/p", harness.Headers("Cookie: __client_uat=0")))
	if to := w.Header().Get("Location"); !strings.HasPrefix(to, "https://primary.test/sign-in?") {
		t.Errorf("got %d to %q, want https://primary.test/sign-in?…: %s", w.Code, to, w.Body)
	}
	if satellite.Domain != "\tsatellite.test\n" || parties[0] != " https://satellite.test\n" {
		t.Error("New changes the Config that it is given")
	}
}

package clerkauth_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/internal/harness"
)

var (
	liveKey = harness.PublishableKey("pk_live_", "clerk.example.com")
	testKey = harness.PublishableKey("pk_test_", "able-owl-7.clerk.accounts.dev")
)

const (
	liveSecret = "sk_live_thisIsNoSecretAtAll0123456789"
	testSecret = "sk_test_thisIsNoSecretAtAll0123456789"
)

func TestNewAcceptsTheShortestConfig(t *testing.T) {
	if _, err := clerkauth.New(harness.ShortestConfig()); err != nil {
		t.Errorf("New: got %v, want none", err)
	}
}

// mistakes are configurations with one mistake each. The error must contain the field, the value,
// and what to write.
var mistakes = []struct {
	name   string
	change func(*clerkauth.Config)
	want   []string
}{
	{"no key at all", func(c *clerkauth.Config) { c.PublishableKey, c.Issuers = "", []string{"https://clerk.example.com"} }, []string{"PublishableKey (CLERK_PUBLISHABLE_KEY)", "set pk_"}},
	{"publishable key without a host", func(c *clerkauth.Config) { c.PublishableKey = "pk_live_" }, []string{"PublishableKey", "pk_live_", "base64"}},
	{"publishable key without $", func(c *clerkauth.Config) {
		c.PublishableKey = "pk_live_" + base64.StdEncoding.EncodeToString([]byte("clerk.example.com"))
	}, []string{"PublishableKey", `"pk_live_"`, "followed by $"}},
	{"publishable key with a path", func(c *clerkauth.Config) {
		c.PublishableKey = harness.PublishableKey("pk_live_", "clerk.example.com/x")
	}, []string{"PublishableKey", `"pk_live_"`}},
	{"publishable key with user info", func(c *clerkauth.Config) {
		c.PublishableKey = harness.PublishableKey("pk_live_", "a@clerk.example.com")
	}, []string{"PublishableKey", `"pk_live_"`}},
	{"publishable key with two hosts", func(c *clerkauth.Config) {
		c.PublishableKey = harness.PublishableKey("pk_live_", "clerk.example.com$evil.test")
	}, []string{"PublishableKey"}},
	{"publishable key over http", func(c *clerkauth.Config) {
		c.PublishableKey = harness.PublishableKey("pk_test_", "http://clerk.example.com")
	}, []string{"PublishableKey", `"pk_test_"`}},
	{"publishable key of another prefix", func(c *clerkauth.Config) { c.PublishableKey = harness.PublishableKey("pk_prod_", "clerk.example.com") }, []string{"PublishableKey", `"pk_prod_"`}},
	{"publishable key with a line end in it", func(c *clerkauth.Config) { c.PublishableKey = liveKey[:12] + "\n" + liveKey[12:] }, []string{"PublishableKey"}},
	{"the keys are swapped", func(c *clerkauth.Config) { c.PublishableKey, c.SecretKey = liveSecret, liveKey }, []string{"PublishableKey", "SecretKey", "swapped", `"sk_live_"`, `"pk_live_"`}},
	{"secret key without a secret", func(c *clerkauth.Config) { c.SecretKey = "sk_live_" }, []string{"SecretKey", `"sk_live_"`, "whole secret key"}},
	{"secret key with a line end in it", func(c *clerkauth.Config) { c.SecretKey = liveSecret[:12] + "\n" + liveSecret[12:] }, []string{"SecretKey", `"sk_live_"`}},
	{"secret key with quotes", func(c *clerkauth.Config) { c.SecretKey = `"` + liveSecret + `"` }, []string{"SecretKey", `"\"sk_live`}},
	{"live and test keys", func(c *clerkauth.Config) { c.SecretKey = testSecret }, []string{`PublishableKey (CLERK_PUBLISHABLE_KEY) "pk_live_"`, `SecretKey (CLERK_SECRET_KEY) "sk_test_"`, "same instance"}},
	{"test and live keys", func(c *clerkauth.Config) {
		c.PublishableKey, c.SecretKey = testKey, liveSecret
	}, []string{`PublishableKey (CLERK_PUBLISHABLE_KEY) "pk_test_"`, `SecretKey (CLERK_SECRET_KEY) "sk_live_"`, "same instance"}},
	{"a PEM without a key", func(c *clerkauth.Config) { c.JWTKey = "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----" }, []string{`JWTKey (CLERK_JWT_KEY): "-----BEG"`, "Dashboard"}},
	{"no allowlist", func(c *clerkauth.Config) { c.AuthorizedParties = nil }, []string{"AuthorizedParties", "InsecureAllowAnyParty"}},
	{"an allowlist and InsecureAllowAnyParty", func(c *clerkauth.Config) { c.InsecureAllowAnyParty = true }, []string{"InsecureAllowAnyParty", "AuthorizedParties", "remove one"}},
	{"a function and no allowlist", func(c *clerkauth.Config) {
		c.AuthorizedParties, c.InsecureAllowAnyParty = nil, true
		c.AllowParty = func(context.Context, string, string) bool { return false }
	}, []string{"InsecureAllowAnyParty", "AllowParty", "remove one"}},
	{"clock skew", func(c *clerkauth.Config) { c.ClockSkew = time.Minute + 1 }, []string{"ClockSkew", `"1m0.000000001s"`, "clock"}},
	{"no issuer", func(c *clerkauth.Config) { c.PublishableKey, c.SecretKey = "", liveSecret }, []string{"Issuers", "PublishableKey"}},
	{"an empty issuer", func(c *clerkauth.Config) { c.Issuers = []string{""} }, []string{"Issuers", "remove"}},
	{"an empty audience", func(c *clerkauth.Config) { c.Audience = []string{"a", ""} }, []string{"Audience", "remove"}},
	{"keys live shorter than they are fresh", func(c *clerkauth.Config) { c.KeyMaxAge = 5*time.Minute - 1 }, []string{"KeyMaxAge", `"4m59.999999999s"`, "24 h"}},
	{"keys of negative age", func(c *clerkauth.Config) { c.KeyMaxAge = -time.Hour }, []string{"KeyMaxAge", `"-1h0m0s"`}},
	{"relative sign-in", func(c *clerkauth.Config) { c.SignInURL = "//example.com/sign-in" }, []string{"SignInURL", `"//example.com/sign-in"`, "absolute"}},
	{"sign-in of another scheme", func(c *clerkauth.Config) { c.SignInURL = "javascript://example.com/%0aalert(1)" }, []string{"SignInURL", "https"}},
	{"sign-in with user info", func(c *clerkauth.Config) { c.SignInURL = "https://a@example.com/" }, []string{"SignInURL"}},
	{"sign-in without a name", func(c *clerkauth.Config) { c.SignInURL = "https://:443/sign-in" }, []string{"SignInURL"}},
	{"sign-in over http", func(c *clerkauth.Config) { c.SignInURL = "http://example.com/sign-in" }, []string{"SignInURL", "write https"}},
}

func TestNewNamesTheMistakeAndTheFix(t *testing.T) {
	for _, tc := range mistakes {
		t.Run(tc.name, func(t *testing.T) {
			cfg := harness.ShortestConfig()
			tc.change(&cfg)
			auth, err := clerkauth.New(cfg)
			if err == nil {
				t.Fatal("New accepts the Config, want an error")
			}
			if auth != nil {
				t.Error("New returns both an Authenticator and an error")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got error %q, want %q in it", err, want)
				}
			}
			if secret, ok := harness.Leaks(err.Error(), harness.Pieces(cfg.SecretKey[min(8, len(cfg.SecretKey)):], cfg.PublishableKey[min(8, len(cfg.PublishableKey)):])); ok {
				t.Errorf("got error %q, which shows %q of a key", err, secret)
			}
		})
	}
}

// The addresses of the two APIs follow the same rules.
func TestNewRefusesAddresses(t *testing.T) {
	fields := map[string]func(*clerkauth.Config, string){
		"FrontendAPIURL": func(c *clerkauth.Config, u string) { c.FrontendAPIURL = u },
		"BackendAPIURL":  func(c *clerkauth.Config, u string) { c.BackendAPIURL = u },
	}
	good := []string{
		"https://api.example.com", "https://api.example.com/", "https://example.com/proxy", "https://example.com:8443",
		"http://localhost:8080", "http://app.localhost", "http://127.0.0.1:1", "http://[::1]:8080",
	}
	bad := []string{
		"api.example.com", "//api.example.com", "/v1", "api.example.com:443", "https://", "https://:443", "https:api",
		"http://api.example.com", "http://localhost.example.com", "http://10.0.0.1", "ftp://api.example.com", "ftp://localhost", "ws://127.0.0.1", "unix:///run/api",
		"https://api.example.com?x", "https://api.example.com/?", "https://api.example.com#x", "https://api.example.com/#",
		"https://user:secret@api.example.com", "https://@api.example.com", "https://api example.com", "https://api.example.com\n/",
	}
	for field, set := range fields {
		for _, u := range good {
			cfg := harness.ShortestConfig()
			set(&cfg, u)
			if _, err := clerkauth.New(cfg); err != nil {
				t.Errorf("%s %q: got %v, want none", field, u, err)
			}
		}
		for _, u := range bad {
			cfg := harness.ShortestConfig()
			set(&cfg, u)
			if _, err := clerkauth.New(cfg); err == nil || !strings.Contains(err.Error(), field) || !strings.Contains(err.Error(), "https") {
				t.Errorf("%s %q: got %v, want an error that names the field and https", field, u, err)
			}
		}
	}
}

func TestNewAcceptsWhatNeedsNoPublishableKey(t *testing.T) {
	instance := harness.NewApp(t).Clerk
	issuers := []string{"https://clerk.example.com"}
	for name, cfg := range map[string]clerkauth.Config{
		"secret key":   {SecretKey: liveSecret, Issuers: issuers},
		"JWT key":      {JWTKey: instance.JWTKey(), Issuers: issuers},
		"all of them":  {PublishableKey: liveKey, SecretKey: liveSecret, JWTKey: instance.JWTKey()},
		"no skew":      {PublishableKey: liveKey, ClockSkew: -1},
		"a minute":     {PublishableKey: liveKey, ClockSkew: time.Minute},
		"five minutes": {PublishableKey: liveKey, KeyMaxAge: 5 * time.Minute},
		"local key":    {PublishableKey: harness.PublishableKey("pk_test_", "http://localhost:4000")},
		"sign-in":      {PublishableKey: liveKey, SignInURL: "https://accounts.example.com/sign-in?a=b#/x"},
		"path":         {PublishableKey: liveKey, SignInURL: "/sign-in"},
		"local":        {PublishableKey: liveKey, SignInURL: "http://localhost:3000/sign-in"},
		"test sign-in": {PublishableKey: testKey, SignInURL: "http://dev.example.com/sign-in"},
		"test keys":    {PublishableKey: testKey, SecretKey: testSecret},
		"unpadded":     {PublishableKey: strings.TrimRight(testKey, "=")},
	} {
		cfg.AuthorizedParties = []string{"https://example.com"}
		if _, err := clerkauth.New(cfg); err != nil {
			t.Errorf("%s: got %v, want none", name, err)
		}
	}
}

// Joined errors can be split: a program that lists them need not know their text.
func TestNewReportsEveryMistakeAtOnce(t *testing.T) {
	_, err := clerkauth.New(clerkauth.Config{
		PublishableKey: "pk_live_x", SecretKey: "sk_", JWTKey: "x", ClockSkew: time.Hour, KeyMaxAge: time.Second,
		AuthorizedParties: []string{"example.com", "https://good.example.com", "ftp:/other.test"},
		TrustedOrigins:    []string{"https://pay.example/hook"},
		FrontendAPIURL:    "clerk", BackendAPIURL: "api", SignInURL: "sign-in", InsecureAllowAnyParty: true,
		Issuers: []string{""},
	})
	if err == nil {
		t.Fatal("New accepts the Config, want an error")
	}
	fields := []string{
		"PublishableKey", "SecretKey", "JWTKey", "ClockSkew", "KeyMaxAge", "AuthorizedParties[0]", "AuthorizedParties[2]",
		"TrustedOrigins[0]", "FrontendAPIURL", "BackendAPIURL", "SignInURL", "InsecureAllowAnyParty", "Issuers[0]",
	}
	for _, field := range fields {
		if !strings.Contains("\n"+strings.TrimPrefix(err.Error(), "clerkauth: "), "\n"+field) {
			t.Errorf("the error does not name %s", field)
		}
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != len(fields) {
		t.Errorf("got %d mistakes, want %d:\n%v", got, len(fields), err)
	}
	if strings.Contains(err.Error(), "good.example.com") {
		t.Error("the error names good.example.com, which is correct")
	}
}

// A secret in the wrong field is reported, but not shown to everybody who reads the log.
func TestNewHidesASecretInTheWrongPlace(t *testing.T) {
	for name, change := range map[string]func(*clerkauth.Config){
		"AuthorizedParties": func(c *clerkauth.Config) { c.AuthorizedParties = []string{liveSecret} },
		"TrustedOrigins":    func(c *clerkauth.Config) { c.TrustedOrigins = []string{" " + liveSecret} },
		"FrontendAPIURL":    func(c *clerkauth.Config) { c.FrontendAPIURL = liveSecret },
		"BackendAPIURL":     func(c *clerkauth.Config) { c.BackendAPIURL = "http://" + liveSecret },
		"SignInURL":         func(c *clerkauth.Config) { c.SignInURL = liveSecret },
		"SignInURL http":    func(c *clerkauth.Config) { c.SignInURL = "http://example.com/" + liveSecret },
		"JWTKey":            func(c *clerkauth.Config) { c.JWTKey = liveSecret },
	} {
		cfg := harness.ShortestConfig()
		change(&cfg)
		_, err := clerkauth.New(cfg)
		field, _, _ := strings.Cut(name, " ")
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: got %v, want an error that names it", name, err)
			continue
		}
		if secret, ok := harness.Leaks(err.Error(), harness.Pieces(strings.TrimPrefix(liveSecret, "sk_live_"))); ok {
			t.Errorf("%s: the error %q shows %q of the secret key", name, err, secret)
		}
	}
}

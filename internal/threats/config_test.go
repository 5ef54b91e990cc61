package threats_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// pasted are secrets in the wrong field, each with the part that no error may show.
func pasted(t *testing.T) map[string]struct{ text, secret string } {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	random := func(n int) []byte {
		b := make([]byte, n)
		_, _ = rand.Read(b)
		return b
	}
	token := harness.NewApp(t).Clerk.Token(clerktest.Claims{})
	all := map[string]struct{ text, secret string }{
		"JWT":                    {token, token},
		"JWT with its scheme":    {"Bearer " + token, token},
		"private key":            {string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), base64.StdEncoding.EncodeToString(der)},
		"private key, cut":       {"-----BEGIN PRIVATE KEY-----\n" + base64.StdEncoding.EncodeToString(der)[:100], base64.StdEncoding.EncodeToString(der)[:100]},
		"private key, short":     {"-----BEGIN PRIVATE KEY-----\nzyxwvutsrqpo\n-----END PRIVATE KEY-----\n", "zyxwvutsrqpo"},
		"JWT, short":             {"eyJhIjoibiJ9.eyJiIjoibiJ9.c2ln", "eyJiIjoibiJ9"},
		"user info":              {"https://alice:hunter2hunter2@example.com", "hunter2hunter2"},
		"user info with a slash": {"https://alice:hunter2/hunter2@example.com/path", "hunter2/hunter2"},
		"user info with a quote": {`https://alice:hun"ter2hunter2@example.com`, "ter2hunter2"},
		"user info with a space": {"https://alice:hunter2hunter2 hunter2@example.com", "hunter2hunter2 hunter2"},
		"user info, no scheme":   {"alice:hunter2hunter2@example.com", "hunter2hunter2"},
		"user info of a proxy":   {"socks5://alice:hunter2hunter2@10.0.0.1:1080", "hunter2hunter2"},
	}
	for _, prefix := range []string{"sk_live_", "sk_test_", "pk_live_", "pk_test_", "sk_prod_", "whsec_", "ak_", "mt_", "oat_", ""} {
		for name, secret := range map[string]string{
			"letters": "abcdefghijklmnopqrstuvwxyz", "base64": base64.StdEncoding.EncodeToString(random(33)), "base64url": base64.RawURLEncoding.EncodeToString(random(33)), "hex": hex.EncodeToString(random(32)),
		} {
			if prefix != "" || name != "letters" {
				all[prefix+" "+name] = struct{ text, secret string }{prefix + secret, secret}
			}
		}
	}
	return all
}

// around are texts that may stand around a pasted secret.
var around = []string{"%s", " %s", "%s\n", `"%s"`, "'%s'", "https://%s", "https://example.com/%s", "https://example.com/?key=%s", "https://%s.example.com", "KEY=%s", "a,%s,b", "x%s", "/orgs/(%s", "/orgs/([%s)", "%[1]s%[1]s"}

// settable returns the string fields of a value by name, each with a function that sets it.
func settable(v reflect.Value, name string) map[string]func(string) {
	all := map[string]func(string){}
	for i := range v.NumField() {
		f, name := v.Field(i), strings.TrimPrefix(name+"."+v.Type().Field(i).Name, ".")
		if !v.Type().Field(i).IsExported() {
			continue
		}
		switch value := f.Addr().Interface().(type) {
		case *string:
			all[name] = func(s string) { *value = s }
		case *[]string:
			all[name] = func(s string) { *value = []string{"https://example.com", s} }
		case *[]byte:
			all[name] = func(s string) { *value = []byte(s) }
		case **clerkauth.Satellite:
			all[name+".Domain"] = func(s string) { *value = &clerkauth.Satellite{Domain: s} }
		case *clerkauth.OrganizationSync:
			maps.Copy(all, settable(f, name))
		}
	}
	return all
}

// An error tells that a secret is in the wrong field, and does not show the secret to readers of
// the log.
func TestNoErrorOfNewShowsASecret(t *testing.T) {
	harness.Long(t)
	const longestShown = 9 // in bytes
	check := func(t *testing.T, where, secret string, cfg clerkauth.Config) {
		t.Helper()
		_, err := clerkauth.New(cfg)
		if err == nil {
			return
		}
		for i := 0; i+longestShown < len(secret); i++ {
			if part := secret[i : i+longestShown+1]; strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error %.400q shows %q of a secret", where, err, part)
				return
			}
		}
	}
	names := slices.Sorted(maps.Keys(settable(reflect.ValueOf(&clerkauth.Config{}).Elem(), "")))
	if len(names) < 14 || !slices.Contains(names, "OrganizationSync.OrganizationPatterns") {
		t.Fatalf("Config has the string fields %q: want at least 14, OrganizationSync.OrganizationPatterns among them", names)
	}
	variables := []string{
		"CLERK_PUBLISHABLE_KEY", "CLERK_SECRET_KEY", "CLERK_JWT_KEY", "CLERK_API_URL", "CLERK_SIGN_IN_URL", "CLERK_AUTHORIZED_PARTIES", "CLERK_PROXY_URL", "CLERK_IS_SATELLITE", "CLERK_DOMAIN",
		"CLERK_MACHINE_SECRET_KEY",
	}
	for kind, p := range pasted(t) {
		for _, format := range around {
			text := fmt.Sprintf(format, p.text)
			for _, name := range names {
				cfg := harness.ShortestConfig()
				settable(reflect.ValueOf(&cfg).Elem(), "")[name](text)
				check(t, kind+" as "+format+" in "+name, p.secret, cfg)
			}
			for _, name := range variables {
				set := map[string]string{"CLERK_PUBLISHABLE_KEY": harness.ShortestConfig().PublishableKey, "CLERK_AUTHORIZED_PARTIES": "https://example.com"}
				if name == "CLERK_DOMAIN" {
					set["CLERK_IS_SATELLITE"] = "true"
				}
				set[name] = text
				harness.Setenv(t, set)
				cfg, err := clerkauth.ConfigFromEnv()
				if err != nil && strings.Contains(err.Error(), p.secret) {
					t.Errorf("%s as %s in %s: the error of ConfigFromEnv shows the secret: %v", kind, format, name, err)
				}
				check(t, kind+" as "+format+" in "+name, p.secret, cfg)
			}
		}
	}
}

// The Config's own keys are not shown in another field either, whatever they look like.
func TestNoErrorOfNewShowsTheKeysOfItsConfig(t *testing.T) {
	for _, key := range []string{"correct horse battery staple correct", "all-small-letters-and-hyphens-of-32", "\x00\x01\"\\\n and bytes that Go quotes \xff\xfe"} {
		for name := range settable(reflect.ValueOf(&clerkauth.Config{}).Elem(), "") {
			cfg := harness.ShortestConfig()
			settable(reflect.ValueOf(&cfg).Elem(), "")[name]("https://" + key + "/")
			asState, asSecret := cfg, cfg
			asState.StateKey, asSecret.SecretKey = []byte(key), key
			for _, cfg := range []clerkauth.Config{asState, asSecret} {
				if _, err := clerkauth.New(cfg); err != nil && (strings.Contains(err.Error(), key[5:20]) || strings.Contains(err.Error(), key[len(key)-12:])) {
					t.Errorf("%s: the error %q shows the key %q", name, err, key)
				}
			}
		}
	}
}

// An error still says which value is wrong, and why.
func TestErrorsOfNewShowAddresses(t *testing.T) {
	for _, address := range []string{
		"https://app.example.com/path", "http://my-app-git-main-acme-team.example.com", "https://accounts.example.com/sign-in?theme=dark", "chrome-extension://abcdefghijklmnopabcdefghijklmnop/popup.html",
		"https://xn--bcher-kva.example/a", "http://192.168.178.100:3000/index.html", "/relative/path/of/a/page", "example.com",
	} {
		cfg := harness.ShortestConfig()
		cfg.AuthorizedParties = []string{address}
		if _, err := clerkauth.New(cfg); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", address)) {
			t.Errorf("New with the party %q: got %v, want an error that shows it", address, err)
		}
	}
}

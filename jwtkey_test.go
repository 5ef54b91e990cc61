package clerkauth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// pkcs1 is a PKIX key in the form of PKCS #1.
func pkcs1(t *testing.T, pkix string) string {
	t.Helper()
	block, _ := pem.Decode([]byte(pkix))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		t.Fatalf("got a %T, want an *rsa.PublicKey", key)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(public)}))
}

// body is the base64 inside a PEM, on one line.
func body(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[1:len(lines)-1], "")
}

func TestSpellingsOfJWTKey(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	honest, forged := clerk.Token(clerktest.Claims{}), clerk.Forge(clerktest.Claims{})
	for form, text := range map[string]string{"PKIX": clerk.JWTKey(), "PKCS #1": pkcs1(t, clerk.JWTKey())} {
		trimmed := strings.TrimSpace(text)
		for spelling, key := range map[string]string{
			"as it is":                             text,
			"without the last line break":          trimmed,
			"with white space around it":           "\n\t " + text + " \n",
			"CRLF":                                 strings.ReplaceAll(text, "\n", "\r\n"),
			"indented":                             strings.ReplaceAll(trimmed, "\n", "\n  "),
			`literal \n`:                           strings.ReplaceAll(text, "\n", `\n`),
			`literal \r\n`:                         strings.ReplaceAll(text, "\n", `\r\n`),
			"double quotes":                        `"` + text + `"`,
			"single quotes":                        `'` + trimmed + `'`,
			`double quotes and literal \n`:         `"` + strings.ReplaceAll(text, "\n", `\n`) + `"`,
			"one line":                             strings.ReplaceAll(trimmed, "\n", ""),
			"without the footer":                   trimmed[:strings.Index(trimmed, "-----END")],
			"one line with spaces":                 strings.ReplaceAll(trimmed, "\n", " "),
			`one line, quotes and a literal \n`:    `"` + strings.ReplaceAll(trimmed, "\n", " ") + `\n"`,
			"base64 only":                          body(text),
			"base64 only, in lines":                strings.Join(strings.Split(trimmed, "\n")[1:len(strings.Split(trimmed, "\n"))-1], "\n"),
			"base64 only, quotes":                  `"` + body(text) + `"`,
			`base64 only, literal \n in and after`: body(text)[:64] + `\n` + body(text)[64:] + `\n`,
		} {
			t.Run(form+" "+spelling, func(t *testing.T) {
				auth := harness.New(t, clerk, func(c *clerkauth.Config) { c.JWTKey = key })
				if got := harness.Judge(t, auth, honest); got != "" {
					t.Errorf("got %q, want a session", got)
				}
				if got := harness.Judge(t, auth, forged); got != clerkauth.ReasonTokenSignature {
					t.Errorf("forged: got %q, want %s", got, clerkauth.ReasonTokenSignature)
				}
			})
		}
	}
}

// asPEM is a key or a certificate in PEM.
func asPEM(t *testing.T, label string, der []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func TestJWTKeysThatAreRefused(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	good := clerk.JWTKey()
	small := rsa.PublicKey{N: new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 2046), big.NewInt(1)), E: 65537}
	weak := rsa.PublicKey{N: new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 2047), big.NewInt(1)), E: 1}
	large := rsa.PublicKey{N: weak.N, E: 1<<31 + 1}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := func(key any) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		return asPEM(t, "PUBLIC KEY", der, err)
	}
	privatePKCS8, errPKCS8 := x509.MarshalPKCS8PrivateKey(private)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate, errCertificate := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	for name, key := range map[string]string{
		"EC":                            public(&ec.PublicKey),
		"Ed25519":                       public(edwards),
		"2047 bits":                     public(&small),
		"exponent 1":                    public(&weak),
		"exponent 2^31+1":               public(&large),
		"2047 bits, PKCS #1":            asPEM(t, "RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&small), nil),
		"private":                       asPEM(t, "PRIVATE KEY", privatePKCS8, errPKCS8),
		"private, PKCS #1":              asPEM(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private), nil),
		"private, called public":        asPEM(t, "PUBLIC KEY", privatePKCS8, errPKCS8),
		"private, base64 only":          base64.StdEncoding.EncodeToString(privatePKCS8),
		"private, one line":             strings.ReplaceAll(asPEM(t, "PRIVATE KEY", privatePKCS8, errPKCS8), "\n", " "),
		"private, then public":          asPEM(t, "PRIVATE KEY", privatePKCS8, errPKCS8) + good,
		"a broken key, then a good one": strings.Replace(good, "M", "*", 1) + good,
		"certificate":                   asPEM(t, "CERTIFICATE", certificate, errCertificate),
		"certificate, base64 only":      base64.StdEncoding.EncodeToString(certificate),
		"public, called a certificate":  strings.ReplaceAll(good, "PUBLIC KEY", "CERTIFICATE"),
		"two keys":                      good + good,
		"a key and something":           good + "x",
		"two keys, base64 only":         body(good) + body(good),
		"half":                          good[:len(good)/2],
		"half, base64 only":             body(good)[:100],
		"base64 of no key":              "AAAA",
		"base64url":                     strings.NewReplacer("+", "-", "/", "_").Replace(body(good)) + "-_",
		"garbage":                       "garbage",
		"white space":                   " \n",
		"quotes":                        `""`,
		"a line":                        "-----BEGIN PUBLIC KEY-----",
		"a frame":                       "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
		"a JWK":                         `{"kty":"RSA","n":"AQAB","e":"AQAB"}`,
		"a publishable key":             clerk.PublishableKey(),
	} {
		t.Run(name, func(t *testing.T) {
			cfg := clerk.Config()
			cfg.JWTKey = key
			auth, err := clerkauth.New(cfg)
			if err == nil || auth != nil {
				t.Fatal("New accepts the key, want an error")
			}
			if !strings.Contains(err.Error(), "JWTKey") {
				t.Errorf("the error %v does not name JWTKey", err)
			}
			if len(key) > 40 && strings.Contains(err.Error(), key[40:]) {
				t.Error("the error shows the key")
			}
		})
	}
}

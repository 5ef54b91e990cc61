package jwks

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"regexp"
	"strings"
	"testing"
)

// FuzzParsePEM compares ParsePEM with crypto/x509: the key that it accepts is the one RSA public key in the text, of at
// least 2048 bits.
func FuzzParsePEM(f *testing.F) {
	for _, bits := range []int{1024, 2048} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			f.Fatal(err)
		}
		pkix, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			f.Fatal(err)
		}
		pkcs1, private := x509.MarshalPKCS1PublicKey(&key.PublicKey), x509.MarshalPKCS1PrivateKey(key)
		for label, der := range map[string][]byte{"PUBLIC KEY": pkix, "RSA PUBLIC KEY": pkcs1, "RSA PRIVATE KEY": private, "CERTIFICATE": pkix} {
			text := string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
			for _, s := range []string{
				text, `"` + strings.ReplaceAll(text, "\n", `\n`) + `"`, strings.ReplaceAll(text, "\n", " "), text + text, text[:len(text)/2], base64.StdEncoding.EncodeToString(der),
				strings.Replace(text, "-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n", 1), "x\n" + text, text + "x",
			} {
				f.Add(s)
			}
		}
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&other.PublicKey)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	f.Fuzz(func(t *testing.T, text string) {
		set, err := ParsePEM(text)
		if err != nil {
			return
		}
		got, want := set.Key("of any kid"), onlyKey(t, text)
		if !want.Equal(got) || want.N.BitLen() < minKeyBits || strings.Contains(text, "PRIVATE KEY-----") {
			t.Errorf("%q: got %v, want %v, of at least %d bits, and no private key in the text", text, got, want, minKeyBits)
		}
	})
}

var pemLine = regexp.MustCompile(`-----(BEGIN|END) [A-Z ]*-----`)

// onlyKey is the key of a text, found in another way: as crypto/x509 reads what remains without everything around it.
func onlyKey(t *testing.T, text string) *rsa.PublicKey {
	t.Helper()
	text = strings.Trim(strings.TrimSpace(strings.NewReplacer(`\r`, "", `\n`, "\n").Replace(text)), `"'`)
	var der []byte
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der = block.Bytes
	} else {
		var err error
		text = pemLine.ReplaceAllString(text, "")
		if der, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err != nil {
			t.Fatalf("%q has no key: %v", text, err)
		}
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		key, err = x509.ParsePKCS1PublicKey(der)
	}
	public, ok := key.(*rsa.PublicKey)
	if err != nil || !ok {
		t.Fatalf("%q has no RSA key: %T %v", text, key, err)
	}
	return public
}

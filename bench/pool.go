package bench

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// KeyID is the kid of the key that signed the pool.
	KeyID = "ins_bench"
	// Fresh is how many tokens there are: five times as many as a small cache keeps, so that none is remembered when it is sent again.
	Fresh = 20_000
	// cacheDir is below the module, where both go test and go run ./report find it.
	cacheDir = ".cache"
)

// issued is when every token was minted; it is constant so that the pool stays what it is.
var issued = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// Pool is an instance's signing key and the tokens it signed.
type Pool struct {
	Key    *rsa.PrivateKey
	Tokens []string
}

// LoadPool reads the pool from the cache, or signs it, which takes half a minute, and writes it there. Of processes that do so
// at the same time, all get the pool that was written first: clerk-sdk-go keeps one key per kid for the whole process.
func LoadPool() (*Pool, error) {
	return loadPool(filepath.Join(cacheDir, fmt.Sprintf("pool-v1-%d", Fresh)), signPool)
}

func loadPool(path string, sign func() (*Pool, error)) (*Pool, error) {
	p, err := readPool(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return p, err
	}
	if p, err = sign(); err != nil {
		return nil, err
	}
	if err := p.write(path); err != nil {
		return nil, err
	}
	return readPool(path)
}

func signPool() (*Pool, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	p := &Pool{Key: key, Tokens: make([]string, Fresh)}
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	errs := make([]error, workers)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < Fresh && errs[w] == nil; i += workers {
				p.Tokens[i], errs[w] = Sign(key, KeyID, Claims(i))
			}
		})
	}
	wg.Wait()
	return p, errors.Join(errs...)
}

// Claims are those of a session token of version 2, as Clerk mints it for the member of an organization.
func Claims(n int) jwt.MapClaims {
	id := poolID(n)
	return jwt.MapClaims{
		"aud": Audience, "azp": Party, "exp": issued.AddDate(50, 0, 0).Unix(), "fva": []int{3, -1},
		"fea": "o:dashboard,o:reports", "iat": issued.Unix(), "iss": Issuer, "jti": fmt.Sprintf("%020x", n),
		"nbf": issued.Add(-10 * time.Second).Unix(), "pla": "o:team",
		"o":   map[string]string{"id": "org_" + id, "slg": "acme", "rol": "admin", "per": "read,manage", "fpm": "1,3"},
		"sid": "sess_" + id, "sts": "active", "sub": "user_" + id, "v": 2,
	}
}

// poolID is what the identifiers of the n-th token's session, user and organization end with.
func poolID(n int) string { return fmt.Sprintf("2bench%021d", n) }

// Sign mints a token as Clerk does: RS256, with a kid and cat in the header.
func Sign(key *rsa.PrivateKey, kid string, claims jwt.MapClaims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = kid
	token.Header["cat"] = "cl_B7d4PD111AAA"
	return token.SignedString(key)
}

func readPool(path string) (*Pool, error) {
	f, err := os.Open(path) //nolint:gosec // a constant path
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	lines := bufio.NewScanner(f)
	lines.Scan()
	der, err := base64.StdEncoding.DecodeString(lines.Text())
	if err != nil {
		return nil, err
	}
	p := &Pool{}
	if p.Key, err = x509.ParsePKCS1PrivateKey(der); err != nil {
		return nil, err
	}
	for lines.Scan() {
		p.Tokens = append(p.Tokens, lines.Text())
	}
	if len(p.Tokens) != Fresh {
		return nil, fmt.Errorf("%s has %d tokens, not %d: remove it", path, len(p.Tokens), Fresh)
	}
	return p, lines.Err()
}

// write leaves a file that is there as it is.
func (p *Pool) write(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "pool")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // a temporary file
	w := bufio.NewWriter(f)
	_, _ = fmt.Fprintln(w, base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(p.Key)))
	for _, token := range p.Tokens {
		_, _ = fmt.Fprintln(w, token) // Flush tells
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

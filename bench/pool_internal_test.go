package bench

import (
	"crypto/rand"
	"crypto/rsa"
	"path/filepath"
	"slices"
	"testing"
)

// A process that signs a pool while another one does gets the one that is in the cache, and so do those that come later.
func TestPoolThatIsWrittenFirstCounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache", "pool")
	sign := func() (*Pool, error) {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		return &Pool{Key: key, Tokens: slices.Repeat([]string{"a.b.c"}, Fresh)}, err
	}
	var other *Pool
	late, err := loadPool(path, func() (*Pool, error) {
		var err error
		if other, err = loadPool(path, sign); err != nil {
			return nil, err
		}
		return sign()
	})
	if err != nil {
		t.Fatal(err)
	}
	if !late.Key.Equal(other.Key) {
		t.Error("got the pool that was signed second, want the one in the cache")
	}
	if files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); err != nil || len(files) != 1 {
		t.Errorf("got %q, %v in the cache, want the pool alone", files, err)
	}
}

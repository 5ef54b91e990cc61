package decision

import (
	"os"
	"os/exec"
	"testing"
)

// A secret of which no key can be made is an error: without a key there would be no party cookies.
// A process of its own shows it, as Go accepts every secret unless it is started with nothing but
// FIPS 140.
func TestNewPartyKeyOfAShortSecret(t *testing.T) {
	const alone = "fips140=only"
	if os.Getenv("GODEBUG") == alone {
		if key, err := NewPartyKey([]byte("13 characters")); key != nil || err == nil {
			t.Errorf("NewPartyKey(13 bytes) = %d bytes, %v, want an error", len(key), err)
		}
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNewPartyKeyOfAShortSecret$") //nolint:gosec // this test itself
	child.Env = append(os.Environ(), "GODEBUG="+alone)
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("in a process with %s: %v\n%s", alone, err, out)
	}
}

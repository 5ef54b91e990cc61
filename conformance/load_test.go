package conformance_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A recording is everything in one folder.
type recording struct {
	builtIn   bool // testdata, not a folder that CLERKAUTH_CASES names
	families  []string
	cases     map[string][]*recorded
	sequences []sequence
}

var loadOnce = sync.OnceValues(func() (*recording, error) {
	if folder := os.Getenv("CLERKAUTH_CASES"); folder != "" {
		return read(folder)
	}
	r, err := read("testdata")
	if err == nil {
		r.builtIn = true
	}
	return r, err
})

func load(tb testing.TB) *recording {
	tb.Helper()
	r, err := loadOnce()
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func read(folder string) (*recording, error) {
	files, err := filepath.Glob(filepath.Join(folder, "cases", "*.json*"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no cases in %s", filepath.Join(folder, "cases"))
	}
	r := &recording{cases: map[string][]*recorded{}}
	for _, file := range files {
		var cases []*recorded
		if err := decodeFile(file, &cases); err != nil {
			return nil, err
		}
		family, _, _ := strings.Cut(filepath.Base(file), ".")
		if slices.Contains(r.families, family) {
			return nil, fmt.Errorf("%s: family %s is there twice", folder, family)
		}
		r.families = append(r.families, family)
		r.cases[family] = cases
	}
	for _, name := range []string{"sequences.json", "sequences.json.gz"} {
		err := decodeFile(filepath.Join(folder, name), &r.sequences)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return r, nil
}

// wholeRecording are the families of the whole recording.
var wholeRecording = []string{
	"a_header", "b_azp", "c_cookies", "d_eligibility", "e_resolution", "f_dev_browser", "g_satellite", "h_proxy", "i_org_sync",
	"j_refresh", "k_cross_origin", "l_claims", "m_machine", "n_jwt_key", "o_config", "p_combo", "q_mixed", mixturesFamily, alteredFamily,
}

// missing are the families of the whole recording that this one does not have.
func (r *recording) missing() []string {
	return slices.DeleteFunc(slices.Clone(wholeRecording), func(family string) bool { return len(r.cases[family]) > 0 })
}

func decodeFile(name string, into any) (err error) {
	f, err := os.Open(name) //nolint:gosec // the folder is the tester's own
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	d := json.NewDecoder(bytes.NewReader(lengthenNonces(content)))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// The recording's nonces are shorter than Clerk's, and than what is accepted as one here. They are lengthened in requests,
// in the Backend API and in its calls, so that they can be exchanged.
var shortNonce = regexp.MustCompile(`(__clerk_handshake_nonce=|"nonce": ?"|"nonce", ?")([\w-]{1,7})([;&#" \\])`)

func lengthenNonces(text []byte) []byte {
	return shortNonce.ReplaceAll(text, []byte("${1}${2}_made_longer${3}"))
}

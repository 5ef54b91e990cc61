package conformance_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFewerFamilies runs all tests again with recordings that lack most families.
func TestFewerFamilies(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	if !load(t).builtIn {
		t.Skip("it is another recording already")
	}
	folders := map[string]struct {
		families map[string]int // and how many cases of each
		code     int
		says     string
	}{
		"no folder":        {nil, 1, "nothing to decide: no cases in"},
		"no case":          {map[string]int{"a_header": 0}, 0, "no case of a_header, b_azp, c_cookies"},
		"one case":         {map[string]int{"o_config": 1}, 0, "no case of a_header, b_azp, c_cookies"},
		"no cookies":       {map[string]int{"a_header": 20}, 0, "no case of b_azp, c_cookies"},
		"another's":        {map[string]int{"b_azp": 30, "k_cross_origin": 20, "x_mine": 0}, 0, "no case of a_header, c_cookies"},
		"no sequences":     {map[string]int{"e_resolution": 40, "g_satellite": 40}, 0, "no case of a_header, b_azp, c_cookies, d_eligibility, f_dev_browser"},
		"answers, proxies": {map[string]int{"j_refresh": 20, "h_proxy": 20, "d_eligibility": 40, "m_machine": 20}, 0, "no case of a_header, b_azp, c_cookies, e_resolution"},
	}
	for name, f := range folders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, code := runOn(t, writeRecording(t, f.families))
			if code != f.code || strings.Contains(out, "panic") || !strings.Contains(out, f.says) {
				t.Errorf("exit status %d, want %d and %q in:\n%s", code, f.code, f.says, out)
			}
		})
	}
}

// writeRecording makes a folder with the first cases of families. nil: there is none.
func writeRecording(t *testing.T, families map[string]int) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "recording")
	if families == nil {
		return folder
	}
	if err := os.MkdirAll(filepath.Join(folder, "cases"), 0o700); err != nil {
		t.Fatal(err)
	}
	for family, n := range families {
		cases := load(t).cases[family]
		text, err := json.Marshal(append([]*recorded{}, cases[:n]...))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "cases", family+".json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// runOn runs this very test binary on another recording.
func runOn(t *testing.T, folder string) (out string, code int) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.short") //nolint:gosec // itself
	c.Env = append(os.Environ(), "CLERKAUTH_CASES="+folder, "CLERKAUTH_SEED=", "CLERKAUTH_MIXTURES=")
	text, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(text), c.ProcessState.ExitCode()
}

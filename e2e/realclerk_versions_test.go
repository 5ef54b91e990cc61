package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRealVersions logs the versions that these tests run, and checks that the page in docs lists them.
func TestRealVersions(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "real-clerk.md"))
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, name := range []string{"@clerk/clerk-js", "@clerk/ui", "@clerk/react", "@clerk/express", "@clerk/backend"} {
		versions[name] = versionOf(t, name)
	}
	const sdk = "github.com/clerk/clerk-sdk-go/v2"
	module, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if _, rest, ok := strings.Cut(string(module), sdk+" v"); ok {
		versions[sdk], _, _ = strings.Cut(rest, "\n")
	}
	for name, version := range versions {
		t.Logf("%s %s", name, version)
		if row := "| `" + name + "` | " + version + " |"; !strings.Contains(string(page), row) {
			t.Errorf("docs/real-clerk.md does not have the row %q", row)
		}
	}
}

// versionOf returns the version of an installed package, which must be the one in npm/package.json.
func versionOf(t *testing.T, name string) string {
	t.Helper()
	read := func(file string, v any) {
		t.Helper()
		content, err := os.ReadFile(file) //nolint:gosec // G304: it is one of ours, or of npm's
		if err == nil {
			err = json.Unmarshal(content, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var installed struct{ Version string }
	var wanted struct{ Dependencies map[string]string }
	read(filepath.Join(modules(t), filepath.FromSlash(name), "package.json"), &installed)
	read(filepath.Join("npm", "package.json"), &wanted)
	if installed.Version != wanted.Dependencies[name] {
		t.Errorf("%s is %s, want %s: npm ci in e2e/npm", name, installed.Version, wanted.Dependencies[name])
	}
	return installed.Version
}

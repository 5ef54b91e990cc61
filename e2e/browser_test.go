package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// longestWait is the longest time for a journey on a busy machine.
const longestWait = 3 * time.Minute

// tab is a window of a browser that can reach the hosts of a site.
type tab struct {
	driver
	t *testing.T
}

// place is the tab's URL, and what the page there says.
type place struct {
	URL string `json:"url"`
	Who string `json:"who"` // empty: it is not one of the app's pages
}

// open starts a Chromium with a new profile.
func (s *site) open(t *testing.T) *tab {
	t.Helper()
	return s.openWith(t, t.TempDir())
}

// openWith starts a Chromium with a profile.
func (s *site) openWith(t *testing.T, profile string) *tab {
	t.Helper()
	return &tab{openChromium(t, s.internet, profile), t}
}

// visit navigates as by the address bar.
func (b *tab) visit(url string) {
	b.t.Helper()
	b.mustNavigate(b.navigate(url))
}

// press clicks an element that leads to another page.
func (b *tab) press(selector string) {
	b.t.Helper()
	b.mustNavigate(b.click(selector))
}

// reload loads the page again.
func (b *tab) reload() {
	b.t.Helper()
	b.mustNavigate(b.driver.reload())
}

func (b *tab) mustNavigate(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("the navigation failed at %+v: %v", b.place(), err)
	}
}

// text returns the whole text of the page.
func (b *tab) text() string {
	b.t.Helper()
	return evaluate[string](b, `document.body.innerText`)
}

// place returns where the tab is.
func (b *tab) place() place {
	b.t.Helper()
	return evaluate[place](b, `({url: location.href, who: document.querySelector("#who")?.textContent ?? ""})`)
}

// expect compares where the tab is.
func (b *tab) expect(when string, want place) {
	b.t.Helper()
	if got := b.place(); got != want {
		b.t.Errorf("%s: at %+v, want %+v", when, got, want)
	}
}

// evaluate runs a script in the page and waits for its result.
func evaluate[T any](b *tab, script string, args ...any) T {
	b.t.Helper()
	script = fmt.Sprintf(script, args...)
	var result T
	raw, err := b.evaluate(script)
	if err == nil {
		err = json.Unmarshal(raw, &result)
	}
	if err != nil {
		b.t.Fatalf("running %s: %v", script, err)
	}
	return result
}

// await waits until a condition is true in the page.
func (b *tab) await(condition string) {
	b.t.Helper()
	if err := b.driver.await(condition); err != nil {
		b.t.Fatalf("waiting for %s: %v", condition, err)
	}
}

// picture saves a screenshot, if screenshots are wanted.
func (b *tab) picture() {
	b.t.Helper()
	dir := os.Getenv("E2E_SCREENSHOTS")
	if dir == "" {
		return
	}
	image, err := b.screenshot()
	if err != nil {
		b.t.Fatal(err)
	}
	name := strings.NewReplacer("/", "_", " ", "_", ",", "").Replace(b.t.Name()) + ".png"
	//nolint:gosec // G703: the person who runs the tests chooses the path
	if err := os.WriteFile(filepath.Join(dir, name), image, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// signIn signs in completely: the app's page, the instance's, and back.
func (s *site) signIn(b *tab, path string) {
	b.t.Helper()
	b.visit(s.home + path)
	if at := b.place().URL; !strings.HasPrefix(at, s.app.signIn+"?") {
		b.t.Fatalf("the first visit ends at %s, want the sign-in page", at)
	}
	b.press(`button[value="` + alice + `"]`)
	b.expect("back from the sign-in page", s.signedIn(path))
}

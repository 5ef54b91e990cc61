package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/clerktest"
)

func TestFaultsAreSwitchedOnAndOff(t *testing.T) {
	p := start(t, "-fault", "jwks=503", "-fault", "tokens=down")
	keys, control := p.variables["CLERK_PROXY_URL"]+"/.well-known/jwks.json", p.variables["CLERK_API_URL"]
	if status, _ := send(t, "GET", keys, "", nil); status != http.StatusServiceUnavailable {
		t.Errorf("with the flag: got %d, want 503", status)
	}
	browser, id := p.signIn("user_2alice")
	tokens := p.variables["CLERK_PROXY_URL"] + "/v1/client/sessions/" + id + "/tokens?__clerk_db_jwt=" + browser
	if status, body := send(t, "POST", tokens, "", nil); status != 0 {
		t.Errorf("a broken connection: got %d %s, want no answer", status, body)
	}
	set := func(endpoint, fault string, header http.Header) int {
		t.Helper()
		if header == nil {
			header = http.Header{}
		}
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		status, _ := send(t, "POST", control+"/fault", url.Values{"endpoint": {endpoint}, "fault": {fault}}.Encode(), header)
		return status
	}
	for _, foreign := range []http.Header{
		{"Origin": {"https://evil.example"}}, {"Sec-Fetch-Site": {"cross-site"}}, {"Host": {"evil.example"}}, {"Host": {"evil.example:4421"}, "Origin": {"http://evil.example:4421"}},
	} {
		if status := set("jwks", "off", foreign); status != http.StatusForbidden {
			t.Errorf("%v: got %d, want 403", foreign, status)
		}
	}
	if status, _ := send(t, "GET", control+"/", "", http.Header{"Host": {"evil.example"}}); status != http.StatusForbidden {
		t.Errorf("under another name the page answers %d, want %d", status, http.StatusForbidden)
	}
	if status := set("jwks", "nonsense", nil); status != http.StatusBadRequest {
		t.Errorf("no fault at all: got %d, want 400", status)
	}
	if status, _ := send(t, "GET", keys, "", nil); status != http.StatusServiceUnavailable {
		t.Errorf("after what was refused: got %d, want 503", status)
	}
	if status := set("jwks", "off", nil); status != http.StatusSeeOther {
		t.Errorf("switched off: got %d, want 303", status)
	}
	if status, _ := send(t, "GET", keys, "", nil); status != http.StatusOK {
		t.Errorf("without a fault: got %d, want 200", status)
	}
	set("tokens", "418", nil)
	status, page := send(t, "GET", control+"/", "", nil)
	if status != http.StatusOK || !strings.Contains(page, `class="on">418`) || !strings.Contains(page, id) {
		t.Errorf("the control page: got %d, want 200 with the fault 418 and the session\n%s", status, page)
	}
	if status, _ := send(t, "POST", tokens, "", nil); status != http.StatusTeapot {
		t.Errorf("tokens: got %d, want 418", status)
	}
	for want, status := range map[string]int{id: http.StatusSeeOther, "sess_x": http.StatusNotFound} {
		if got, _ := send(t, "POST", control+"/end", "session="+want, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}); got != status {
			t.Errorf("end %s: got %d, want %d", want, got, status)
		}
	}
	if _, page := send(t, "GET", control+"/", "", nil); strings.Contains(page, id) {
		t.Error("the session is still active after it was ended")
	}
}

func TestScriptsComeFromTheFolderOnly(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"@clerk/clerk-js/dist/clerk.browser.js": "// clerk", "@clerk/ui/dist/ui.browser.js": "// ui",
		"@clerk/clerk-js/package.json": "{}", "@clerk/backend/dist/index.js": "// backend", "secret.js": "// secret",
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, "-npm", dir)
	for path, want := range map[string]string{
		"/npm/@clerk/clerk-js@6/dist/clerk.browser.js": "// clerk", "/npm/@clerk/ui@1.2.3/dist/ui.browser.js": "// ui",
		"/npm/@clerk/clerk-js@6/dist/other.js": "", "/npm/@clerk/clerk-js@6/package.json": "", "/npm/@clerk/backend@1/dist/index.js": "",
		"/npm/@clerk/clerk-js@6/dist/..%2f..%2f..%2fsecret.js": "", "/npm/secret.js": "", "/npm/@clerk/clerk-js@6/dist/": "",
	} {
		status, body := send(t, "GET", p.variables["CLERK_PROXY_URL"]+path, "", nil)
		if want == "" && status != http.StatusNotFound || want != "" && (status != http.StatusOK || body != want) {
			t.Errorf("%s: got %d %q, want %q", path, status, body, want)
		}
	}
	p.stop()
	if status, _ := send(t, "GET", start(t).variables["CLERK_PROXY_URL"]+"/npm/@clerk/clerk-js@6/dist/clerk.browser.js", "", nil); status != http.StatusNotFound {
		t.Errorf("without -npm: got %d, want 404", status)
	}
}

// An instance records every request, for tests. Here the memory would grow without end.
func TestRequestsAreNotRemembered(t *testing.T) {
	frontend, backend, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = frontend.Close(), backend.Close() })
	h, err := newHost("", frontend, backend, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	h.clerk = clerktest.New(h, clerktest.Options{Development: true})
	h.logged(h.apis[0]).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/.well-known/jwks.json", nil))
	if n := len(h.clerk.Requests()); n != 0 {
		t.Errorf("%d requests are recorded, want none", n)
	}
}

// An API key that the control page, or the Backend API, creates is valid, and still is after a restart.
func TestAPIKeysAreCreated(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "-state", dir)
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	control := p.variables["CLERK_API_URL"]
	for _, foreign := range []http.Header{{"Origin": {"https://evil.example"}}, {"Sec-Fetch-Site": {"cross-site"}}, {"Host": {"evil.example"}}} {
		foreign.Set("Content-Type", form.Get("Content-Type"))
		if status, body := send(t, "POST", control+"/api-key", "subject=user_2alice", foreign); status != http.StatusForbidden || strings.Contains(body, "ak_") {
			t.Errorf("a request with %v: got %d, want 403 and no key", foreign, status)
		}
	}
	if status, _ := send(t, "POST", control+"/api-key", "scopes=read", form); status != http.StatusBadRequest {
		t.Errorf("of nobody: got %d, want 400", status)
	}
	status, page := send(t, "POST", control+"/api-key", "subject=user_2alice&scopes=read+write", form)
	_, rest, _ := strings.Cut(page, "<code>")
	key, _, _ := strings.Cut(rest, "</code>")
	if status != http.StatusOK || !strings.HasPrefix(key, "ak_") {
		t.Fatalf("creating an API key: got %d, want 200 and a key\n%s", status, page)
	}
	if _, page := send(t, "GET", control+"/", "", nil); strings.Contains(page, key) {
		t.Error("the API key is shown a second time")
	}
	secret := http.Header{"Authorization": {"Bearer " + p.variables["CLERK_SECRET_KEY"]}, "Content-Type": {"application/json"}}
	for body, want := range map[string]int{`{"name":"n"}`: 422, `{"subject":"org_1"}`: 422, `{"name":"n","subject":"org_1"}`: 200} {
		if status, answer := send(t, "POST", control+"/api_keys", body, secret); status != want || (want == 200) != strings.Contains(answer, `"secret":"ak_`) {
			t.Errorf("%s: got %d %s, want %d", body, status, answer, want)
		}
	}
	if status, _ := send(t, "POST", control+"/api_keys", `{"name":"n","subject":"org_1"}`, nil); status != http.StatusUnauthorized {
		t.Errorf("without the secret key: got %d, want 401", status)
	}
	p.stop()
	p = start(t, "-state", dir)
	secret.Set("Authorization", "Bearer "+p.variables["CLERK_SECRET_KEY"])
	status, answer := send(t, "POST", p.variables["CLERK_API_URL"]+"/api_keys/verify", `{"secret":"`+key+`"}`, secret)
	if status != http.StatusOK || !strings.Contains(answer, `"subject":"user_2alice"`) || !strings.Contains(answer, `"scopes":["read","write"]`) {
		t.Errorf("after a restart: got %d %s, want the key of user_2alice with its scopes", status, answer)
	}
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/clerkauth/clerkauth"
)

// program is a running clerk-offline.
type program struct {
	t         *testing.T
	variables map[string]string
	log       *lockedBuffer
	stop      func() // it also waits for the end
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	p := &program{t: t, variables: map[string]string{}, log: new(lockedBuffer)}
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), in, p.log)
		_ = in.CloseWithError(io.EOF)
		ended <- err
	}()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the program ended with %v, want success\n%s", err, p.log)
		}
	})
	t.Cleanup(p.stop)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			p.variables[name] = value
		}
		if strings.HasPrefix(lines.Text(), "# Control page") {
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if p.variables["CLERK_PROXY_URL"] == "" {
		t.Fatalf("the program does not print its address: %v\n%s", p.variables, p.log)
	}
	return p
}

// send sends a request and returns status and body.
func send(t *testing.T, method, target, body string, header http.Header) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	client := http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DisableKeepAlives: true},
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(content)
}

// script sends what Clerk's scripts send, and decodes the answer.
func (p *program) script(method, path, form string, v any) {
	p.t.Helper()
	status, body := send(p.t, method, p.variables["CLERK_PROXY_URL"]+path, form, http.Header{
		"Origin": {"http://localhost:3000"}, "Content-Type": {"application/x-www-form-urlencoded"},
	})
	if status != http.StatusOK {
		p.t.Fatalf("%s: got %d %s, want 200", path, status, body)
	}
	if err := json.Unmarshal([]byte(body), v); err != nil {
		p.t.Fatal(err)
	}
}

// signIn signs a person in, by the ID of a user and a ticket of the Backend API.
func (p *program) signIn(user string) (browser, session string) {
	p.t.Helper()
	var ticket struct{ Token string }
	status, body := send(p.t, "POST", p.variables["CLERK_API_URL"]+"/v1/sign_in_tokens", `{"user_id":"`+user+`"}`,
		http.Header{"Authorization": {"Bearer " + p.variables["CLERK_SECRET_KEY"]}})
	if err := json.Unmarshal([]byte(body), &ticket); status != http.StatusOK || err != nil {
		p.t.Fatalf("sign_in_tokens: got %d %s, want 200", status, body)
	}
	var known struct{ ID string }
	p.script("POST", "/v1/dev_browser", "", &known)
	var signedIn struct {
		Response struct {
			Session string `json:"created_session_id"`
		}
	}
	p.script("POST", "/v1/client/sign_ins?__clerk_db_jwt="+known.ID, "strategy=ticket&ticket="+ticket.Token, &signedIn)
	return known.ID, signedIn.Response.Session
}

func (p *program) token(browser, session string) string {
	p.t.Helper()
	var token struct{ JWT string }
	p.script("POST", "/v1/client/sessions/"+session+"/tokens?__clerk_db_jwt="+browser, "", &token)
	return token.JWT
}

// verify verifies a token with the printed variables, as an app would.
func (p *program) verify(token string) (*clerkauth.Session, error) {
	p.t.Helper()
	auth, err := clerkauth.New(clerkauth.Config{
		PublishableKey: p.variables["CLERK_PUBLISHABLE_KEY"], SecretKey: p.variables["CLERK_SECRET_KEY"],
		BackendAPIURL: p.variables["CLERK_API_URL"], ProxyURL: p.variables["CLERK_PROXY_URL"], SignInURL: p.variables["CLERK_SIGN_IN_URL"],
		AuthorizedParties: strings.Split(p.variables["CLERK_AUTHORIZED_PARTIES"], ","),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return auth.VerifyToken(p.t.Context(), token)
}

func write(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "people.json")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

const crew = `[
	{"id": "user_ada", "name": "Ada Byron", "email": "ada@example.com", "plans": ["free"], "features": ["search"], "claims": {"tier": 3},
	 "organizations": [
		{"id": "org_acme", "slug": "acme", "role": "admin", "active": true, "permissions": ["org:invoices:create"], "plans": ["pro"]},
		{"id": "org_zeta", "slug": "zeta", "role": "member", "permissions": ["org:docs:read"]}]},
	{"id": "user_ben"}
]`

func TestPeopleSignInAndTheVariablesVerifyThem(t *testing.T) {
	p := start(t, "-people", write(t, crew), "-token-lifetime", "90s")
	browser, id := p.signIn("user_ada")
	s, err := p.verify(p.token(browser, id))
	if err != nil {
		t.Fatal(err)
	}
	if s.UserID != "user_ada" || s.ID != id || s.Organization.ID != "org_acme" || strings.Join(s.Permissions(), " ") != "org:invoices:create" {
		t.Errorf("got the session %+v, want %s of user_ada with org_acme and its permission", s, id)
	}
	if got := s.ExpiresAt.Sub(s.IssuedAt).Seconds(); got != 90 {
		t.Errorf("the token is good for %v s, want 90", got)
	}
	for _, plan := range []string{"o:pro", "u:free"} {
		if !s.Has(clerkauth.Plan(plan)) {
			t.Errorf("the session does not have the plan %s", plan)
		}
	}
	log := p.log.String()
	if !strings.Contains(log, "POST   /v1/client/sign_ins  from http://localhost:3000") || strings.Contains(log, browser) || strings.Contains(log, p.variables["CLERK_SECRET_KEY"]) {
		t.Errorf("the log has no line of the sign-in, or secrets:\n%s", log)
	}
}

func TestRestartKeepsKeysAndSessions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	people := write(t, crew)
	p := start(t, "-people", people, "-state", dir)
	browser, id := p.signIn("user_ada")
	before, secret := p.token(browser, id), p.variables["CLERK_SECRET_KEY"]
	if status, body := send(t, "POST", p.variables["CLERK_API_URL"]+"/v1/users", `{"email_address":["new@example.com"]}`,
		http.Header{"Authorization": {"Bearer " + secret}}); status != http.StatusOK {
		t.Fatalf("creating a user: got %d %s, want 200", status, body)
	}
	p.stop()

	p = start(t, "-people", people, "-state", dir)
	if p.variables["CLERK_SECRET_KEY"] != secret {
		t.Error("with -state the secret key changed after a restart")
	}
	if _, err := p.verify(before); err != nil {
		t.Errorf("with -state a token from before the restart: %v", err)
	}
	if s, err := p.verify(p.token(browser, id)); err != nil || s.Organization.ID != "org_acme" {
		t.Errorf("with -state the session after a restart is %+v with %v, want it with org_acme", s, err)
	}
	if _, body := send(t, "GET", p.variables["CLERK_API_URL"]+"/v1/users?query=new@", "", http.Header{"Authorization": {"Bearer " + secret}}); !strings.Contains(body, "new@example.com") {
		t.Errorf("with -state the created user is lost after a restart: %s", body)
	}
	p.stop()

	p = start(t, "-people", people)
	if p.variables["CLERK_SECRET_KEY"] == secret {
		t.Error("without -state the secret key is the old one, want a new one")
	}
	if _, err := p.verify(before); err == nil {
		t.Error("without -state a token from before the restart is accepted")
	}
	info, err := os.Stat(filepath.Join(dir, stateFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file with the keys: got %v and %v, want the mode 0600", info, err)
	}
}

func TestStateThatCannotBeReadIsSaid(t *testing.T) {
	dir := t.TempDir()
	for _, content := range []string{"{", `{"keys":[{"kid":"x","pkcs8":"AAAA"}]}`} {
		if err := os.WriteFile(filepath.Join(dir, stateFile), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-state", dir}, io.Discard, io.Discard); err == nil {
			t.Errorf("a state file with %s is accepted", content)
		}
	}
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{
		{"-addr", "0.0.0.0:0"},
		{"-addr", ":0"},
		{"-addr", "192.0.2.1:0"},
		{"-addr", "x"},
		{"-token-lifetime", "5ms"},
		{"-fault", "jwks"},
		{"-fault", "jwks=odd"},
		{"-fault", "nowhere=down"},
		{"-fault", "jwks=200"},
		{"-fault", "jwks=slow:x"},
		{"more"},
		{"-people", "/nowhere"},
		{"-npm", t.TempDir()},
		{"-people", write(t, `[{"id":"a","role":"x"}]`)},
		{"-people", write(t, `[{"name":"a"}]`)},
		{"-people", write(t, `[{"id":"a"},{"id":"a"}]`)},
		{"-people", write(t, `[{"id":"a","organizations":[{"id":"o","permissions":["x:y"]}]}]`)},
		{"-people", write(t, `[{"id":"a","organizations":[{"slug":"o"}]}]`)},
		{"-people", write(t, `[{"id":"a","organizations":[{"id":"o","active":true},{"id":"p","active":true}]}]`)},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // one that starts ends at once
		if err := run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), io.Discard, io.Discard); err == nil {
			t.Errorf("run(%q) starts, want an error", args)
		}
	}
}

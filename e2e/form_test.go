package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// mailbox is an app in which people write letters, on a page without scripts, for longer than a
// token is valid.
type mailbox struct {
	*site

	mu      sync.Mutex
	letters []string
}

func (m *mailbox) handler(auth *clerkauth.Authenticator) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /form", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Referrer-Policy", r.FormValue("policy"))
		fmt.Fprint(w, `<!doctype html><title>form</title><link rel="icon" href="data:,"><h1 id="who">form</h1>
			<form method="post" action="/letter"><textarea name="text"></textarea><button id="send">Send</button></form>`)
	})
	mux.Handle("POST /letter", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.letters = append(m.letters, r.FormValue("text"))
		http.Redirect(w, r, "/private", http.StatusSeeOther)
	})))
	mux.Handle("/", m.app.handler(auth))
	all := http.NewServeMux()
	all.HandleFunc("GET /favicon.ico", http.NotFound) // a refusal's page names no icon, and browsers request this one
	all.HandleFunc("GET /worker.js", worker)          // WebKit requests its worker many times
	all.Handle("/", m.app.record(auth.Optional(mux)))
	return all
}

// received returns the letters so far.
func (m *mailbox) received() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.letters)
}

// openMailbox replaces a site's app with the mailbox.
func openMailbox(t *testing.T, in *internet, domain string, opts clerktest.Options) *mailbox {
	t.Helper()
	m := &mailbox{site: productionIn(t, in, domain, opts, nil)}
	in.serve(t, m.home, m.handler(m.authenticator(t, nil)))
	return m
}

// write fills in the form, waits until the token expires, and sends it.
func (m *mailbox) write(b *tab, policy, text string) {
	b.t.Helper()
	b.visit(m.home + "/form?policy=" + policy)
	evaluate[any](b, `void (document.querySelector("textarea").value = %q)`, text)
	m.expire()
	m.renewals()
	b.press("#send")
}

// A form that took more than a minute is accepted, whatever the Referrer-Policy of the page, and
// costs one refresh.
func formAfterAMinute(m *mailbox, b *tab, _ string) {
	m.signIn(b, "/private")
	var want []string
	for _, policy := range policies {
		text := "under " + policy
		m.write(b, policy, text)
		want = append(want, text)
		b.expect("after the form, under "+policy, m.signedIn("/private"))
		if handshakes, refreshes := m.renewals(); handshakes != 0 || refreshes != 1 {
			b.t.Errorf("policy %q: %d handshakes and %d refreshes, want one refresh", policy, handshakes, refreshes)
		}
	}
	if got := m.received(); !slices.Equal(got, want) {
		b.t.Errorf("letters %q, want %q", got, want)
	}
}

// No form or script of a sibling subdomain causes a refresh.
func siblingSubdomainRefreshesNothing(m *mailbox, b *tab, _ string) {
	m.signIn(b, "/private")
	for _, policy := range policies {
		m.expire()
		m.renewals()
		b.visit(m.evil + "/?policy=" + policy)
		evaluate[int](b, postFetch, m.home+"/letter")
		evaluate[any](b, postForm, m.home+"/letter")
		b.press("#write")
		b.reload() // which WebKit sends as the person's own navigation
		if _, refreshes := m.renewals(); refreshes != 0 {
			b.t.Errorf("policy %q: %d refreshes, want none", policy, refreshes)
		}
	}
	b.visit(m.evil + "/")
	if got := evaluate[string](b, openSocket, "wss"+strings.TrimPrefix(m.home, "https")+"/ws"); got != "refused" {
		b.t.Errorf("a sibling subdomain's WebSocket: got %s, want refused", got)
	}
	if _, refreshes := m.renewals(); refreshes != 0 || len(m.received()) != 0 {
		b.t.Errorf("%d refreshes and the letters %q, want none", refreshes, m.received())
	}
}

// Behind a service worker that answers everything, a sibling subdomain's form may look like the
// app's own. It causes no refresh in any engine, and therefore the app's own form does not either.
func workerRefreshesNothing(m *mailbox, b *tab, _ string) {
	m.signIn(b, "/private")
	evaluate[bool](b, registerWorker, "all")
	for _, policy := range policies {
		m.expire()
		m.renewals()
		b.visit(m.evil + "/?policy=" + policy)
		evaluate[any](b, postForm, m.home+"/letter")
		b.press("#write")
		if _, refreshes := m.renewals(); refreshes != 0 || len(m.received()) != 0 {
			b.t.Errorf("a sibling subdomain's form with policy %q: %d refreshes and the letters %q, want none: %+v", policy, refreshes, m.received(), m.provenance("/letter"))
		}
	}
	b.visit(m.home + "/private")
	m.write(b, "", "own")
	status := m.app.answers("/letter")
	if own := status[len(status)-1].status; own != http.StatusUnauthorized {
		b.t.Errorf("the app's own form: %d, want 401: %+v", own, m.provenance("/letter"))
	}
}

// Where no refresh is possible the page says so, the browser keeps the letter, and it is accepted
// after a sign-in in another tab.
func formIsSentAgain(m *mailbox, b *tab, _ string) {
	m.signIn(b, "/private")
	b.visit(m.home + "/private") // Chromium does not keep a page that sets a cookie, as the first one does, or its form
	m.write(b, "", "dear all")
	if status := m.app.status("/letter"); status != http.StatusUnauthorized {
		b.t.Errorf("%d, want 401", status)
	}
	if text := b.text(); !strings.Contains(text, "in another tab") || !strings.Contains(text, "send it once more") {
		b.t.Errorf("the page does not say to sign in in another tab and to send the form once more: %q", text)
	}
	if link := evaluate[string](b, `document.querySelector("a[target=_blank]").href`); link != m.app.signIn {
		b.t.Errorf("the link leads to %s, want %s", link, m.app.signIn)
	}
	b.picture()
	// Another tab gets a new session token, in the cookies that both share.
	_, tabs := b.driver.(chromium)
	if tabs {
		b.another().visit(m.home + "/private")
	}
	b.back("/form")
	b.await(`document.querySelector("textarea").value !== "" || performance.now() > 5000`) // Chromium fills it in after loading
	if got := evaluate[string](b, `document.querySelector("textarea").value`); got != "dear all" {
		b.t.Errorf("after the back button the letter is %q, want \"dear all\"", got)
	}
	if !tabs {
		evaluate[any](b, showFrame, "/private")
	}
	b.press("#send")
	b.expect("sent once more", m.signedIn("/private"))
	if got := m.received(); !slices.Equal(got, []string{"dear all"}) {
		b.t.Errorf("got the letters %q, want \"dear all\"", got)
	}
}

const showFrame = `new Promise(done => {
	const frame = document.createElement("iframe")
	frame.onload = () => done(null)
	frame.src = %q
	document.body.append(frame)
})`

// back goes back one page with a path, as the button does: the contents of its form are restored.
func (b *tab) back(path string) {
	b.t.Helper()
	evaluate[any](b, `void setTimeout(() => history.back())`)
	err := eventually(within(b.t), func() error {
		there, err := b.evaluate(fmt.Sprintf(`location.pathname === %q && document.readyState === "complete"`, path))
		if err == nil && string(there) != "true" {
			err = errors.New("the page is not there yet")
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestFormsInEveryEngine(t *testing.T) {
	t.Parallel()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			in := newInternet(t)
			browser := e.open(t, in)
			for i, j := range []struct {
				name string
				opts clerktest.Options
				run  func(*mailbox, *tab, string)
			}{
				{"after a minute", clerktest.Options{}, formAfterAMinute},
				{"of a sibling subdomain", clerktest.Options{}, siblingSubdomainRefreshesNothing},
				{"through a service worker", clerktest.Options{}, workerRefreshesNothing},
				{"sent again", clerktest.Options{WithoutRefresh: true}, formIsSentAgain},
			} {
				t.Run(j.name, func(t *testing.T) {
					m := openMailbox(t, in, fmt.Sprintf("form-%d.test", i), j.opts)
					b := &tab{browser, t}
					j.run(m, b, e.name)
					b.picture()
				})
			}
		})
	}
}

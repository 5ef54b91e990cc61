package clerktest

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// browser is what the instance knows about one browser. Clerk calls it a client.
type browser struct {
	cookie string // __client, of the Frontend API's host
	token  string // __clerk_db_jwt: in development, identifies the browser at the app's host

	// Guarded by browsers.mu.
	session *BrowserSession // nil: nobody is signed in
	signIn  *signIn         // the sign-in that has been started; nil: none
}

// id identifies the browser to scripts and servers, without telling them its cookie.
func (b *browser) id() string { return fmt.Sprintf("client_%.13x", sha256.Sum256([]byte(b.cookie))) }

// browsers are the known browsers, and their handshakes that are not finished. The zero browsers is empty.
type browsers struct {
	mu     sync.Mutex
	all    []*browser
	named  map[string]*browser // by cookie and by token
	nonces map[string]waiting
}

// waiting is what can be fetched once with a nonce.
type waiting struct {
	cookies []string // Set-Cookie values
	ticket  *Person  // the person who signs in
	browser *browser // the browser that a satellite's cookie will belong to
	until   time.Time
}

func (b *browsers) open() *browser {
	n := &browser{cookie: "client_" + rand.Text(), token: "dvb_" + rand.Text()}
	b.add(n)
	return n
}

func (b *browsers) add(n *browser) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.named == nil {
		b.named = map[string]*browser{}
	}
	b.all = append(b.all, n)
	b.named[n.cookie], b.named[n.token] = n, n
}

// find returns the browser with this cookie or token, or nil.
func (b *browsers) find(name string) *browser {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.named[name]
}

// session is the session of a browser; nil where nobody is signed in, or without a browser.
func (b *browsers) session(of *browser) *BrowserSession {
	if of == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return of.session
}

// nonceLifetime is how long a nonce can be exchanged.
const nonceLifetime = time.Minute

// keep stores something that can be fetched once with the nonce.
func (b *browsers) keep(nonce string, what waiting, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.nonces == nil {
		b.nonces = map[string]waiting{}
	}
	for known, w := range b.nonces {
		if !now.Before(w.until) {
			delete(b.nonces, known)
		}
	}
	b.nonces[nonce] = what
}

// take returns what was stored for a nonce, or the zero waiting if the nonce is unknown, used or too old.
func (b *browsers) take(nonce string, now time.Time) waiting {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.nonces[nonce]
	delete(b.nonces, nonce)
	if !now.Before(w.until) {
		return waiting{}
	}
	return w
}

const (
	clientName = "__client"
	devBrowser = "__clerk_db_jwt" // as a cookie of the app's host, and as a parameter
)

// browserOf is the browser that sent a request to the Frontend API; nil: unknown yet. In development, the app's host may
// have added its token, which takes precedence over the cookie.
func (in *Instance) browserOf(r *http.Request) *browser {
	if !in.live() {
		if b := in.browsers.find(r.URL.Query().Get(devBrowser)); b != nil {
			return b
		}
	}
	c, err := r.Cookie(clientName)
	if err != nil {
		return nil
	}
	return in.browsers.find(c.Value)
}

// remember is browserOf, but starts a new browser, with its cookie, where none is known.
func (in *Instance) remember(w http.ResponseWriter, r *http.Request) *browser {
	b := in.browserOf(r)
	if b == nil {
		b = in.browsers.open()
	}
	http.SetCookie(w, in.newClientCookie(b))
	return b
}

func (in *Instance) newClientCookie(b *browser) *http.Cookie {
	return scope{maxAge: yearLong, secure: in.live(), httpOnly: true}.cookie(clientName, b.cookie)
}

// clientCookie is the cookie of the Frontend API in a jar; empty: there is none.
func (in *Instance) clientCookie(jar http.CookieJar) string {
	if jar == nil {
		return ""
	}
	for _, c := range jar.Cookies(in.frontendURL()) {
		if c.Name == clientName {
			return c.Value
		}
	}
	return ""
}

// leaveCookies puts the cookies of the sign-in page into a jar.
func (in *Instance) leaveCookies(jar http.CookieJar, b *browser) {
	if jar != nil {
		jar.SetCookies(in.frontendURL(), append([]*http.Cookie{in.newClientCookie(b)}, in.signInCookies(b, nil)...))
	}
}

func (in *Instance) frontendURL() *url.URL {
	u, err := url.Parse(in.frontend.url)
	if err != nil {
		panic("clerktest: " + err.Error()) // cannot happen: the URL is the instance's own
	}
	return u
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// browser is a browser without a window: it keeps cookies and follows redirects.
type browser struct {
	client     *http.Client
	app        *url.URL
	signIn     string // the instance's sign-in page
	handshakes string // the path of handshakes at the instance
	passed     int    // handshakes of the current request
}

func newBrowser(a *app) (*browser, error) {
	app, err := url.Parse(a.base)
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	b := &browser{app: app, signIn: a.clerk.URL(clerktest.SignInPage), handshakes: a.clerk.URL(clerktest.FrontendHandshake)}
	b.client = &http.Client{Jar: jar, CheckRedirect: b.follow, Timeout: 10 * time.Second}
	return b, nil
}

var errEndless = errors.New("the redirects do not end")

func (b *browser) follow(r *http.Request, via []*http.Request) error {
	if len(via) > 8 {
		return errEndless
	}
	if strings.HasPrefix(r.URL.String(), b.handshakes+"?") {
		b.passed++
	}
	return nil
}

// cookie is the cookie for the app whose name begins with prefix; both empty: there is none.
func (b *browser) cookie(prefix string) (name, value string) {
	for _, c := range b.client.Jar.Cookies(b.app) {
		if strings.HasPrefix(c.Name, prefix) {
			return c.Name, c.Value
		}
	}
	return "", ""
}

// drop deletes a cookie.
func (b *browser) drop(prefix string) {
	name, _ := b.cookie(prefix)
	b.client.Jar.SetCookies(b.app, []*http.Cookie{{Name: name, Path: "/", MaxAge: -1}}) //nolint:gosec // it deletes one
}

// Headers with which browsers say what a request is for.
var (
	navigation = http.Header{
		"Accept": {"text/html,application/xhtml+xml,*/*;q=0.8"}, "Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Site": {"none"},
	}
	script = http.Header{"Accept": {"*/*"}, "Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"same-origin"}}
)

// atSignIn stands for the instance's sign-in page.
const atSignIn = "to the sign-in page"

// outcome is the result of a request of a browser, after all redirects.
type outcome struct {
	handshakes int    // how many there were
	status     int    // the last response's
	who        string // who is signed in, or why nobody is
	renewed    bool   // the last response set another session token
}

func (r outcome) String() string {
	said := fmt.Sprintf("%s%d %s", strings.Repeat("handshake, ", r.handshakes), r.status, r.who)
	if r.renewed {
		return said + ", new __session"
	}
	return said
}

// send makes a request with header, and follows redirects to the end.
func (b *browser) send(ctx context.Context, method, target string, header http.Header, form url.Values) (outcome, error) {
	r, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(form.Encode()))
	if err != nil {
		return outcome{}, err
	}
	r.Header = header.Clone()
	if method != http.MethodGet {
		r.Header.Set("Origin", r.URL.Scheme+"://"+r.URL.Host)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	b.passed = 0
	_, before := b.cookie("__session")
	resp, err := b.client.Do(r)
	if err != nil {
		return outcome{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		return outcome{}, err
	}
	var me identity
	_ = json.Unmarshal(body, &me) // a page or a refusal names nobody
	end := outcome{handshakes: b.passed, status: resp.StatusCode, who: me.User}
	switch {
	case strings.HasPrefix(resp.Request.URL.String(), b.signIn+"?"):
		end.who = atSignIn
	case end.who == "":
		end.who = resp.Header.Get("X-Clerk-Auth-Reason")
	}
	for _, c := range resp.Cookies() {
		end.renewed = end.renewed || c.Name == "__session" && c.Value != "" && c.Value != before
	}
	return end, nil
}

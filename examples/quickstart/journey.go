package main

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// leg is a part of a browser's journey, and its expected end. Each begins where the one before it ended.
type leg struct {
	title string
	want  outcome
	run   func(ctx context.Context, a *app, b *browser) (outcome, error)
}

// expiry is when a token has expired for sure, leeway included.
const expiry = lifetime + 10*time.Second

// journey is the life of a browser session: with the instance in this process, and over the network.
func journey() []leg {
	ada := people[0].Claims.Subject
	return []leg{
		{"A first visit", outcome{handshakes: 1, status: http.StatusOK, who: atSignIn}, visit},
		{"Signing in at the instance", outcome{handshakes: 1, status: http.StatusOK, who: ada}, signIn},
		{"The same page again", outcome{status: http.StatusOK, who: ada}, visit},
		{"Expired: a script's GET", outcome{status: http.StatusOK, who: ada, renewed: true}, expired(fetch)},
		{"Expired: a POST from this page", outcome{status: http.StatusOK, renewed: true}, expired(post)},
		{"Expired: no refresh cookie", outcome{handshakes: 1, status: http.StatusOK, who: ada}, expired(visitUnrefreshed)},
		{"Signed out elsewhere", outcome{handshakes: 1, status: http.StatusOK, who: atSignIn}, expired(visitEnded)},
	}
}

// travel takes a browser through the journey.
func (a *app) travel(ctx context.Context, t *table) error {
	var b *browser
	for _, l := range journey() {
		if a.clerk == nil {
			t.skip(l.title, l.want)
			continue
		}
		if b == nil {
			var err error
			if b, err = newBrowser(a); err != nil {
				return err
			}
		}
		end, err := l.run(ctx, a, b)
		t.compare(l.title, l.want, end, err)
	}
	return nil
}

// expired is a leg that begins when the token has expired.
func expired(run func(context.Context, *app, *browser) (outcome, error)) func(context.Context, *app, *browser) (outcome, error) {
	return func(ctx context.Context, a *app, b *browser) (outcome, error) {
		a.clock.pass(expiry)
		b.drop("__clerk_redirect_count") // it expires after two seconds, and the jar has another clock
		return run(ctx, a, b)
	}
}

func visit(ctx context.Context, a *app, b *browser) (outcome, error) {
	return b.send(ctx, http.MethodGet, a.base+"/me", navigation, nil)
}

// signIn opens the instance's page and presses its first button.
func signIn(ctx context.Context, a *app, b *browser) (outcome, error) {
	page, back := a.clerk.URL(clerktest.SignInPage), url.Values{"redirect_url": {a.base + "/me"}}
	if end, err := b.send(ctx, http.MethodGet, page+"?"+back.Encode(), navigation, nil); err != nil || end.status != http.StatusOK {
		return end, err
	}
	back.Set("user", people[0].Claims.Subject)
	return b.send(ctx, http.MethodPost, page, navigation, back)
}

func fetch(ctx context.Context, a *app, b *browser) (outcome, error) {
	return b.send(ctx, http.MethodGet, a.base+"/me", script, nil)
}

func post(ctx context.Context, a *app, b *browser) (outcome, error) {
	return b.send(ctx, http.MethodPost, a.base+"/waves", script, nil)
}

// visitUnrefreshed is a visit that needs a handshake.
func visitUnrefreshed(ctx context.Context, a *app, b *browser) (outcome, error) {
	b.drop("__refresh_")
	return visit(ctx, a, b)
}

// visitEnded is a visit of somebody who has signed out on another device.
func visitEnded(ctx context.Context, a *app, b *browser) (outcome, error) {
	for _, s := range a.clerk.BrowserSessions() {
		s.SignOut()
	}
	return visit(ctx, a, b)
}

package events_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/events"
)

// everyTenSeconds says for whom each event is, and heeds no context.
func everyTenSeconds(_ context.Context, session *clerkauth.Session, last string) (events.Event, error) {
	time.Sleep(10 * time.Second) // of the bubble
	n, _ := strconv.ParseInt(last, 10, 64)
	return events.Event{ID: n + 1, Data: session.UserID + "\n" + session.IssuedAt.UTC().Format(time.TimeOnly)}, nil
}

// listen is what an EventSource asks for.
func listen(t *testing.T, browser *http.Client, last string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/events", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Accept": {"text/event-stream"}, "Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"same-origin"}}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Cache-Control"); !strings.Contains(got, "no-store") {
		t.Errorf("Cache-Control %q", got)
	}
	return resp.StatusCode, string(body)
}

func visit(t *testing.T, browser *http.Client) (int, string) {
	t.Helper()
	resp, err := browser.Get("https://example.com/") //nolint:noctx // it ends with the bubble
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Request.URL.String()
}

func TestStreamEndsWithItsTokenAndComesBackRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clerk := clerktest.New(t, clerktest.Options{})
		cfg := clerk.Config()
		cfg.SignInURL, cfg.Logger = clerk.URL(clerktest.SignInPage), slog.New(slog.DiscardHandler)
		auth, err := clerkauth.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		browser := clerk.Browser(events.Routes(auth, everyTenSeconds))
		signedIn := clerk.SignIn(browser.Jar, clerktest.Person{Claims: clerktest.Claims{Subject: "user_ada"}})
		if status, at := visit(t, browser); status != http.StatusOK || at != "https://example.com/" {
			t.Fatalf("the page: %d at %s", status, at)
		}

		begin := time.Now()
		status, body := listen(t, browser, "")
		if lasted := time.Since(begin); lasted > time.Minute+10*time.Second {
			t.Errorf("the stream ends after %v", lasted)
		}
		if want := "id: 6\ndata: \"user_ada\\n00:00:00\"\n\n"; status != http.StatusOK || !strings.HasSuffix(body, want) || !strings.HasPrefix(body, "retry: ") {
			t.Errorf("%d, %q, want %q at the end", status, body, want)
		}

		began := time.Now().UTC().Format(time.TimeOnly)
		status, body = listen(t, browser, "6")
		if want := fmt.Sprintf("id: 7\ndata: \"user_ada\\n%s\"\n\n", began); status != http.StatusOK || !strings.Contains(body, want) || strings.Contains(body, "id: 6\n") {
			t.Errorf("back again: %d, %q, want %q", status, body, want)
		}

		signedIn.SignOut()
		if status, body = listen(t, browser, "12"); status != http.StatusUnauthorized {
			t.Errorf("signed out: %d, %q", status, body)
		}
		if _, at := visit(t, browser); !strings.HasPrefix(at, clerk.URL(clerktest.SignInPage)) {
			t.Errorf("the page leads to %s, want the sign-in page", at)
		}
	})
}

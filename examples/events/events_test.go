package events_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/events"
)

// everyTenSeconds sends events with the user's ID, and ignores its context.
func everyTenSeconds(_ context.Context, session *clerkauth.Session, last string) (events.Event, error) {
	time.Sleep(10 * time.Second) // of the bubble
	n, _ := strconv.ParseInt(last, 10, 64)
	return events.Event{ID: n + 1, Data: session.UserID + "\n" + session.IssuedAt.UTC().Format(time.TimeOnly)}, nil
}

// deadlines adds the deadlines of a connection to the recorder of clerktest's browsers. It never has to wait.
type deadlines struct{ http.Handler }

func (d deadlines) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.Handler.ServeHTTP(connection{w}, r)
}

type connection struct{ http.ResponseWriter }

func (c connection) Unwrap() http.ResponseWriter      { return c.ResponseWriter }
func (connection) SetWriteDeadline(_ time.Time) error { return nil }

// listen is the request of an EventSource.
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
		t.Errorf("got Cache-Control %q, want no-store in it", got)
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
		browser := clerk.Browser(deadlines{events.Routes(auth, everyTenSeconds)})
		signedIn := clerk.SignIn(browser.Jar, clerktest.Person{Claims: clerktest.Claims{Subject: "user_ada"}})
		if status, at := visit(t, browser); status != http.StatusOK || at != "https://example.com/" {
			t.Fatalf("the page: got %d at %s, want 200 at https://example.com/", status, at)
		}

		begin := time.Now()
		status, body := listen(t, browser, "")
		if lasted := time.Since(begin); lasted > time.Minute+10*time.Second {
			t.Errorf("the stream ends after %v, want at most 1m10s", lasted)
		}
		if want := "id: 6\ndata: \"user_ada\\n00:00:00\"\n\n"; status != http.StatusOK || !strings.HasSuffix(body, want) || !strings.HasPrefix(body, "retry: ") {
			t.Errorf("got %d, %q, want %q at the end", status, body, want)
		}

		began := time.Now().UTC().Format(time.TimeOnly)
		status, body = listen(t, browser, "6")
		if want := fmt.Sprintf("id: 7\ndata: \"user_ada\\n%s\"\n\n", began); status != http.StatusOK || !strings.Contains(body, want) || strings.Contains(body, "id: 6\n") {
			t.Errorf("back again: got %d, %q, want %q", status, body, want)
		}

		signedIn.SignOut()
		if status, body = listen(t, browser, "12"); status != http.StatusUnauthorized {
			t.Errorf("signed out: got %d, %q, want 401", status, body)
		}
		if _, at := visit(t, browser); !strings.HasPrefix(at, clerk.URL(clerktest.SignInPage)) {
			t.Errorf("the page leads to %s, want the sign-in page", at)
		}
	})
}

// one is a listener for a connection in memory, on whose other end nobody reads.
type one chan net.Conn

func (o one) Accept() (net.Conn, error) {
	if conn, ok := <-o; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}
func (one) Close() error   { return nil }
func (one) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

func TestBrowserThatNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clerk := clerktest.New(t, clerktest.Options{})
		auth, err := clerkauth.New(clerk.Config())
		if err != nil {
			t.Fatal(err)
		}
		routes, ended := events.Routes(auth, everyTenSeconds), make(chan time.Time, 1)
		listener := make(one, 1)
		server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			routes.ServeHTTP(w, r)
			ended <- time.Now()
		})}
		go func() { _ = server.Serve(listener) }()
		ours, theirs := net.Pipe()
		listener <- theirs
		begin := time.Now()
		if _, err := fmt.Fprintf(ours, "GET /events HTTP/1.1\r\nHost: example.com\r\nAuthorization: Bearer %s\r\n\r\n", clerk.Token(clerktest.Claims{})); err != nil {
			t.Fatal(err)
		}
		if late := (<-ended).Sub(begin) - time.Minute; late < 0 || late > 10*time.Second {
			t.Errorf("the stream ends %v late, want 0s to 10s", late)
		}
		close(listener)
		_ = server.Close()
	})
}

func TestWriterWithoutDeadlinesStreamsNothing(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/events", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+clerk.Token(clerktest.Claims{}))
	w := httptest.NewRecorder()
	events.Routes(auth, func(context.Context, *clerkauth.Session, string) (events.Event, error) {
		t.Error("an event is fetched, want none for a writer without deadlines")
		return events.Event{}, io.EOF
	}).ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError {
		t.Errorf("got %d: %s, want 500", w.Code, w.Body)
	}
}

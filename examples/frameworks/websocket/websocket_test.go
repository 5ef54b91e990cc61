package websocket_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	coder "github.com/coder/websocket"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
	"github.com/clerkauth/clerkauth/examples/frameworks/websocket"
)

// pipes is a network within a synctest bubble.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

func repeat(_ context.Context, session *clerkauth.Session, message []byte) []byte {
	return append([]byte(session.UserID+": "), message...)
}

// serve is a client of a server in this process.
func serve(t *testing.T, auth *clerkauth.Authenticator, answer websocket.Answer) *http.Client {
	t.Helper()
	network := make(pipes)
	server := &http.Server{Handler: websocket.Routes(auth, answer), ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(network) }()
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		network <- theirs
		return ours, nil
	}}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		close(network)
		_ = server.Close()
	})
	return client
}

func dial(t *testing.T, client *http.Client, path string, header http.Header) (*coder.Conn, int, string) {
	t.Helper()
	conn, resp, err := coder.Dial(t.Context(), "ws://example.com"+path, &coder.DialOptions{HTTPClient: client, HTTPHeader: header})
	if resp == nil {
		t.Fatal(err)
	}
	if err == nil {
		return conn, resp.StatusCode, "" // the body is the connection
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return nil, resp.StatusCode, string(body)
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

func TestUpgrades(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clerk, auth := contract.App(t, nil)
		down, cut := contract.App(t, nil)
		down.Fault(clerktest.BackendJWKS, clerktest.Down)
		up, out := serve(t, auth, repeat), serve(t, cut, repeat)
		withCookies := func(origin string) http.Header {
			r := http.Request{Header: http.Header{"Origin": {origin}}}
			for _, c := range clerk.Cookies(clerk.Token(contract.Ada)) {
				r.AddCookie(c)
			}
			return r.Header
		}
		tests := []struct {
			name   string
			client *http.Client
			path   string
			header http.Header
			status int
			want   string // the answer to "hello", or in the refusal
		}{
			{"nobody", up, "/me", nil, http.StatusUnauthorized, "session-token-and-uat-missing"},
			{"forged", up, "/admin", bearer(clerk.Forge(contract.Ada)), http.StatusUnauthorized, "token-invalid-signature"},
			{"member", up, "/me", bearer(clerk.Token(contract.Grace)), http.StatusSwitchingProtocols, "user_grace: hello"},
			{"member as admin", up, "/admin", bearer(clerk.Token(contract.Grace)), http.StatusForbidden, "role org:admin"},
			{"admin", up, "/admin", bearer(clerk.Token(contract.Ada)), http.StatusSwitchingProtocols, "user_ada: hello"},
			{"own page", up, "/me", withCookies("https://example.com"), http.StatusSwitchingProtocols, "user_ada: hello"},
			{"page of a sibling", up, "/me", withCookies("https://blog.example.com"), http.StatusForbidden, "cross-origin-request"},
			{"no keys", out, "/me", bearer(down.Token(contract.Ada)), http.StatusServiceUnavailable, "jwk-remote-failed-to-load"},
		}
		for _, tt := range tests {
			conn, status, got := dial(t, tt.client, tt.path, tt.header)
			if conn != nil {
				got = say(t, conn, "hello")
				_ = conn.Close(coder.StatusNormalClosure, "")
			}
			if status != tt.status || !strings.Contains(got, tt.want) {
				t.Errorf("%s: %d with %q, want %d with %q", tt.name, status, got, tt.status, tt.want)
			}
		}
	})
}

func say(t *testing.T, conn *coder.Conn, message string) string {
	t.Helper()
	if err := conn.Write(t.Context(), coder.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
	_, answer, err := conn.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestConnectionEndsWithItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clerk, auth := contract.App(t, nil)
		conn, _, refusal := dial(t, serve(t, auth, repeat), "/me", bearer(clerk.Token(contract.Ada)))
		if conn == nil {
			t.Fatal(refusal)
		}
		begin := time.Now()
		time.Sleep(59 * time.Second) // of the bubble: the token is good for a minute
		if got, want := say(t, conn, "still here"), "user_ada: still here"; got != want {
			t.Errorf("before the end: %q, want %q", got, want)
		}
		_, message, err := conn.Read(t.Context())
		if late := time.Since(begin); late > time.Minute {
			t.Errorf("it ends after %v", late)
		}
		if got := coder.CloseStatus(err); got != websocket.StatusExpired {
			t.Errorf("after the end: %q, %v, want a close with %d", message, err, websocket.StatusExpired)
		}
	})
}

// A client that does not answer the close frame, and goes on talking, is heard no more.
func TestNobodyIsHeardAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clerk, auth := contract.App(t, nil)
		heard := 0
		client := serve(t, auth, func(context.Context, *clerkauth.Session, []byte) []byte {
			heard++
			return nil
		})
		conn, _, refusal := dial(t, client, "/me", bearer(clerk.Token(contract.Ada)))
		if conn == nil {
			t.Fatal(refusal)
		}
		time.Sleep(61 * time.Second) // of the bubble; nothing reads, so that nothing answers
		_ = conn.Write(t.Context(), coder.MessageText, []byte("hello"))
		time.Sleep(time.Hour)
		if err := conn.Write(t.Context(), coder.MessageText, []byte("hello")); err == nil || heard != 0 {
			t.Errorf("%d messages were heard; the last was sent with %v", heard, err)
		}
		_ = conn.CloseNow()
	})
}

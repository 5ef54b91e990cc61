package contract

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// Expired is the code that sockets are closed with.
const Expired websocket.StatusCode = 4401

// Sockets makes the handler of a socket with a framework.
type Sockets func(auth *clerkauth.Authenticator, answer func(*clerkauth.Session, []byte) []byte, checks ...clerkauth.Check) http.Handler

// user answers with the user's ID.
func user(session *clerkauth.Session, message []byte) []byte {
	return append([]byte(session.UserID+" of "+session.Organization.ID+": "), message...)
}

var admin = clerkauth.Role("org:admin")

// socketServer has /me for signed-in people, and /admin for admins.
func socketServer(t *testing.T, auth *clerkauth.Authenticator, sockets Sockets) *http.Client {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("GET /me", sockets(auth, user))
	mux.Handle("GET /admin", sockets(auth, user, clerkauth.NotImpersonated(), admin))
	return Serve(t, mux, nil)
}

func dial(t *testing.T, client *http.Client, path string, header http.Header) (*websocket.Conn, int, string) {
	t.Helper()
	conn, resp, err := websocket.Dial(t.Context(), "ws://example.com"+path, &websocket.DialOptions{HTTPClient: client, HTTPHeader: header})
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

// Upgrades opens sockets as all kinds of clients do.
func Upgrades(t *testing.T, sockets Sockets) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		clerk, auth := App(t, nil)
		down, cut := App(t, nil)
		down.Fault(clerktest.BackendJWKS, clerktest.Down)
		up, out := socketServer(t, auth, sockets), socketServer(t, cut, sockets)
		withCookies := func(origin string) http.Header {
			r := http.Request{Header: http.Header{"Origin": {origin}}}
			for _, c := range clerk.Cookies(clerk.Token(Ada)) {
				r.AddCookie(c)
			}
			return r.Header
		}
		elsewhere := bearer(clerk.Token(Ada))
		elsewhere.Set("Origin", "https://blog.example.com")
		tests := []struct {
			name   string
			client *http.Client
			path   string
			header http.Header
			status int
			want   string // the answer to "hello", or in the refusal
		}{
			{"nobody", up, "/me", nil, http.StatusUnauthorized, "session-token-and-uat-missing"},
			{"a token in the address", up, "/me?token=" + clerk.Token(Ada), nil, http.StatusUnauthorized, "session-token-and-uat-missing"},
			{"forged", up, "/admin", bearer(clerk.Forge(Ada)), http.StatusUnauthorized, "token-invalid-signature"},
			{"member", up, "/me", bearer(clerk.Token(Grace)), http.StatusSwitchingProtocols, "user_grace of org_a: hello"},
			{"member as admin", up, "/admin", bearer(clerk.Token(Grace)), http.StatusForbidden, "role org:admin"},
			{"admin", up, "/admin", bearer(clerk.Token(Ada)), http.StatusSwitchingProtocols, "user_ada of org_a: hello"},
			{"own page", up, "/me", withCookies("https://example.com"), http.StatusSwitchingProtocols, "user_ada of org_a: hello"},
			{"page of a sibling subdomain", up, "/me", withCookies("https://blog.example.com"), http.StatusForbidden, "cross-origin-request"},
			{"page of a sibling subdomain, with a token", up, "/me", elsewhere, http.StatusForbidden, ""},
			{"no keys", out, "/me", bearer(down.Token(Ada)), http.StatusServiceUnavailable, "jwk-remote-failed-to-load"},
		}
		for _, tt := range tests {
			conn, status, got := dial(t, tt.client, tt.path, tt.header)
			if conn != nil {
				got = say(t, conn, "hello")
				_ = conn.Close(websocket.StatusNormalClosure, "")
			}
			if status != tt.status || !strings.Contains(got, tt.want) {
				t.Errorf("%s: %d with %q, want %d with %q", tt.name, status, got, tt.status, tt.want)
			}
		}
	})
}

func tell(t *testing.T, conn *websocket.Conn, message string) {
	t.Helper()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

func say(t *testing.T, conn *websocket.Conn, message string) string {
	t.Helper()
	tell(t, conn, message)
	_, answer, err := conn.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// ends reads the rest, and requires that the socket is closed by then.
func ends(t *testing.T, conn *websocket.Conn, by time.Time) {
	t.Helper()
	_, message, err := conn.Read(t.Context())
	if got := websocket.CloseStatus(err); got != Expired {
		t.Errorf("at the end: %q, %v, want a close with %d", message, err, Expired)
	}
	if late := time.Since(by); late > 0 {
		t.Errorf("it ends %v late", late)
	}
}

func renewal(token string) string {
	message, _ := json.Marshal(map[string]string{"token": token}) // a string can be
	return string(message)
}

// Ends tests that sockets end with their token, whatever the client does.
func Ends(t *testing.T, sockets Sockets) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		clerk, auth := App(t, nil)
		client := socketServer(t, auth, sockets)
		conn, _, refusal := dial(t, client, "/me", bearer(clerk.Token(Ada)))
		if conn == nil {
			t.Fatal(refusal)
		}
		begin := time.Now()
		time.Sleep(59 * time.Second) // of the bubble: the token is good for a minute
		if got, want := say(t, conn, "still here"), "user_ada of org_a: still here"; got != want {
			t.Errorf("before the end: %q, want %q", got, want)
		}
		ends(t, conn, begin.Add(time.Minute))
	})
	synctest.Test(t, func(t *testing.T) {
		clerk, auth := App(t, nil)
		var heard atomic.Int32
		conn := upgraded(t, Serve(t, sockets(auth, func(*clerkauth.Session, []byte) []byte {
			heard.Add(1)
			time.Sleep(2 * time.Minute) // of the bubble: the next message has arrived in time, and is read too late
			return nil
		}), nil), clerk.Token(Ada))
		hello := "\x81\x85\x00\x00\x00\x00hello" // a text message with a mask of zeros
		if _, err := io.WriteString(conn, hello+hello); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // nobody reads, so nobody answers a close frame
		if _, err := io.WriteString(conn, hello); err == nil || heard.Load() != 1 {
			t.Errorf("%d messages were heard, want the first; the last was sent with %v", heard.Load(), err)
		}
	})
	synctest.Test(t, func(t *testing.T) { stalled(t, sockets) })
	synctest.Test(t, func(t *testing.T) {
		clerk, auth := App(t, nil)
		conn, _, refusal := dial(t, socketServer(t, auth, sockets), "/me", bearer(clerk.Token(Ada)))
		if conn == nil {
			t.Fatal(refusal)
		}
		conn.SetReadLimit(-1)
		_ = conn.Write(t.Context(), websocket.MessageText, bytes.Repeat([]byte("x"), 64<<10))
		if _, message, err := conn.Read(t.Context()); err == nil {
			t.Errorf("a message of 64 KB is answered with %d bytes", len(message))
		}
	})
}

// stalled is a client that says hello and does not read the answer: it is not waited for.
func stalled(t *testing.T, sockets Sockets) {
	t.Helper()
	clerk, auth := App(t, nil)
	ended := make(chan time.Time, 1)
	socket := sockets(auth, user)
	begin := time.Now()
	conn := upgraded(t, Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket.ServeHTTP(w, r)
		ended <- time.Now()
	}), nil), clerk.Token(Ada))
	if _, err := io.WriteString(conn, "\x81\x85\x00\x00\x00\x00hello"); err != nil {
		t.Fatal(err)
	}
	if late := (<-ended).Sub(begin) - time.Minute; late > 5*time.Second { // for the close frame
		t.Errorf("it ends %v late", late)
	}
}

// upgraded is the connection of a socket, without a client that implements the protocol.
func upgraded(t *testing.T, client *http.Client, token string) io.ReadWriteCloser {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://example.com/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = bearer(token)
	for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} {
		r.Header.Set(name, value)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	conn, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		t.Fatalf("the upgrade is answered with %d", resp.StatusCode)
	}
	return conn
}

// Renewals sends fresh tokens through sockets.
func Renewals(t *testing.T, sockets Sockets) {
	t.Helper()
	elsewhere, other, member, left := Ada, Ada, Ada, Ada
	elsewhere.AuthorizedParty = "https://blog.example.com"
	other.SessionID = "sess_other"
	member.Organization.Role = "org:member"
	left.Organization = clerkauth.Organization{}
	stranger := Ada
	stranger.Subject = "user_stranger"
	moved := Ada
	moved.Organization = clerkauth.Organization{ID: "org_b", Slug: "zeta", Role: "org:admin"}
	for _, tt := range []struct {
		name  string
		path  string
		token func(*clerktest.Instance) string
		stays string // the next answer; empty: the socket is closed
	}{
		{"the same session", "/admin", func(c *clerktest.Instance) string { return c.Token(Ada) }, "user_ada of org_a: hello"},
		{"the same session in another organization", "/admin", func(c *clerktest.Instance) string { return c.Token(moved) }, "user_ada of org_b: hello"},
		{"no admin any more, where nobody needs to be", "/me", func(c *clerktest.Instance) string { return c.Token(member) }, "user_ada of org_a: hello"},
		{"no admin any more", "/admin", func(c *clerktest.Instance) string { return c.Token(member) }, ""},
		{"no organization any more", "/admin", func(c *clerktest.Instance) string { return c.Token(left) }, ""},
		{"another session", "/me", func(c *clerktest.Instance) string { return c.Token(other) }, ""},
		{"another user", "/me", func(c *clerktest.Instance) string { return c.Token(stranger) }, ""},
		{"a token for another origin", "/me", func(c *clerktest.Instance) string { return c.Token(elsewhere) }, ""},
		{"a forged token", "/me", func(c *clerktest.Instance) string { return c.Forge(Ada) }, ""},
		{"no token", "/me", func(*clerktest.Instance) string { return "none" }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { renew(t, sockets, tt.path, tt.token, tt.stays) })
		})
	}
	synctest.Test(t, func(t *testing.T) { ofTheApp(t, sockets) })
	synctest.Test(t, func(t *testing.T) { // an old token shortens
		clerk, auth := App(t, nil)
		old := clerk.Token(Ada)
		time.Sleep(30 * time.Second)
		conn, _, refusal := dial(t, socketServer(t, auth, sockets), "/me", bearer(clerk.Token(Ada)))
		if conn == nil {
			t.Fatal(refusal)
		}
		tell(t, conn, renewal(old))
		ends(t, conn, time.Now().Add(30*time.Second))
	})
}

// ofTheApp sends messages that contain a token, but are the app's.
func ofTheApp(t *testing.T, sockets Sockets) {
	t.Helper()
	clerk, auth := App(t, nil)
	conn, _, refusal := dial(t, socketServer(t, auth, sockets), "/me", bearer(clerk.Token(Ada)))
	if conn == nil {
		t.Fatal(refusal)
	}
	for _, message := range []string{`{"join":"room","token":"invitation"}`, `{"Token":"a"}`, `{"token":1}`, `{"token":""}`, `["token"]`, `null`} {
		if got, want := say(t, conn, message), "user_ada of org_a: "+message; got != want {
			t.Errorf("%s is answered with %q", message, got)
		}
	}
	_ = conn.Close(websocket.StatusNormalClosure, "")
}

func renew(t *testing.T, sockets Sockets, path string, token func(*clerktest.Instance) string, stays string) {
	t.Helper()
	clerk, auth := App(t, nil)
	conn, _, refusal := dial(t, socketServer(t, auth, sockets), path, bearer(clerk.Token(Ada)))
	if conn == nil {
		t.Fatal(refusal)
	}
	time.Sleep(30 * time.Second) // of the bubble
	fresh := time.Now()
	tell(t, conn, renewal(token(clerk)))
	if stays != "" {
		time.Sleep(45 * time.Second) // the first token has run out
		if got := say(t, conn, "hello"); got != stays {
			t.Errorf("answers %q, want %q", got, stays)
		}
		fresh = fresh.Add(time.Minute)
	}
	ends(t, conn, fresh)
}

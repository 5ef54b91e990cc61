package threats_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/harness"
)

// Libraries check what a writer can do and then use it: they must find what the writer below can do, and must not take it
// for one that streams, hijacks or notifies where that one does not.

type fakeFlusher struct{ http.ResponseWriter }

func (fakeFlusher) Flush() {}

type fakeHijacker struct{ http.ResponseWriter }

func (fakeHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, errHijack }

type fakeNotifier struct{ http.ResponseWriter }

func (fakeNotifier) CloseNotify() <-chan bool { return notice }

var (
	errHijack, errPush = errors.New("hijack"), errors.New("push")
	notice             = make(chan bool)
)

// able are writers with every set of the methods that mean something by being there.
func able(w http.ResponseWriter) []http.ResponseWriter {
	f, h, c := fakeFlusher{}, fakeHijacker{}, fakeNotifier{}
	type (
		W = http.ResponseWriter
		F = http.Flusher
		H = http.Hijacker
		C = http.CloseNotifier //nolint:staticcheck // deprecated, and still called by gin
	)
	return []http.ResponseWriter{
		struct{ W }{w},
		struct {
			W
			F
		}{w, f},
		struct {
			W
			H
		}{w, h},
		struct {
			W
			C
		}{w, c},
		struct {
			W
			F
			H
		}{w, f, h},
		struct {
			W
			F
			C
		}{w, f, c},
		struct {
			W
			H
			C
		}{w, h, c},
		struct {
			W
			F
			H
			C
		}{w, f, h, c},
	}
}

func abilitiesOf(w http.ResponseWriter) string {
	_, f := w.(http.Flusher)
	_, h := w.(http.Hijacker)
	_, c := w.(http.CloseNotifier) //nolint:staticcheck // see able
	return fmt.Sprintf("flush %t, hijack %t, notify %t", f, h, c)
}

// use calls everything that w can do, and returns the results.
func use(w http.ResponseWriter) string {
	var said []string
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	if h, ok := w.(http.Hijacker); ok {
		_, _, err := h.Hijack()
		said = append(said, fmt.Sprint(errors.Is(err, errHijack)))
	}
	if c, ok := w.(http.CloseNotifier); ok { //nolint:staticcheck // see able
		said = append(said, fmt.Sprint(c.CloseNotify() == notice))
	}
	return strings.Join(said, ", ")
}

func TestWriterIsAsAbleAsTheOneBelow(t *testing.T) {
	v := newRenewing(t)
	seen := map[string]bool{}
	for _, below := range able(httptest.NewRecorder()) {
		v.Optional(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if w == below {
				t.Fatal("no session was renewed, so that the writer is not wrapped")
			}
			got, want := abilitiesOf(w), abilitiesOf(below)
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			seen[want] = true
			if got, want := use(w), use(below); got != want {
				t.Errorf("got the calls %s below, want %s", got, want)
			}
			if u, ok := w.(interface{ Unwrap() http.ResponseWriter }); !ok || u.Unwrap() != below {
				t.Errorf("%T does not unwrap to the writer below", w)
			}
		})).ServeHTTP(below, v.asks())
	}
	if len(seen) != 8 {
		t.Errorf("%d sets of abilities were seen, want 8", len(seen))
	}
}

// recorder records which of its methods a body arrived by.
type recorder struct {
	*httptest.ResponseRecorder

	by []string
}

func (r *recorder) Write(p []byte) (int, error) {
	r.by = append(r.by, "Write")
	return r.ResponseRecorder.Write(p)
}

func (r *recorder) WriteString(s string) (int, error) {
	r.by = append(r.by, "WriteString")
	return r.ResponseRecorder.WriteString(s)
}

func (r *recorder) ReadFrom(src io.Reader) (int64, error) {
	r.by = append(r.by, "ReadFrom")
	return io.Copy(r.ResponseRecorder, src)
}

func (*recorder) Push(string, *http.PushOptions) error { return errPush }

// What every writer can do in some way is done by the writer below where it has a method for it, and otherwise by Write.
func TestWriterUsesTheOneBelow(t *testing.T) {
	for name, tc := range map[string]struct {
		below func(*recorder) http.ResponseWriter
		by    []string
		push  error
	}{
		"all methods": {func(r *recorder) http.ResponseWriter { return r }, []string{"WriteString", "ReadFrom"}, errPush},
		"Write alone": {func(r *recorder) http.ResponseWriter { return struct{ http.ResponseWriter }{r} }, []string{"Write", "Write"}, http.ErrNotSupported},
	} {
		v, below := newRenewing(t), &recorder{ResponseRecorder: httptest.NewRecorder()}
		v.Optional(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "public")
			if n, err := io.WriteString(w, "text "); n != 5 || err != nil {
				t.Errorf("%s: got %d, %v from WriteString, want 5 and none", name, n, err)
			}
			if n, err := w.(io.ReaderFrom).ReadFrom(onlyReader{strings.NewReader("file")}); n != 4 || err != nil {
				t.Errorf("%s: got %d, %v from ReadFrom, want 4 and none", name, n, err)
			}
			if err := w.(http.Pusher).Push("/", nil); !errors.Is(err, tc.push) {
				t.Errorf("%s: got %v from Push, want %v", name, err, tc.push)
			}
		})).ServeHTTP(tc.below(below), v.asks())
		if !slices.Equal(below.by, tc.by) || below.Body.String() != "text file" {
			t.Errorf("%s: got %q by %q, want %q by %q", name, below.Body, below.by, "text file", tc.by)
		}
		if got := below.Result().Header.Get("Cache-Control"); got != "private, no-store" {
			t.Errorf("%s: got Cache-Control %q, want private, no-store", name, got)
		}
	}
}

// onlyReader has no WriteTo, by which io.Copy would not ask the writer.
type onlyReader struct{ io.Reader }

// conversations upgrade, send "hello" and close the connection, in the ways of several libraries.
var conversations = map[string]func(w http.ResponseWriter) error{
	"WriteHeader, then Hijack": func(w http.ResponseWriter) error { // coder/websocket
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return err
		}
		_, _ = conn.Write([]byte("hello"))
		return conn.Close()
	},
	"Hijack": func(w http.ResponseWriter) error { // gorilla/websocket, given the writer's own header
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return err
		}
		return greet(conn, w.Header())
	},
	"ResponseController's Hijack": func(w http.ResponseWriter) error { // httputil.ReverseProxy
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return err
		}
		return greet(conn, w.Header())
	},
}

// greet upgrades with these header fields, and says hello.
func greet(conn net.Conn, h http.Header) error {
	_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"))
	_ = h.Write(conn)
	_, _ = conn.Write([]byte("\r\nhello"))
	return conn.Close()
}

// unwraps is a writer as middleware makes it that wants http.ResponseController to find what the writer below can do.
type unwraps struct{ http.ResponseWriter }

func (u unwraps) Unwrap() http.ResponseWriter { return u.ResponseWriter }

func TestUpgradesSetNoCookies(t *testing.T) {
	plain := func(w http.ResponseWriter) http.ResponseWriter { return w }
	wrapped := func(w http.ResponseWriter) http.ResponseWriter { return unwraps{unwraps{w}} }
	for kind, below := range map[string]func(http.ResponseWriter) http.ResponseWriter{"net/http's writer": plain, "a wrapped one": wrapped} {
		t.Run(kind, func(t *testing.T) { upgrades(t, below) })
	}
}

func upgrades(t *testing.T, below func(http.ResponseWriter) http.ResponseWriter) {
	t.Helper()
	v := newRenewing(t)
	for name, converse := range conversations {
		protected := v.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Theirs", "1")
			w.Header().Add("Set-Cookie", "theirs=1")
			if err := converse(w); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}))
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { protected.ServeHTTP(below(w), r) }))
		conn, err := net.Dial("tcp", server.Listener.Addr().String()) //nolint:noctx // a test
		if err != nil {
			t.Fatal(err)
		}
		r := v.asks()
		harness.Headers("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Origin: https://example.com")(r)
		if err := r.Write(conn); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		server.Close()
		resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(answer))), r)
		if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("%s: got %v and %q, want 101", name, err, answer)
			continue
		}
		resp.Body.Close()
		if got := resp.Header["Set-Cookie"]; !slices.Equal(got, []string{"theirs=1"}) || resp.Header.Get("X-Theirs") != "1" {
			t.Errorf("%s: Set-Cookie %q, want the handler's alone", name, got)
		}
		if !strings.HasSuffix(string(answer), "hello") {
			t.Errorf("%s: got %q, want hello at its end", name, answer)
		}
	}
}

// A writer that delays the header must not find cookies there later, either.
func TestUpgradesSetNoCookiesLater(t *testing.T) {
	v := newRenewing(t)
	w := harness.Serve(http.TimeoutHandler(v.Optional(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusSwitchingProtocols)
	})), time.Minute, "late"), v.asks())
	if got := w.Result().Header["Set-Cookie"]; w.Code != http.StatusSwitchingProtocols || len(got) > 0 {
		t.Errorf("got %d with %q, want 101 without cookies", w.Code, got)
	}
}

// An upgrade that fails gets a response like any other.
func TestFailedUpgradeLeavesPrivately(t *testing.T) {
	v := newRenewing(t)
	w := httptest.NewRecorder()
	v.Optional(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		cacheable(w.Header())
		if _, _, err := w.(http.Hijacker).Hijack(); err == nil {
			t.Error("Hijack succeeded, want an error")
		}
		v.private(t, "failed, and nothing written", w.Header())
		cacheable(w.Header())
		http.Error(w, "no", http.StatusInternalServerError)
	})).ServeHTTP(struct {
		http.ResponseWriter
		http.Hijacker
	}{w, fakeHijacker{}}, v.asks())
	v.private(t, "failed", w.Result().Header)
}

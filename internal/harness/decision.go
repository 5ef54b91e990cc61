package harness

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
)

// The names of the cookies that clerkauth sets itself.
const (
	PartyName = "__Host-clerkauth_party_" // and eight characters
	TriedName = "__Host-clerkauth_tried"
)

// What Greet writes for the user of the zero clerktest.Claims, and for nobody.
const (
	Welcome  = "hello user_2clerktest"
	Stranger = "hello nobody"
)

// Greet is a handler that writes who is signed in.
var Greet = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if session, ok := clerkauth.FromContext(r.Context()); ok {
		_, _ = w.Write([]byte("hello " + session.UserID))
		return
	}
	_, _ = w.Write([]byte(Stranger))
})

// Long skips a test that takes a second or more, under go test -short.
func Long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes seconds")
	}
}

// CountsAllocations skips a test under the race detector, which allocates too.
func CountsAllocations(t *testing.T) {
	t.Helper()
	info, _ := debug.ReadBuildInfo()
	if slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector allocates too")
	}
}

// Serve returns the handler's response to a request.
func Serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Reason returns why a decision signs nobody in; empty: somebody is signed in. It checks what must be true of every
// decision.
func Reason(tb testing.TB, s *clerkauth.RequestState) clerkauth.Reason {
	tb.Helper()
	if in := s.Status == clerkauth.StatusSignedIn; in != (s.Session != nil) || in != (s.Err == nil) || in != (s.Token() != "") {
		tb.Fatalf("contradiction: status %v, session %v, error %v, token %t", s.Status, s.Session, s.Err, s.Token() != "")
	}
	if s.Err == nil {
		return ""
	}
	return ReasonOf(tb, s.Err)
}

// ReasonOf returns the reason of an error, which must be an *Error with one, and with no other.
func ReasonOf(tb testing.TB, err error) clerkauth.Reason {
	tb.Helper()
	refusal, ok := errors.AsType[*clerkauth.Error](err)
	if !ok || refusal.Reason == "" {
		tb.Fatalf("error is %T %v, want a *clerkauth.Error with a reason", err, err)
	}
	if !errors.Is(err, refusal.Reason) || errors.Is(err, clerkauth.Reason("")) {
		tb.Fatalf("errors.Is finds %q: %t, and no reason: %t", refusal.Reason, errors.Is(err, refusal.Reason), errors.Is(err, clerkauth.Reason("")))
	}
	return refusal.Reason
}

// Judge returns why VerifyToken refuses a token; empty if it does not.
func Judge(tb testing.TB, auth *clerkauth.Authenticator, token string) clerkauth.Reason {
	tb.Helper()
	session, err := auth.VerifyToken(tb.Context(), token)
	if (session == nil) != (err != nil) {
		tb.Fatalf("contradiction: session %v with error %v", session, err)
	}
	if err == nil {
		return ""
	}
	return ReasonOf(tb, err)
}

// WantState compares a decision with what is wanted.
func WantState(tb testing.TB, s *clerkauth.RequestState, status clerkauth.Status, reason clerkauth.Reason) {
	tb.Helper()
	if got := Reason(tb, s); s.Status != status || got != reason {
		tb.Errorf("got %s %q, want %s %q", s.Status, got, status, reason)
	}
}

// SetCookies returns the cookies that a decision sets, by name. Of several with one name, the last.
func SetCookies(s *clerkauth.RequestState) map[string]*http.Cookie {
	set := map[string]*http.Cookie{}
	for _, c := range (&http.Response{Header: s.Header}).Cookies() {
		set[c.Name] = c
	}
	return set
}

// SetPartyCookie returns the party cookie that a decision sets; nil: none.
func SetPartyCookie(s *clerkauth.RequestState) *http.Cookie {
	for name, c := range SetCookies(s) {
		if strings.HasPrefix(strings.TrimPrefix(name, "__Host-"), "clerkauth_party") {
			return c
		}
	}
	return nil
}

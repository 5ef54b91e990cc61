package clerkauth

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/decision"
)

func responseTo(err *Error) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	DefaultErrorHandler(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", http.NoBody), err)
	return w
}

// encoded is a response as encoding/json writes it.
func encoded(tb testing.TB, code, message, check string) string {
	tb.Helper()
	type entry struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Check   string `json:"check,omitempty"`
	}
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(map[string][]entry{"errors": {{code, message, check}}}); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// A prepared response is the same as one made for the request.
func TestPreparedAnswers(t *testing.T) {
	for reason, entry := range table {
		w := responseTo(refused(reason))
		if got, want := w.Body.String(), encoded(t, string(reason), entry.message, ""); w.Code != entry.status || got != want {
			t.Errorf("%s: got %d %q, want %d %q", reason, w.Code, got, entry.status, want)
		}
		want := `Bearer realm="clerk", error="invalid_token", error_description="` + entry.message + `"`
		switch {
		case reason == ReasonInsufficientScope:
			want = `Bearer realm="clerk", error="insufficient_scope", error_description="` + entry.message + `", scope=""`
		case entry.status != http.StatusUnauthorized:
			want = ""
		case entry.nothing:
			want = `Bearer realm="clerk"`
		}
		if got := w.Header().Get("WWW-Authenticate"); got != want {
			t.Errorf("%s: WWW-Authenticate %q, want %q", reason, got, want)
		}
		for name, values := range w.Header() {
			if http.CanonicalHeaderKey(name) != name || len(values) != 1 || cap(values) != 1 {
				t.Errorf("%s: the field %q has %q with capacity %d, want a canonical name and one value without spare capacity", reason, name, values, cap(values))
			}
		}
	}
}

// What is specific to a refusal is in its response, and in no other.
func TestAnswersOfTheirOwn(t *testing.T) {
	said := `<who> & "what"` + "\u2028\xff"
	for _, tt := range []struct {
		name string
		err  *Error
		want string // of the body
	}{
		{"a check", &Error{Reason: ReasonCheckFailed, Check: Role("a<b")}, encoded(t, string(ReasonCheckFailed), table[ReasonCheckFailed].message, "role a<b")},
		{"a check with another reason", &Error{Reason: ReasonTokenInvalid, Check: Plan("x")}, encoded(t, string(ReasonTokenInvalid), table[ReasonTokenInvalid].message, "plan x")},
		{"a loop of handshakes", &Error{Reason: ReasonTokenExpired, stuck: decision.InCircles}, encoded(t, string(ReasonTokenExpired), stuckMessage[decision.InCircles], "")},
		{"another application's reason", refused(Reason(said)), encoded(t, said, "This request was refused.", "")},
		{"verified too long ago", &Error{Reason: ReasonCheckFailed, Check: Reverified(ReverifyStrict)}, `{"clerk_error":{"type":"forbidden","reason":"reverification-error","metadata":{"reverification":"strict"}}}` + "\n"},
	} {
		if got := responseTo(tt.err).Body.String(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if got := newAnswer(tt.err, hint{Detail: said, Field: "Audience"}).body; tt.err.Check.kind != kindReverification && !strings.Contains(got, `"config_field":"Audience"`) {
			t.Errorf("%s: got %q, want a hint in it", tt.name, got)
		}
		if got, want := responseTo(refused(tt.err.Reason)).Body.String(), encoded(t, string(tt.err.Reason), refused(tt.err.Reason).message(), ""); got != want {
			t.Errorf("%s: afterwards, for the reason alone: got %q, want %q", tt.name, got, want)
		}
	}
}

// Middleware that changes the header of one response changes no other.
func TestAnswersShareNoHeader(t *testing.T) {
	want := responseTo(refused(ReasonTokenExpired)).Header()
	changed := responseTo(refused(ReasonTokenExpired)).Header()
	for name, values := range changed {
		values[0] = "changed"
		changed[name] = append(values, "more")
	}
	for name, values := range responseTo(refused(ReasonTokenExpired)).Header() {
		if len(values) != 1 || values[0] != want.Get(name) {
			t.Errorf("%s is %q, want %q", name, values, want[name])
		}
	}
}

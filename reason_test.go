package clerkauth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestErrorsIsFindsTheReason(t *testing.T) {
	a := harness.NewApp(t, func(c *clerkauth.Config) { c.MachineID = "mch_here" })
	expired := a.Expired(clerktest.Claims{})
	state := a.AuthenticateRequest(harness.Request("GET", "/", harness.WithBearer(expired)))
	events := a.Events()
	_, bare := a.VerifyToken(t.Context(), expired)
	_, ofMachine := a.VerifyMachine(t.Context(), expired, clerkauth.M2MTokens())
	down := harness.NewApp(t, func(c *clerkauth.Config) {
		c.HTTPClient = &http.Client{Transport: harness.Transport(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })}
		c.Logger = slog.New(slog.DiscardHandler)
	})
	for name, tt := range map[string]struct {
		err  error
		want clerkauth.Reason
	}{
		"RequestState.Err": {state.Err, clerkauth.ReasonTokenExpired},
		"Event.Err":        {events[len(events)-1].Err, clerkauth.ReasonTokenExpired},
		"VerifyToken":      {bare, clerkauth.ReasonTokenExpired},
		"VerifyMachine":    {ofMachine, clerkauth.ReasonTokenTypeMismatch},
		"Ready":            {down.Ready(t.Context()), clerkauth.ReasonKeysUnavailable},
		"a literal":        {&clerkauth.Error{Reason: clerkauth.ReasonCheckFailed}, clerkauth.ReasonCheckFailed},
	} {
		wrapped := errors.Join(io.EOF, fmt.Errorf("call: %w", tt.err))
		for _, err := range []error{tt.err, wrapped} {
			if !errors.Is(err, tt.want) {
				t.Errorf("%s: %v is not %q", name, err, tt.want)
			}
			for _, other := range []error{clerkauth.Reason(""), clerkauth.Reason("nonsense"), clerkauth.ReasonTokenInvalid, &clerkauth.Error{Reason: tt.want}} {
				if errors.Is(err, other) {
					t.Errorf("%s: %v also matches %q", name, err, other)
				}
			}
		}
	}
	if none := error(&clerkauth.Error{}); errors.Is(none, clerkauth.Reason("")) {
		t.Error("errors.Is matches an error without a reason to the empty Reason")
	}
}

// A Reason prints as its string, although it is an error.
func TestReasonPrintsAsItsText(t *testing.T) {
	r := clerkauth.ReasonTokenExpired
	const text = "session-token-expired"
	if r.Error() != text {
		t.Errorf("Error is %q, want %q", r.Error(), text)
	}
	for _, verb := range []string{"%v", "%+v", "%s", "%q", "%#v", "%x", "%10.4s"} {
		if got, want := fmt.Sprintf(verb, r), fmt.Sprintf(verb, text); got != want {
			t.Errorf("%s prints %s, want %s", verb, got, want)
		}
	}
	if got, err := json.Marshal(map[clerkauth.Reason]clerkauth.Reason{r: r}); err != nil || string(got) != `{"`+text+`":"`+text+`"}` {
		t.Errorf("JSON is %s with %v, want the text as key and value", got, err)
	}
	for name, handler := range map[string]func(io.Writer, *slog.HandlerOptions) slog.Handler{
		"text": func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewTextHandler(w, o) },
		"json": func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewJSONHandler(w, o) },
	} {
		line := func(value any) string {
			var b bytes.Buffer
			noTime := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			}}
			slog.New(handler(&b, noTime)).Info("refused", "reason", value)
			return b.String()
		}
		if got, want := line(r), line(text); got != want {
			t.Errorf("slog %s: got %s, want %s", name, got, want)
		}
	}
}

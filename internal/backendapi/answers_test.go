package backendapi_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/clerkauth/clerkauth/internal/backendapi"
)

const unreachable, malformed, unexpected = "fetch-error", "unexpected-sdk-error", "unexpected-bapi-error"

// These are the meanings of answers, for a nonce and for a refresh, and whether they decide anything.
func TestAnswers(t *testing.T) {
	longest := strings.Repeat("c", 64)
	padded := func(n int) string { return worked + strings.Repeat(" ", n-len(worked)) }
	for _, tt := range []struct {
		name   string
		status int
		body   string
		err    string // empty: success
		open   bool
	}{
		{"worked", 200, worked, "", false},
		{"with more members", 200, `{"object":"x","cookies":["__session=x"],"directives":["__session=x"],"more":{}}`, "", false},
		{"as long as may be", 200, padded(256 << 10), "", false},

		{"too long", 200, padded(256<<10 + 1), unreachable, true},
		{"empty", 200, "", unreachable, true},
		{"a page of a proxy", 200, "<html>", unreachable, true},
		{"half an answer", 200, worked[:20], unreachable, true},
		{"two answers", 200, worked + worked, unreachable, true},
		{"null", 200, " null ", unreachable, true},
		{"no list", 200, `{}`, malformed, true},
		{"null lists", 200, `{"cookies":null,"directives":null}`, malformed, true},
		{"no objects", 200, `["__session=x"]`, malformed, true},
		{"other lists", 200, `{"cookies":"__session=x","directives":[1]}`, malformed, true},
		{"nothing to say", 204, "", unexpected, true},
		{"created", 201, worked, unexpected, true},
		{"a redirect", 302, "", unexpected, true},

		{"named", 404, named("resource_not_found"), "resource_not_found", false},
		{"named, and another", 422, `{"errors":[{"code":"first"},{"code":"second"}]}`, "first", false},
		{"the longest name", 400, named(longest), longest, false},
		{"too long a name", 400, named(longest + "c"), unexpected, true},
		{"a name with a line end", 400, named(`a\nb`), unexpected, true},
		{"a name with capitals", 400, named("Not_Found"), unexpected, true},
		{"a name with a space", 400, named("not found"), unexpected, true},
		{"an empty name", 400, named(""), malformed, true},
		{"a name that is none", 400, `{"errors":[{"code":7}]}`, unexpected, true},
		{"unexpected_error", 400, named("unexpected_error"), unreachable, true},
		{"no errors", 400, `{"errors":[]}`, unexpected, true},
		{"no JSON", 404, "<html>", unexpected, true},

		{"refused key", 401, named("clerk_key_invalid"), "clerk_key_invalid", true},
		{"refused, without a name", 401, "", unexpected, true},
		{"forbidden", 403, named("authorization_invalid"), "authorization_invalid", true},
		{"refused session", 401, named("invalid_session_token"), "invalid_session_token", false},
		{"forbidden session", 403, named("session_not_yours"), "session_not_yours", false},
		{"refused refresh token", 401, named("refresh_token_expired"), "refresh_token_expired", false},

		{"overloaded", 429, named("too_many_requests"), "too_many_requests", true},
		{"too slow", 408, "", unexpected, true},
		{"an error of the server's", 500, named("internal_error"), "internal_error", true},
		{"unavailable", 503, "<html>", unexpected, true},
		{"an error of the server's, with cookies", 500, worked, unexpected, true},
	} {
		for kind, ask := range map[string]question{"nonce": askNonce, "refresh": askRefresh} {
			c, _ := newClient(always(tt.status, tt.body))
			list, err := ask(t, c, 0)
			if tt.err == "" {
				if err != nil || !slices.Equal(list, []string{"__session=x"}) {
					t.Errorf("%s, %s: got %q and %v, want __session=x", tt.name, kind, list, err)
				}
				continue
			}
			if err == nil || err.Error() != tt.err || backendapi.Unanswered(err) != tt.open || len(list) > 0 {
				t.Errorf("%s, %s: got %q and %v, unanswered %t; want %s, unanswered %t", tt.name, kind, list, err, backendapi.Unanswered(err), tt.err, tt.open)
			}
			if api, ok := errors.AsType[backendapi.APIError](err); ok != (tt.err != unreachable && tt.err != malformed && tt.err != unexpected) || ok && string(api) != tt.err {
				t.Errorf("%s, %s: got the APIError %q: %t, want %q", tt.name, kind, api, ok, tt.err)
			}
		}
	}
}

// A handshake may return no cookies at all, a refresh may not.
func TestEmptyLists(t *testing.T) {
	c, _ := newClient(always(200, `{"cookies":[],"directives":[]}`))
	if list, err := askNonce(t, c, 0); err != nil || len(list) > 0 {
		t.Errorf("nonce: got %q and %v, want neither", list, err)
	}
	if _, err := askRefresh(t, c, 0); err == nil || err.Error() != malformed || !backendapi.Unanswered(err) {
		t.Errorf("refresh: got %v, want %s, unanswered", err, malformed)
	}
}

// failing is a network that does not work, or works in part.
type failing func(*http.Request) (*http.Response, error)

func (f failing) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Whatever fails, no error contains what was sent: not the secret key, nor a nonce, nor a token.
func TestErrorsHoldNoSecret(t *testing.T) {
	const nonce, expired, refresh = "nonce_ThatIsSecret", "expired.ThatIs.Secret", "rt_ThatIsSecret"
	echo := func(r *http.Request) string {
		body := []byte{}
		if r.Body != nil {
			body, _ = io.ReadAll(r.Body)
		}
		return fmt.Sprintf("%s %s %v %s %s", r.Method, r.URL, r.Header, body, nonce)
	}
	answer := func(r *http.Request, status int, body io.Reader) *http.Response {
		return &http.Response{StatusCode: status, Body: io.NopCloser(body), Header: http.Header{}, Request: r}
	}
	for name, f := range map[string]failing{
		"an error with the request": func(r *http.Request) (*http.Response, error) { return nil, errors.New(echo(r)) },
		"a body that breaks": func(r *http.Request) (*http.Response, error) {
			return answer(r, 200, iotest.ErrReader(errors.New(echo(r)))), nil
		},
		"an answer with the request": func(r *http.Request) (*http.Response, error) { return answer(r, 200, strings.NewReader(echo(r))), nil },
		"a list with the request": func(r *http.Request) (*http.Response, error) {
			return answer(r, 200, strings.NewReader(fmt.Sprintf(`{"cookies":%q,"directives":%q}`, echo(r), echo(r)))), nil
		},
		"a code with the request": func(r *http.Request) (*http.Response, error) {
			return answer(r, 400, strings.NewReader(fmt.Sprintf(`{"errors":[{"code":%q}]}`, echo(r)))), nil
		},
	} {
		c := backendapi.New(&http.Client{Transport: f}, base, secret, fixed, quiet)
		_, handshake := c.HandshakePayload(t.Context(), nonce)
		_, refreshed := c.Refresh(t.Context(), backendapi.RefreshRequest{Session: "sess_ThatIsSecret", ExpiredToken: expired, RefreshToken: refresh})
		for kind, err := range map[string]error{"nonce": handshake, "refresh": refreshed} {
			if err == nil {
				t.Errorf("%s, %s: got no error, want one", name, kind)
			}
			for ; err != nil; err = errors.Unwrap(err) {
				for _, held := range []string{secret, nonce, expired, refresh, "sess_ThatIsSecret"} {
					if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, held) {
						t.Errorf("%s, %s: %s contains %s", name, kind, text, held)
					}
				}
			}
		}
	}
}

// With a base that is not a URL there is an error, and nothing is sent.
func TestUnusableBase(t *testing.T) {
	n := &network{answer: always(200, worked)}
	c := backendapi.New(&http.Client{Transport: n}, "http://[", secret, fixed, quiet)
	for kind, ask := range map[string]question{"nonce": askNonce, "refresh": askRefresh} {
		if _, err := ask(t, c, 0); !errors.Is(err, backendapi.ErrUnreachable) || !backendapi.Unanswered(err) {
			t.Errorf("%s: got %v, want %v", kind, err, backendapi.ErrUnreachable)
		}
	}
	n.want(t, "both", 0)
}

// Without an answer nothing is decided. Other packages' errors do not count as unanswered, whatever
// they contain.
func TestUnanswered(t *testing.T) {
	c, _ := newClient(func(*http.Request) (int, string, error) { return 0, "", errNetwork })
	for kind, ask := range map[string]question{"nonce": askNonce, "refresh": askRefresh} {
		if _, err := ask(t, c, 0); !errors.Is(err, backendapi.ErrUnreachable) || errors.Is(err, errNetwork) || !backendapi.Unanswered(err) {
			t.Errorf("%s: got %v, want %v alone", kind, err, backendapi.ErrUnreachable)
		}
	}
	if err := fmt.Errorf("wrapped: %w", backendapi.ErrUnreachable); !backendapi.Unanswered(err) {
		t.Errorf("Unanswered(%v) = false, want true", err)
	}
	for name, err := range map[string]error{"nil": nil, "another error": errNetwork, "a code": backendapi.APIError("fetch-error")} {
		if backendapi.Unanswered(err) {
			t.Errorf("%s: Unanswered = true, want false", name)
		}
	}
}

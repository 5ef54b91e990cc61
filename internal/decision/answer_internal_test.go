package decision

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/jwks"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// A handshake result that is refused signs nobody in and leaves a line about it, and one that could not be asked about is not
// said to be refused.
func TestRefusedHandshakeResults(t *testing.T) {
	const nonce, sealed, sent = "__clerk_handshake_nonce=", "__clerk_handshake=", "?__clerkauth_sent=1772625599t"
	good := signsIn(token(t, nil))
	many := func(n int) []string { return append(slices.Repeat([]string{"theme=dark"}, n-len(good)), good...) }
	answering := func(status int, body string) network {
		return func(*http.Request) (*http.Response, error) {
			h := http.Header{"Content-Type": {"application/json"}}
			return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}, nil
		}
	}
	anyError := errors.New("any")
	for name, tc := range map[string]struct {
		query, cookie string
		backend       network
		signsIn       bool
		refused       error // in the detail; nil: it is not said to be refused
	}{
		"a good one":                         {"", sealed + handshakeToken(t, nil, good...), nil, true, nil},
		"64 cookies":                         {"", sealed + handshakeToken(t, nil, many(maxDirectives)...), nil, true, nil},
		"65 cookies":                         {"", sealed + handshakeToken(t, nil, many(maxDirectives+1)...), nil, false, errDirective},
		"what is no cookie":                  {"", sealed + handshakeToken(t, nil, append(good, "theme")...), nil, false, errDirective},
		"a token with a malformed nbf":       {"", sealed + handshakeToken(t, jwt.MapClaims{"nbf": "soon"}, good...), nil, false, errHandshakeClaims},
		"a token with a malformed exp":       {"", sealed + handshakeToken(t, jwt.MapClaims{"exp": "soon"}, good...), nil, false, errHandshakeClaims},
		"a session's token":                  {"", sealed + handshakeToken(t, jwt.MapClaims{"sid": "sess_1"}, good...), nil, false, anyError},
		"a session's id of another type":     {"", sealed + handshakeToken(t, jwt.MapClaims{"sid": 7}, good...), nil, false, anyError},
		"an empty session's id":              {"", sealed + handshakeToken(t, jwt.MapClaims{"sid": ""}, good...), nil, false, anyError},
		"an issuer of another type":          {"", sealed + handshakeToken(t, jwt.MapClaims{"iss": true}, good...), nil, false, anyError},
		"an empty issuer":                    {"", sealed + handshakeToken(t, jwt.MapClaims{"iss": ""}, good...), nil, false, anyError},
		"a good nonce":                       {"", nonce + "nonce_nonce", answering(http.StatusOK, `{"directives":["`+good[0]+`"]}`), true, nil},
		"a malformed nonce":                  {"", nonce + "short", unreachable, false, errNonceForm},
		"a nonce that is refused":            {"", nonce + "nonce_nonce", answering(http.StatusNotFound, `{"errors":[{"code":"not_found"}]}`), false, anyError},
		"a nonce that cannot be asked about": {sent, nonce + "nonce_nonce", unreachable, false, nil},
	} {
		d := decider(t)
		if tc.backend != nil {
			d.asking(tc.backend)
		}
		o := d.visit(appOrigin+"/"+tc.query, cookies(tc.cookie, "__client_uat=1"))
		if signedIn := o.Reason == ""; signedIn != tc.signsIn {
			t.Errorf("%s: %q, want to be signed in %t", name, o.Reason, tc.signsIn)
		}
		refused, said := errors.AsType[answerError](o.Detail)
		if said != (tc.refused != nil) || said && tc.refused != anyError && !errors.Is(refused, tc.refused) { //nolint:errorlint // a mark of this test
			t.Errorf("%s: detail %v, want %v", name, o.Detail, tc.refused)
		}
	}
}

// That this machine's clock is off is said where the token of a handshake shows it for certain: it is from the future. One
// that has expired may be old, and one without iat shows nothing.
func TestWhatShowsTheClock(t *testing.T) {
	for name, tc := range map[string]struct {
		claims jwt.MapClaims
		want   []time.Duration
	}{
		"from the future":      {jwt.MapClaims{"iat": noon.Unix() + 3600, "nbf": nil, "exp": noon.Unix() + 3660}, []time.Duration{-time.Hour}},
		"expired":              {jwt.MapClaims{"iat": noon.Unix() - 3600, "nbf": nil, "exp": noon.Unix() - 3540}, nil},
		"valid now":            {nil, nil},
		"expired, without iat": {jwt.MapClaims{"iat": nil, "nbf": nil, "exp": noon.Unix() - 3540}, nil},
	} {
		var told []time.Duration
		d := decider(t, func(s *Settings) { s.ClockOff = func(ahead time.Duration) { told = append(told, ahead) } })
		d.visit(appOrigin+"/", cookies("__clerk_handshake="+handshakeToken(t, nil, signsIn(token(t, tc.claims))...)))
		if !slices.Equal(told, tc.want) {
			t.Errorf("%s: told %v, want %v", name, told, tc.want)
		}
	}
	result := decider(t).judgeDirectives(t.Context(), signsIn(token(t, jwt.MapClaims{"iat": nil, "nbf": nil, "exp": noon.Unix() - 3540})), FromHandshake, &inbound.Request{}, noon, true)
	if result.reason != reasons.TokenExpired || result.ahead != 0 {
		t.Errorf("a new one without iat: %q, ahead %v, want %q, 0", result.reason, result.ahead, reasons.TokenExpired)
	}
}

// keyEndpoint is the endpoint of keys, by a clock of its own.
type keyEndpoint struct{ date time.Time }

func (e keyEndpoint) Do(*http.Request) (*http.Response, error) {
	h := http.Header{"Date": {e.date.Format(http.TimeFormat)}, "Content-Type": {"application/json"}}
	return &http.Response{StatusCode: http.StatusOK, Header: h, Body: io.NopCloser(strings.NewReader(`{"keys":[]}`))}, nil
}

// In development a clock that is a day off is forgiven, and not one that is off by more.
func TestForgivenClock(t *testing.T) {
	for ahead, want := range map[time.Duration]reasons.Reason{
		time.Hour: "", forgivenSkew: "", forgivenSkew + time.Second: reasons.TokenExpired,
	} {
		d := decider(t, testKeys)
		keys := jwks.New(jwks.Endpoint(keyEndpoint{noon.Add(-ahead - time.Second)}, issuer), time.Hour, func() time.Time { return noon }, func(error) {})
		_ = keys.Load(context.Background())
		keys.Wait()
		if keys.Ahead() != ahead {
			t.Fatalf("Ahead() = %v, want %v", keys.Ahead(), ahead)
		}
		d.verifier = sessiontoken.New(keys, 16, d.Policy.Skew)
		at := noon.Add(-ahead).Unix()
		read := d.verifier.Read(token(t, jwt.MapClaims{"iat": at - 10, "nbf": at - 20, "exp": at + 50}), noon)
		if got := d.forgiveClock(t.Context(), &read, reasons.TokenExpired, FromHandshake, &inbound.Request{}, noon, false); got != want {
			t.Errorf("%v ahead: %q, want %q", ahead, got, want)
		}
	}
}

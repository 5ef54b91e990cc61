package threats_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A Backend API that does not answer refuses no credential: the response is 503 with Retry-After,
// and not remembered.
func TestMachinesWhileTheBackendAPIFails(t *testing.T) {
	faults := map[string]clerktest.Fault{
		"402":            clerktest.Status(http.StatusPaymentRequired, nil),
		"403":            clerktest.Status(http.StatusForbidden, nil),
		"408":            clerktest.Status(http.StatusRequestTimeout, nil),
		"409":            clerktest.Status(http.StatusConflict, nil),
		"204":            clerktest.Status(http.StatusNoContent, nil),
		"201":            clerktest.Status(http.StatusCreated, nil),
		"hangs":          clerktest.Hang,
		"huge":           clerktest.HugeBody,
		"400 of a proxy": pageOf(http.StatusBadRequest),
		"404 of a proxy": pageOf(http.StatusNotFound),
		"410 of a proxy": pageOf(http.StatusGone),
		"422 of a proxy": pageOf(http.StatusUnprocessableEntity),
	}
	maps.Copy(faults, outages)
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, h := keyed(t)
				key := a.Clerk.APIKey(clerktest.MachineClaims{})
				a.Clerk.Fault(clerktest.BackendVerifyAPIKey, fault)
				want := clerkauth.ReasonCredentialUnverifiable
				if name == "the secret key" || name == "403" {
					want = clerkauth.ReasonSecretKeyInvalid
				}
				for range 5 {
					w := harness.Serve(h, harness.Request("GET", "/", harness.WithBearer(key)))
					if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || w.Header().Get("WWW-Authenticate") != "" ||
						w.Header().Get("X-Clerk-Auth-Reason") != string(want) {
						t.Errorf("got %d %v, want 503 %s", w.Code, w.Header(), want)
					}
				}
				a.Clerk.Fault(clerktest.BackendVerifyAPIKey, nil)
				time.Sleep(10 * time.Second) // the pause of a server that failed
				if got := outcome(h, key); got != letIn {
					t.Errorf("after it: got %s, want %s", got, letIn)
				}
			})
		})
	}
}

// pageOf is an answer that is not the Backend API's own.
func pageOf(status int) clerktest.Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<h1>Sorry</h1>", status) })
	}
}

// What the Backend API says of the credential itself is remembered for a minute, whatever its status.
func TestRefusalsOfTheBackendAPIAreRemembered(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity} {
		synctest.Test(t, func(t *testing.T) {
			a, h := keyed(t)
			key := a.Clerk.APIKey(clerktest.MachineClaims{})
			a.Clerk.Fault(clerktest.BackendVerifyAPIKey, clerktest.Status(status, nil))
			for range 50 {
				if got := outcome(h, key); got != invalid {
					t.Errorf("%d: got %s, want %s", status, got, invalid)
				}
			}
			if n := calls(a); n != 1 {
				t.Errorf("%d: %d questions, want 1", status, n)
			}
			a.Clerk.Fault(clerktest.BackendVerifyAPIKey, nil)
			time.Sleep(time.Minute)
			if got := outcome(h, key); got != letIn {
				t.Errorf("%d, a minute later: got %s, want %s", status, got, letIn)
			}
		})
	}
}

// A failing server gets no requests for a while. Refusals, which strangers can cause, do not count
// as failures.
func TestBreakerOfMachines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := keyed(t)
		a.Clerk.Fault(clerktest.BackendVerifyAPIKey, clerktest.Down)
		for i := range 20 {
			outcome(h, fmt.Sprintf("ak_%d", i))
		}
		if n := calls(a); n != 3 {
			t.Errorf("%d questions to a server that is down, want 3", n)
		}
		a.Clerk.Fault(clerktest.BackendVerifyAPIKey, nil)
		time.Sleep(10 * time.Second)
		for i := range 20 {
			if got := outcome(h, fmt.Sprintf("ak_again_%d", i)); got != invalid {
				t.Errorf("made up: got %s, want %s", got, invalid)
			}
		}
		if got := outcome(h, a.Clerk.APIKey(clerktest.MachineClaims{})); got != letIn {
			t.Errorf("after twenty that were refused: got %s, want %s", got, letIn)
		}
	})
}

// A failure for machines stops no session, and the reverse.
func TestBreakersOfMachinesAndSessionsAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newRenewing(t)
		h := v.Accept(clerkauth.APIKeys())(machineGreet)
		key := v.Clerk.APIKey(clerktest.MachineClaims{})
		v.Clerk.Fault(clerktest.BackendVerifyAPIKey, clerktest.Down)
		for range 10 {
			if got := outcome(h, key); got != open {
				t.Fatalf("got %v, want %v", got, open)
			}
		}
		harness.WantState(t, v.AuthenticateRequest(v.Script(v.Expired(clerktest.Claims{}), v.NewRefreshCookie())), clerkauth.StatusSignedIn, "")
		v.Clerk.Fault(clerktest.BackendVerifyAPIKey, nil)
		v.Clerk.Fault(clerktest.BackendRefresh, clerktest.Down)
		v.Clerk.Fault(clerktest.BackendHandshake, clerktest.Down)
		for range 10 {
			v.AuthenticateRequest(v.Script(v.Expired(clerktest.Claims{}), v.NewRefreshCookie()))
			v.AuthenticateRequest(v.Returning("__clerk_handshake_nonce=" + harness.Nonce))
		}
		v.Now = v.Now.Add(10 * time.Second)
		if got := outcome(h, key); got != letIn {
			t.Errorf("while sessions cannot be refreshed: got %s, want %s", got, letIn)
		}
	})
}

type panickingWithKey struct{}

func (panickingWithKey) RoundTrip(*http.Request) (*http.Response, error) { panic("ak_secret") }

// A panic in the application's transport counts as no answer, and does not end the process.
func TestMachinesAndATransportThatPanics(t *testing.T) {
	a := harness.NewApp(t)
	auth := a.Replica(func(c *clerkauth.Config) { c.HTTPClient = &http.Client{Transport: panickingWithKey{}} })
	if got := outcome(auth.Accept(clerkauth.APIKeys())(machineGreet), a.Clerk.APIKey(clerktest.MachineClaims{})); got != open {
		t.Errorf("got %s, want %s", got, open)
	}
}

// Machine JWTs are verified with keys: where those cannot be fetched the response is 503, too.
func TestMachineJWTsWithoutKeys(t *testing.T) {
	a, h := keyed(t)
	a.Clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	if got := outcome(h, a.Clerk.OAuthJWT(clerktest.MachineClaims{})); got != "503 jwk-remote-failed-to-load" {
		t.Errorf("got %s, want 503 jwk-remote-failed-to-load", got)
	}
}

// No part of a credential is in an answer, an error, an event or the log, whatever the result.
func TestCredentialsAreNowhere(t *testing.T) {
	var log harness.Log
	var events bytes.Buffer
	a := harness.NewApp(t, func(c *clerkauth.Config) {
		c.Logger = log.Logger()
		c.MachineSecretKey = "ak_" + strings.Repeat("ownSecretOfIt", 3)
		c.Observe = func(_ context.Context, e clerkauth.Event) { _, _ = fmt.Fprintf(&events, "%+v\n", e) }
	})
	credentials := []string{
		a.Clerk.APIKey(clerktest.MachineClaims{}), a.Clerk.M2M(clerktest.MachineClaims{}), a.Clerk.OAuth(clerktest.MachineClaims{}),
		a.Clerk.M2MJWT(clerktest.MachineClaims{}), a.Clerk.OAuthJWT(clerktest.MachineClaims{}), a.Clerk.OAuthJWT(clerktest.MachineClaims{ExpiresAt: harness.Noon.Add(-time.Hour)}),
		"ak_" + strings.Repeat("madeUp", 10), "oat_" + strings.Repeat("bad ", 10), "mt_a." + strings.Repeat("dots", 10),
	}
	echo := func(http.Handler) http.Handler { // a server that repeats what it was sent
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.Copy(w, r.Body)
		})
	}
	var texts []string
	for _, fault := range []clerktest.Fault{nil, clerktest.Down, clerktest.Garbage, clerktest.Status(http.StatusUnauthorized, nil), echo} {
		for _, endpoint := range []clerktest.Endpoint{clerktest.BackendVerifyAPIKey, clerktest.BackendVerifyM2M, clerktest.BackendVerifyOAuth} {
			a.Clerk.Fault(endpoint, fault)
		}
		for _, credential := range credentials {
			for _, c := range []clerkauth.Credential{clerkauth.APIKeys("x"), clerkauth.OAuthTokens(), clerkauth.M2MTokens(), clerkauth.Sessions()} {
				r := harness.Request("GET", "/", harness.WithBearer(credential))
				w := harness.Serve(a.Accept(c)(machineOrPerson), r)
				texts = append(texts, fmt.Sprint(w.Code, w.Header(), w.Body))
			}
			m, err := a.VerifyMachine(t.Context(), credential, clerkauth.APIKeys(), clerkauth.OAuthTokens(), clerkauth.M2MTokens())
			texts = append(texts, fmt.Sprintf("%+v %#v %v", m, m, err))
			for ; err != nil; err = errors.Unwrap(err) {
				texts = append(texts, fmt.Sprintf("%v %+v %#v", err, err, err))
			}
		}
	}
	texts = append(texts, log.String(), events.String())
	if !strings.Contains(log.String(), "refuses the secret key") || !strings.Contains(log.String(), "Backend API failed") || !strings.Contains(events.String(), "oauth_token") {
		t.Errorf("log %q and events %.200q, want the refused secret key, the failing Backend API and oauth_token in them", log.String(), events.String())
	}
	for _, credential := range append(credentials, a.Clerk.SecretKey(), "ak_"+strings.Repeat("ownSecretOfIt", 3)) {
		behind := credential[4:]
		for i := 0; i+8 <= len(behind); i += 4 {
			for _, text := range texts {
				if piece := behind[i : i+8]; !strings.HasPrefix(credential, "ey") && strings.Contains(text, piece) {
					t.Fatalf("the piece %q of the credential %q is in %q", piece, credential, text)
				}
			}
		}
		for _, text := range texts {
			if strings.HasPrefix(credential, "ey") && strings.Contains(text, credential[len(credential)-40:]) {
				t.Fatalf("the signature of a JWT is in %q", text)
			}
		}
	}
}

var machineOrPerson = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	m, ok := clerkauth.MachineFromContext(r.Context())
	_, _ = fmt.Fprintf(w, "%t %+v %+v", ok, m, r.Context())
})

package clerkauth_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// An application with a secret key gets its keys from the Backend API, which alone gets the secret:
// whoever controls the Frontend API's host must not choose the keys.
func TestKeysComeFromOnePlace(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(*clerkauth.Config, *clerktest.Instance)
		down     clerktest.Endpoint
		endpoint clerktest.Endpoint // empty: none
		want     clerkauth.Reason
		secretly bool
	}{
		"a secret":                     {nil, "", clerktest.BackendJWKS, "", true},
		"a secret, Backend API down":   {nil, clerktest.BackendJWKS, clerktest.BackendJWKS, clerkauth.ReasonKeysUnavailable, true},
		"a secret, Frontend API down":  {nil, clerktest.FrontendJWKS, clerktest.BackendJWKS, "", true},
		"no secret":                    {func(c *clerkauth.Config, _ *clerktest.Instance) { c.SecretKey = "" }, "", clerktest.FrontendJWKS, "", false},
		"no secret, Frontend API down": {func(c *clerkauth.Config, _ *clerktest.Instance) { c.SecretKey = "" }, clerktest.FrontendJWKS, clerktest.FrontendJWKS, clerkauth.ReasonKeysUnavailable, false},
		"no secret, Backend API down":  {func(c *clerkauth.Config, _ *clerktest.Instance) { c.SecretKey = "" }, clerktest.BackendJWKS, clerktest.FrontendJWKS, "", false},
		"JWTKey":                       {func(c *clerkauth.Config, in *clerktest.Instance) { c.JWTKey = in.JWTKey() }, "", "", "", false},
		"JWTKey of another": {func(c *clerkauth.Config, _ *clerktest.Instance) {
			c.JWTKey = clerktest.New(t, clerktest.Options{}).JWTKey()
		}, "", "", clerkauth.ReasonTokenSignature, false},
	} {
		t.Run(name, func(t *testing.T) {
			clerk := clerktest.New(t, clerktest.Options{})
			cfg := clerk.Config()
			if c.change != nil {
				c.change(&cfg, clerk)
			}
			auth, err := clerkauth.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if c.down != "" {
				clerk.Fault(c.down, clerktest.Down)
			}
			for range 3 {
				if got := harness.Judge(t, auth, clerk.Token(clerktest.Claims{})); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			}
			requests := clerk.Requests()
			if c.endpoint == "" && len(requests) != 0 || c.endpoint != "" && len(requests) != 1 {
				t.Fatalf("got %d requests, want one exactly with an endpoint (%q)", len(requests), c.endpoint)
			}
			for _, r := range requests {
				if r.Endpoint != c.endpoint || r.SecretKey != c.secretly || r.Method != http.MethodGet || len(r.Query) != 0 {
					t.Errorf("got %s %s%s (secret shown: %v), want %s (secret shown: %v)", r.Method, r.Host, r.Path, r.SecretKey, c.endpoint, c.secretly)
				}
				if got := r.Header.Get("Authorization"); (got == "Bearer sk_…") != c.secretly || !c.secretly && got != "" {
					t.Errorf("Authorization %q, want a secret %v", got, c.secretly)
				}
			}
		})
	}
}

// A redirect would send the secret key, and the choice of the keys, elsewhere.
func TestRedirectsAreNotFollowed(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		for _, status := range []int{301, 302, 303, 307, 308} {
			k.Fault(clerktest.Status(status, http.Header{"Location": {k.Clerk.URL(clerktest.FrontendJWKS)}}))
			k.Want(k.Token, clerkauth.ReasonKeysUnavailable, 0)
			k.WantFetches(1)
			time.Sleep(time.Minute)
		}
		k.Fault(clerktest.Redirect("https://evil.example.com/"))
		k.Want(k.Token, clerkauth.ReasonKeysUnavailable, 0)
		k.WantFetches(1)
		for _, r := range k.Clerk.Requests() {
			if r.Endpoint != clerktest.BackendJWKS {
				k.Errorf("got a request to %s%s, want none after the redirect", r.Host, r.Path)
			}
		}
	}, func(c *clerkauth.Config) {
		c.HTTPClient.CheckRedirect = func(*http.Request, []*http.Request) error { return nil } // not even with the application's own redirect rule
	})
}

func TestOnlyAGoodDocumentIsTaken(t *testing.T) {
	const limit = 256 << 10
	for name, c := range map[string]struct {
		fault clerktest.Fault
		want  clerkauth.Reason
	}{
		"honest":                     {nil, ""},
		"garbage":                    {clerktest.Garbage, clerkauth.ReasonKeysUnavailable},
		"empty set":                  {clerktest.EmptySet, clerkauth.ReasonKeysUnavailable},
		"{}":                         {answer("{}"), clerkauth.ReasonKeysUnavailable},
		"huge":                       {clerktest.HugeBody, clerkauth.ReasonKeysUnavailable},
		"of 256 KiB":                 {padded(limit), ""},
		"of 256 KiB and a byte":      {padded(limit + 1), clerkauth.ReasonKeysUnavailable},
		"with another status":        {withStatus(201), clerkauth.ReasonKeysUnavailable},
		"with an error's status":     {withStatus(500), clerkauth.ReasonKeysUnavailable},
		"not modified, from nothing": {clerktest.Status(304, nil), clerkauth.ReasonKeysUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			harness.WithKeys(t, func(k *harness.Keyed) {
				k.Fault(c.fault)
				k.Want(k.Token, c.want, 0)
				k.WantFetches(1)
			})
		})
	}
}

// A body without an end costs no more than the largest allowed one.
func TestOnlySoMuchIsRead(t *testing.T) {
	endless := &letters{}
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Want(k.Token, clerkauth.ReasonKeysUnavailable, 0)
		if endless.read > 300<<10 {
			k.Errorf("read %d bytes, want little more than 256 KiB", endless.read)
		}
		if !endless.closed {
			k.Error("the body was not closed")
		}
	}, func(c *clerkauth.Config) {
		c.HTTPClient.Transport = harness.Transport(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: endless, Request: r}, nil
		})
	})
}

// letters is a body without an end, up to 10 MiB.
type letters struct {
	read   int
	closed bool
}

func (l *letters) Read(b []byte) (int, error) {
	if l.read > 10<<20 {
		return 0, io.EOF
	}
	l.read += len(b)
	return copy(b, bytes.Repeat([]byte{'x'}, len(b))), nil
}

func (l *letters) Close() error {
	l.closed = true
	return nil
}

// padded is a fault that answers honestly, with white space up to a size.
func padded(size int) clerktest.Fault {
	return func(honest http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := &recorder{ResponseWriter: w}
			r = r.Clone(r.Context())
			r.Header.Del("If-None-Match")
			honest.ServeHTTP(body, r)
			_, _ = w.Write([]byte(strings.Repeat(" ", size-body.size)))
		})
	}
}

// withStatus is a fault that answers honestly, with another status.
func withStatus(status int) clerktest.Fault {
	return func(honest http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			honest.ServeHTTP(&recorder{ResponseWriter: w}, r)
		})
	}
}

// recorder counts what is written, and sets no status.
type recorder struct {
	http.ResponseWriter

	size int
}

func (r *recorder) WriteHeader(int) {}

func (r *recorder) Write(b []byte) (int, error) {
	r.size += len(b)
	r.Header().Del("Content-Length")
	return r.ResponseWriter.Write(b)
}

// Unchanged keys cost no body and change nothing; other keys do.
func TestUnchangedKeysAreNotSentAgain(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Want(k.Token, "", 0)
		if etag := k.WantFetches(1)[0].Header.Get("If-None-Match"); etag != "" {
			k.Errorf("the first fetch has If-None-Match %q, want none", etag)
		}
		statuses := []int{}
		k.Fault(func(honest http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				honest.ServeHTTP(statusRecorder{w, &statuses}, r)
			})
		})
		for range 3 {
			time.Sleep(5 * time.Minute)
			k.Want(k.Token, "", 0)
			k.WantFetches(1)
			time.Sleep(3 * time.Minute) // confirmed keys are as fresh as new ones
			k.Want(k.Token, "", 0)
			k.WantFetches(0)
		}
		if k.Auth.Generation() != 1 {
			k.Errorf("generation %d, want 1: the keys are the same", k.Auth.Generation())
		}
		k.Clerk.RotateKey()
		time.Sleep(5 * time.Minute)
		k.Want(k.Mint(), "", 0)
		if got := k.Auth.Generation(); got != 2 {
			k.Errorf("generation %d, want 2", got)
		}
		if want := []int{304, 304, 304, 200}; !slices.Equal(statuses, want) {
			k.Errorf("statuses %v, want %v", statuses, want)
		}
	})
}

type statusRecorder struct {
	http.ResponseWriter

	statuses *[]int
}

func (r statusRecorder) WriteHeader(status int) {
	*r.statuses = append(*r.statuses, status)
	if status == http.StatusNotModified {
		r.Header().Del("ETag") // it is not needed
	}
	r.ResponseWriter.WriteHeader(status)
}

// Documents that only look different are compared by their keys.
func TestTheGenerationChangesOnlyWithKeys(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		first := k.Clerk.KeyID()
		k.Clerk.RotateKey()
		k.Fault(padded(10_000))
		for range 3 {
			k.Want(k.Token, "", 0)
			time.Sleep(5 * time.Minute)
		}
		if got := k.Auth.Generation(); got != 1 {
			k.Errorf("generation %d, want 1", got)
		}
		k.Clerk.RevokeKey(first)
		k.Want(k.Token, clerkauth.ReasonKeyUnknown, 0)
		if got := k.Auth.Generation(); got != 2 {
			k.Errorf("a key less: generation %d, want 2", got)
		}
	})
}

func TestKeyMaxAge(t *testing.T) {
	for name, c := range map[string]struct {
		config, want time.Duration
	}{"left out": {0, 24 * time.Hour}, "an hour": {time.Hour, time.Hour}, "the least": {5 * time.Minute, 5 * time.Minute}} {
		t.Run(name, func(t *testing.T) {
			harness.WithKeys(t, func(k *harness.Keyed) {
				k.Want(k.Token, "", 0)
				k.Fault(clerktest.Down)
				time.Sleep(c.want - 500*time.Millisecond)
				k.Want(k.Token, "", 0) // it fails, and the next fetch is a second away
				time.Sleep(500 * time.Millisecond)
				k.Want(k.Token, "", 0)
				time.Sleep(time.Nanosecond)
				k.Want(k.Token, clerkauth.ReasonKeysUnavailable, 0)
				time.Sleep(time.Hour)
				k.Want(k.Token, clerkauth.ReasonKeysUnavailable, 0)
				k.Want(k.Stranger("ins_x"), clerkauth.ReasonKeysUnavailable, 0)
				if err := k.Auth.Ready(k.Context()); err == nil {
					k.Errorf("Ready with keys that are too old: got no error, want one")
				}
				k.Fault(nil)
				time.Sleep(time.Minute)
				k.Want(k.Token, "", 0)
			}, func(cfg *clerkauth.Config) { cfg.KeyMaxAge = c.config })
		})
	}
}

// Package requests classifies clerkauth's requests to Clerk through Config.HTTPClient, for prometheus and opentelemetry.
package requests

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth"
)

// Keys is the result of For for a request for the instance's keys.
const Keys = "keys"

// For is the purpose of a request: keys, refresh, handshake, machine, proxy or other. Clients cannot choose it: requests
// that FrontendAPIProxy forwards, whose paths visitors choose, are proxy.
func For(r *http.Request) string {
	path := r.URL.EscapedPath()
	switch {
	case r.Header.Get("Clerk-Proxy-Url") != "": // visitors can neither set nor remove it
		return "proxy"
	case strings.HasSuffix(path, "/v1/jwks"), strings.HasSuffix(path, "/.well-known/jwks.json"):
		return Keys
	case strings.HasSuffix(path, "/refresh"):
		return "refresh"
	case strings.HasSuffix(path, "/handshake_payload"):
		return "handshake"
	case strings.HasSuffix(path, "/verify"):
		return "machine"
	}
	return "other"
}

// maxKeys is more than clerkauth reads, in bytes.
const maxKeys = 1 << 20

// HasKeys reports whether a response to a request for keys has some that clerkauth accepts, or says that the known ones are
// still current. It reads the body, and restores it.
func HasKeys(r *http.Request, resp *http.Response) bool {
	if resp.StatusCode != http.StatusOK {
		return resp.StatusCode == http.StatusNotModified && r.Header.Get("If-None-Match") != ""
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeys))
	resp.Body = rest{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
	return err == nil && taken(r.Context(), body)
}

type rest struct {
	io.Reader
	io.Closer
}

// taken loads the keys with an Authenticator of its own, which is therefore as strict as the app's.
func taken(ctx context.Context, body []byte) bool {
	auth, err := clerkauth.New(clerkauth.Config{
		PublishableKey: "pk_test_Y2xlcmsuZXhhbXBsZS5jb20k", InsecureAllowAnyParty: true, TokenCacheSize: -1, // of clerk.example.com
		Logger: slog.New(slog.DiscardHandler), HTTPClient: &http.Client{Transport: answer(body)},
	})
	return err == nil && auth.Ready(ctx) == nil
}

// answer is the response to every request.
type answer []byte

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(a)), Request: r}, nil
}

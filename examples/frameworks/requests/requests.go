// Package requests tells apart what clerkauth asks Clerk for through Config.HTTPClient. prometheus and opentelemetry measure by it.
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

// Keys is what For says of a request for the instance's keys.
const Keys = "keys"

// For is what a request is for: keys, refresh, handshake, machine, proxy or other. Nobody outside chooses the word: what
// FrontendAPIProxy forwards, at paths that visitors choose, is proxy.
func For(r *http.Request) string {
	path := r.URL.EscapedPath()
	switch {
	case r.Header.Get("Clerk-Proxy-Url") != "": // visitors cannot set it, or take it away
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

// HasKeys reports whether an answer to a request for keys has some that clerkauth takes, or says that those which it has are
// still the instance's. It reads the body, and puts it back.
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

// taken has an Authenticator of its own load the keys, which therefore is as strict as the app's.
func taken(ctx context.Context, body []byte) bool {
	auth, err := clerkauth.New(clerkauth.Config{
		PublishableKey: "pk_test_Y2xlcmsuZXhhbXBsZS5jb20k", InsecureAllowAnyParty: true, TokenCacheSize: -1, // of clerk.example.com
		Logger: slog.New(slog.DiscardHandler), HTTPClient: &http.Client{Transport: answer(body)},
	})
	return err == nil && auth.Ready(ctx) == nil
}

// answer is what every request gets.
type answer []byte

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(a)), Request: r}, nil
}

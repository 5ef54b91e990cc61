package clerktest

import (
	"crypto/subtle"
	"net/http"
)

// newBackend is the Backend API: what servers talk to, with the secret key.
func newBackend(in *Instance) *api {
	a := newAPI()
	a.handle(BackendJWKS, http.MethodGet, "/v1/jwks", in.withSecret(in.serveKeys))
	a.handle(BackendHandshake, http.MethodGet, "/v1/clients/handshake_payload", in.withSecret(in.serveHandshakePayload))
	a.handle(BackendRefresh, http.MethodPost, "/v1/sessions/{id}/refresh", in.withSecret(in.serveRefresh))
	return a
}

// withSecret lets in who sends exactly one Authorization header, with exactly the secret key.
func (in *Instance) withSecret(next http.HandlerFunc) http.HandlerFunc {
	want := []byte("Bearer " + in.secretKey)
	return func(w http.ResponseWriter, r *http.Request) {
		got := r.Header.Values("Authorization")
		if len(got) != 1 || subtle.ConstantTimeCompare([]byte(got[0]), want) != 1 {
			refuse(w, http.StatusUnauthorized, "clerk_key_invalid", "The provided Clerk Secret Key is invalid.")
			return
		}
		next(w, r)
	}
}

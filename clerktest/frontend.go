package clerktest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"
)

// newFrontend is the Frontend API: what browsers talk to, and what anybody may ask.
func newFrontend(in *Instance) *api {
	a := newAPI()
	a.handle(FrontendJWKS, http.MethodGet, "/.well-known/jwks.json", in.withoutSecret(in.serveKeys))
	a.handle(FrontendHandshake, http.MethodGet, "/v1/client/handshake", in.withoutSecret(in.serveHandshake))
	a.handle(SignInPage, http.MethodGet, "/sign-in", in.withoutSecret(in.showSignIn))
	a.handle(SignInPage, http.MethodPost, "/sign-in", in.withoutSecret(in.signInHere))
	a.handle(SignOutPage, http.MethodGet, "/sign-out", in.withoutSecret(in.showSignOut))
	a.handle(SignOutPage, http.MethodPost, "/sign-out", in.withoutSecret(in.signOutHere))
	return a
}

// withoutSecret refuses the secret key. The real API would not mind it; here it is how a leak shows.
func (in *Instance) withoutSecret(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if showsSecret(r, in.secretKey) {
			refuse(w, http.StatusBadRequest, "clerktest_secret_key_leaked", "the secret key belongs to the Backend API only")
			return
		}
		next(w, r)
	}
}

// serveKeys answers with the published keys, or 304 to who has them already (RFC 9110 section 13.1.2).
func (in *Instance) serveKeys(w http.ResponseWriter, r *http.Request) {
	set := struct {
		Keys []jwk `json:"keys"`
	}{in.keys.set()}
	document := encode(set)
	sum := sha256.Sum256(document)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(document))
}

// refuse answers with the error document of Clerk's APIs.
func refuse(w http.ResponseWriter, status int, code, message string) {
	type problem struct {
		Message     string `json:"message"`
		LongMessage string `json:"long_message"`
		Code        string `json:"code"`
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(map[string]any{"errors": []problem{{message, message, code}}})) // the client may be gone
}

// encode panics on what JSON cannot say: a mistake of the test that asked for it.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("clerktest: " + err.Error())
	}
	return b
}

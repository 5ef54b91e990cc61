package clerktest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// frontendRoutes are the endpoints of the Frontend API, for browsers and without the secret key.
var frontendRoutes = sync.OnceValue(func() *routes {
	a := newRoutes()
	add := func(name Endpoint, method, path string, h handler) { a.handle(name, method, path, withoutSecret(h)) }
	add(FrontendJWKS, http.MethodGet, "/.well-known/jwks.json", (*Instance).serveKeys)
	add(FrontendHandshake, http.MethodGet, "/v1/client/handshake", (*Instance).serveHandshake)
	add(FrontendSync, http.MethodGet, "/v1/client/sync", (*Instance).serveSync)
	add(SignInPage, http.MethodGet, "/sign-in", (*Instance).showSignIn)
	add(SignInPage, http.MethodPost, "/sign-in", (*Instance).signInHere)
	add(SignOutPage, http.MethodGet, "/sign-out", (*Instance).showSignOut)
	add(SignOutPage, http.MethodPost, "/sign-out", (*Instance).signOutHere)

	add(FrontendDevBrowser, http.MethodPost, "/v1/dev_browser", (*Instance).serveDevBrowser)
	add(FrontendEnvironment, http.MethodGet, "/v1/environment", (*Instance).serveEnvironment)
	add(FrontendEnvironment, http.MethodPatch, "/v1/environment", (*Instance).serveEnvironment)
	add(FrontendClient, http.MethodGet, "/v1/client", forClient((*Instance).serveClient))
	add(FrontendClient, http.MethodPut, "/v1/client", forClient((*Instance).serveClient))
	add(FrontendClient, http.MethodDelete, "/v1/client", forClient((*Instance).endClient))
	add(FrontendClient, http.MethodDelete, "/v1/client/sessions", forClient((*Instance).endClient))
	add(FrontendSessionTokens, http.MethodPost, "/v1/client/sessions/{id}/tokens", forClient((*Instance).serveToken))
	add(FrontendSession, http.MethodGet, "/v1/client/sessions/{id}", forSession((*Instance).serveSession))
	add(FrontendSession, http.MethodPost, "/v1/client/sessions/{id}/touch", forSession((*Instance).touch))
	add(FrontendSession, http.MethodPost, "/v1/client/sessions/{id}/end", forSession(endSession("ended")))
	add(FrontendSession, http.MethodPost, "/v1/client/sessions/{id}/remove", forSession(endSession("removed")))
	add(FrontendSession, http.MethodPost, "/v1/client/sessions/{id}/verify", forSession((*Instance).startVerification))
	add(FrontendSession, http.MethodPost, "/v1/client/sessions/{id}/verify/{step}", forSession((*Instance).continueVerification))
	add(FrontendSignIns, http.MethodPost, "/v1/client/sign_ins", forClient((*Instance).startSignIn))
	add(FrontendSignIns, http.MethodGet, "/v1/client/sign_ins/{id}", forClient((*Instance).continueSignIn))
	add(FrontendSignIns, http.MethodPost, "/v1/client/sign_ins/{id}/{step}", forClient((*Instance).continueSignIn))
	add(FrontendMe, http.MethodGet, "/v1/me", forMe((*Instance).serveMe))
	add(FrontendMe, http.MethodGet, "/v1/me/organization_memberships", forMe((*Instance).serveMemberships))
	add(FrontendMe, http.MethodGet, "/v1/me/organization_invitations", forMe((*Instance).serveNone))
	add(FrontendMe, http.MethodGet, "/v1/me/organization_suggestions", forMe((*Instance).serveNone))
	return a
})

// With these headers, a proxy of the Frontend API says on whose behalf it sends a request. Proxies send to sharedFrontend,
// which takes their requests only. See https://clerk.com/docs/guides/dashboard/dns-domains/proxy-fapi.
const (
	proxyHeader    = "Clerk-Proxy-Url"
	sharedFrontend = "frontend-api.clerk.dev"
)

// withoutSecret refuses requests with the secret key, except from a proxy of the Frontend API, which must send it. Clerk's
// API would accept it from others; refusing it here shows a leak in tests.
func withoutSecret(next handler) handler {
	return func(in *Instance, w http.ResponseWriter, r *http.Request) {
		visible, proxy := r, r.Header[proxyHeader]
		if len(proxy) > 0 {
			if secret := r.Header.Values("Clerk-Secret-Key"); len(secret) != 1 || !same(secret[0], in.secretKey) {
				refuse(w, http.StatusUnauthorized, "clerk_key_invalid", "The provided Clerk Secret Key is invalid.")
				return
			}
			visible = r.Clone(r.Context())
			visible.Header.Del("Clerk-Secret-Key")
		}
		if len(proxy) == 0 && r.Host == sharedFrontend || len(proxy) > 1 || len(proxy) == 1 && !in.knowsProxy(proxy[0]) {
			refuse(w, http.StatusBadRequest, "host_invalid", "The request cannot be attributed to an instance.")
			return
		}
		if showsSecret(visible, in.secretKey) {
			refuse(w, http.StatusBadRequest, "clerktest_secret_key_leaked", "the secret key belongs to the Backend API only")
			return
		}
		next(in, w, r)
	}
}

// knowsProxy reports whether a proxy is one of Options.ProxyURLs. If they are empty, any is.
func (in *Instance) knowsProxy(address string) bool {
	return len(in.proxies) == 0 || slices.Contains(in.proxies, strings.TrimRight(address, "/"))
}

// serveKeys sends the published keys, or 304 to a client that has them already (RFC 9110 section 13.1.2).
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

// object is a JSON object.
type object map[string]any

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = bytes.NewReader(encode(v)).WriteTo(w) // the client may have gone away
}

// refuse sends the error document of Clerk's APIs.
func refuse(w http.ResponseWriter, status int, code, message string) {
	type problem struct {
		Message     string `json:"message"`
		LongMessage string `json:"long_message"`
		Code        string `json:"code"`
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(map[string]any{"errors": []problem{{message, message, code}}})) // the client may have gone away
}

// encode panics when v cannot be JSON: a mistake of the test.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("clerktest: " + err.Error())
	}
	return b
}

package main

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/clerktest"
)

// On this machine a page may exist with TLS and without: the gateway says which one it is.
func TestScheme(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Development: true, Origins: []string{"http://localhost:3000", "https://localhost:3000"}})
	for _, kind := range gatewayNames() {
		g := newTestGate(t, kind, clerk.Config())
		for scheme, want := range map[string]string{"http": "http", "https": "https", "ws": "http", "wss": "https"} {
			header := with(http.Header{}, navigation...)
			maps.Copy(header, gatewayHeader(kind, http.MethodGet, "/"))
			if kind == "nginx" {
				header.Set("X-Original-Url", scheme+"://localhost:3000/")
			} else {
				header.Set("X-Forwarded-Proto", scheme)
				header.Set("X-Forwarded-Host", "localhost:3000")
			}
			resp := ask(t, g, "/auth", header)
			if at := resp.Header().Get("Location"); !strings.Contains(at, "redirect_url="+want+"%3A%2F%2Flocalhost%3A3000%2F") {
				t.Errorf("%s, %s: got %d to %q, want back to %s", kind, scheme, resp.Code, at, want)
			}
		}
	}
}

// A gateway that does not name the original request, or lets a client name it too, signs nobody in.
func TestGatewayThatIsNotConfigured(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	token := "Bearer " + clerk.Token(clerktest.Claims{})
	for _, kind := range gatewayNames() {
		g := newTestGate(t, kind, clerk.Config())
		other := map[bool]string{true: "traefik", false: "nginx"}[kind == "nginx"]
		wrong := map[string]int{
			"/%zz": http.StatusBadRequest, "*": http.StatusInternalServerError, "https://evil.example/": http.StatusBadRequest, "": http.StatusInternalServerError,
		}
		if kind != "nginx" {
			wrong["*"] = http.StatusBadRequest
		} else {
			delete(wrong, "https://evil.example/") // joined to a host, which the allowlist does not have
		}
		check := func(name string, header http.Header, want int) {
			t.Helper()
			if resp := ask(t, g, "/auth", with(header, "Authorization", token)); resp.Code != want {
				t.Errorf("%s: %s: got %d, want %d", kind, name, resp.Code, want)
			}
		}
		check("all is well", gatewayHeader(kind, http.MethodGet, "/"), http.StatusNoContent)
		for uri, status := range wrong {
			check(fmt.Sprintf("path %q", uri), gatewayHeader(kind, http.MethodGet, uri), status)
		}
		check("nothing", http.Header{}, http.StatusInternalServerError)
		check("the other's", gatewayHeader(other, http.MethodGet, "/"), http.StatusInternalServerError)
		for name := range gatewayHeader(kind, http.MethodGet, "/") {
			doubled := gatewayHeader(kind, http.MethodGet, "/")
			doubled.Add(name, doubled.Get(name))
			check("two of "+name, doubled, http.StatusInternalServerError)
			missing := gatewayHeader(kind, http.MethodGet, "/")
			missing.Del(name)
			want := http.StatusInternalServerError
			if name == "X-Forwarded-Proto" || name == g.gateway.method {
				want = http.StatusNoContent
			}
			check("no "+name, missing, want)
		}
		strange := gatewayHeader(kind, http.MethodGet, "/")
		if kind == "nginx" {
			strange.Set("X-Original-Url", "gopher://example.com/")
		} else {
			strange.Set("X-Forwarded-Proto", "gopher")
		}
		check("an unknown scheme", strange, http.StatusBadRequest)
		// A client's headers with the names of another gateway are ignored.
		header := with(gatewayHeader(other, http.MethodGet, "/"), elsewhere...)
		maps.Copy(header, gatewayHeader(kind, http.MethodPost, "/"))
		if resp := ask(t, g, "/auth", header, clerk.Cookies(clerk.Token(clerktest.Claims{}))...); resp.Code != http.StatusForbidden {
			t.Errorf("%s: a POST that %s's headers call a GET: got %d, want 403", kind, other, resp.Code)
		}
	}
}

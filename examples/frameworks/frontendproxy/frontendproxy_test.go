package frontendproxy_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/frameworks/frontendproxy"
)

func init() { gin.SetMode(gin.TestMode) }

var routers = map[string]func(*clerkauth.Authenticator) http.Handler{
	"chi": frontendproxy.Chi, "gin": frontendproxy.Gin, "echo": frontendproxy.Echo, "StripPrefix": frontendproxy.StripPrefix,
}

// site is a router with the proxy, on this machine.
func site(t *testing.T, routes func(*clerkauth.Authenticator) http.Handler) (address string, clerk *clerktest.Instance) {
	t.Helper()
	clerk = clerktest.New(t, clerktest.Options{ProxyURLs: []string{"https://example.com/__clerk"}})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(routes(auth))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), clerk
}

// say writes a request as it stands, and reads the answer.
func say(t *testing.T, address, request string) (status int, all string) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, strings.ReplaceAll(request, "\n", "\r\n"))
	var said strings.Builder
	resp, err := http.ReadResponse(bufio.NewReader(io.TeeReader(conn, &said)), nil)
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	return resp.StatusCode, said.String()
}

const rest = " HTTP/1.1\nHost: example.com\nConnection: close\n"

func TestForwarded(t *testing.T) {
	for name, routes := range routers {
		address, clerk := site(t, routes)
		form := "strategy=ticket&ticket=" + clerk.Ticket(clerktest.Person{Name: "Dora", Claims: clerktest.Claims{Subject: "user_dora"}})
		for request, want := range map[string]string{
			"GET /__clerk/v1/client?_clerk_js_version=6" + rest + "\n": "GET /v1/client",
			"GET /__clerk/.well-known/jwks.json" + rest + "\n":         "GET /.well-known/jwks.json",
			"POST /__clerk/v1/client/sign_ins" + rest + "Content-Type: application/x-www-form-urlencoded\nContent-Length: " + strconv.Itoa(len(form)) + "\n\n" + form: "POST /v1/client/sign_ins",
			"POST /__clerk/v1/environment?_method=PATCH" + rest + "Content-Length: 0\n\n":                                                                             "POST /v1/environment",
		} {
			clerk.ResetRequests()
			status, all := say(t, address, request)
			received := clerk.Requests()
			if status != http.StatusOK || len(received) != 1 || received[0].Method+" "+received[0].Path != want || strings.Contains(all, clerk.SecretKey()) {
				t.Errorf("%s, %s: got %d, and Clerk got %v, want 200, this one request, and no secret key in the response", name, want, status, received)
			}
		}
	}
}

// However a router reads a path, only Clerk's own paths are requested.
func TestRefused(t *testing.T) {
	for name, routes := range routers {
		address, clerk := site(t, routes)
		for _, line := range []string{
			"GET /__clerk//evil.test/v1/client", "GET /__clerk/v1//evil.test", "GET /__clerk/%2f%2fevil.test/v1/", "GET /__clerk/v1/../../admin", "GET /__clerk/v1/%2e%2e/admin",
			"GET /__clerk/v1/..%2fadmin", "GET /__clerk/v1/a%2fb", "GET /__clerk/v1/a%5cb", "GET /__clerk%2fv1%2fclient", "GET //__clerk/v1/client", "GET /__clerk/v2/client",
			"GET /__clerk", "GET /__clerk/", "GET /x/../__clerk/v1/client", "GET http://evil.test/__clerk/v1/client", "GET http://example.com/__clerk/v1/client",
			"TRACE /__clerk/v1/client", "CONNECT /__clerk/v1/client", "CONNECT evil.test:443", "OPTIONS *",
		} {
			status, all := say(t, address, line+rest+"\n")
			if received := clerk.Requests(); len(received) != 0 || status == http.StatusInternalServerError || strings.Contains(all, clerk.SecretKey()) {
				t.Errorf("%s, %s: got %d, and Clerk got %v, want another status than 500, no request, and no secret key in the response", name, line, status, received)
				clerk.ResetRequests()
			}
		}
	}
}

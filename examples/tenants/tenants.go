// Package tenants serves several Clerk instances from one program, one for each host.
package tenants

import (
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth"
)

// Handler answers each request with the app of its host's tenant, and with 421 for any other host. The keys of
// tenants are hosts in lower case without a port; any other key could never be asked for and is an error.
//
// A client chooses the Host that it sends. Here it chooses between instances, each of which believes its own tokens alone.
func Handler(tenants map[string]*clerkauth.Authenticator, app func(host string, auth *clerkauth.Authenticator) http.Handler) (http.Handler, error) {
	apps := make(map[string]http.Handler, len(tenants))
	for host, auth := range tenants {
		if host == "" || host != hostname(host) || auth == nil {
			return nil, fmt.Errorf("tenant %q: want a host in lower case without a port, and an Authenticator", host)
		}
		apps[host] = app(host, auth)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		app, ok := apps[hostname(r.Host)]
		if !ok {
			http.Error(w, "no such host here", http.StatusMisdirectedRequest)
			return
		}
		app.ServeHTTP(w, r)
	}), nil
}

// hostname is a Host without its port.
func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return strings.ToLower(host)
}

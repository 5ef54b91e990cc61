// Package tenants serves several Clerk instances from one program, one for each host.
package tenants

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/clerkauth/clerkauth"
)

var (
	// name is a host as browsers send it: in lower case, in punycode, without a dot at the end (RFC 1123 section 2.1).
	name = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
	// hostPattern matches a Host header with a name, which may have capitals, a dot at the end and a port.
	hostPattern = regexp.MustCompile(`^([a-zA-Z0-9.-]+?)\.?(:[0-9]*)?$`)
)

// Handler answers each request with the app of its host's tenant, and with 421 for any other host. The keys of tenants are
// names in lower case, without a port; any other key could never match and is an error.
//
// A client chooses the Host that it sends. Here it chooses between instances, each of which accepts only its own tokens.
func Handler(tenants map[string]*clerkauth.Authenticator, app func(host string, auth *clerkauth.Authenticator) http.Handler) (http.Handler, error) {
	apps := make(map[string]http.Handler, len(tenants))
	for host, auth := range tenants {
		if !name.MatchString(host) || auth == nil {
			return nil, fmt.Errorf("tenant %q: want a name in lower case without a port, and an Authenticator", host)
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

// hostname is the name in a Host header, as a key; empty: none.
func hostname(header string) string {
	parts := hostPattern.FindStringSubmatch(header)
	if parts == nil {
		return ""
	}
	return strings.ToLower(parts[1])
}

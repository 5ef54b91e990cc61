package fapiproxy

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth/internal/proxypath"
)

// refusal is a response of the proxy's own, in the form of Clerk's errors.
type refusal struct {
	status        int
	code, message string
}

var (
	errMethod      = &refusal{http.StatusMethodNotAllowed, "method_not_allowed", "The Frontend API does not support this method."}
	errPath        = &refusal{http.StatusNotFound, "resource_not_found", "The Frontend API has no such path."}
	errUpgrade     = &refusal{http.StatusBadRequest, "upgrade_not_supported", "The Frontend API does not support WebSockets."}
	errHost        = &refusal{http.StatusForbidden, "request-host-not-authorized", "This host is not one of the application's own."}
	errTooLarge    = &refusal{http.StatusRequestEntityTooLarge, "request_body_too_large", "The request body is too large."}
	errUnreachable = &refusal{http.StatusBadGateway, "proxy_request_failed", "The Frontend API cannot be reached."}
	errTimeout     = &refusal{http.StatusGatewayTimeout, "proxy_request_failed", "The Frontend API did not answer in time."}
)

func (f *refusal) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if f.status == http.StatusMethodNotAllowed {
		h.Set("Allow", strings.Join(proxypath.Methods, ", "))
	}
	w.WriteHeader(f.status)
	type problem struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	_ = json.NewEncoder(w).Encode(map[string][]problem{"errors": {{f.code, f.message}}}) // the client may have gone away
}

package clerkauth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
)

// Why an expired token was not refreshed, in Clerk's words; the Backend API's own codes come beside these.
var (
	errRefreshNonGet   = errors.New("non-eligible-non-get")
	errRefreshNoCookie = errors.New("non-eligible-no-refresh-cookie")
	errRefreshNoSID    = errors.New("expired-session-token-missing-sid-claim")
	errRefreshSession  = errors.New("invalid-session-token")
	errRefreshNoAzp    = errors.New("non-eligible-no-azp")
	errRefreshDisagree = errors.New("non-eligible-several-sessions")
	errRefreshNoSecret = errors.New("non-eligible-no-secret-key")
)

// bearerObstacle says why an expired bearer token is not refreshed: a refresh belongs to a cookie, and mixing the
// two would sign one session in as another.
func bearerObstacle(method string) error {
	if method != http.MethodGet {
		return errRefreshNonGet
	}
	return errRefreshNoCookie
}

// refreshObstacle says why an expired cookie token cannot be refreshed; nil: it can.
func (s *settings) refreshObstacle(e *evidence) error {
	c := e.chosen().read.claims
	switch {
	case e.method != http.MethodGet:
		return errRefreshNonGet
	case e.refresh == "":
		return errRefreshNoCookie
	case s.secretKey == "":
		return errRefreshNoSecret
	case e.cookies.severalExpired:
		return errRefreshDisagree
	case !s.policy.any && c.azp.state != present:
		return errRefreshNoAzp
	case !wellFormedSID(c.sid):
		return errRefreshNoSID
	}
	return nil
}

// wellFormedSID reports whether sid has the form that Clerk documents: it becomes part of an address.
func wellFormedSID(sid string) bool {
	rest, ok := strings.CutPrefix(sid, "sess_")
	return ok && rest != "" && len(rest) <= 128 && strings.Trim(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// refreshes are the refreshes under way. The zero refreshes is ready.
type refreshes struct {
	mu       sync.Mutex // guards underWay
	underWay map[string]*refreshCall
}

// refreshCall is one refresh, for every request of a session that needs it at the same time. Its goroutine ends
// within the Backend API's timeout by closing done; after that the rest may be read.
type refreshCall struct {
	done    chan struct{}
	cookies []string
	err     error
}

// refresh exchanges the expired cookie token, whose outcome is o, for a new one. Where that fails or cannot be done, o
// says why.
func (a *Authenticator) refresh(r *http.Request, e *evidence, o outcome, now time.Time) outcome {
	if o.detail = a.settings.refreshObstacle(e); o.detail != nil {
		return o
	}
	if crossOrigin(r, &e.facts, a.settings) {
		return outcome{reason: ReasonCrossOriginRequest, carrier: CarrierCookie} // or the new cookies would be lost
	}
	renewed, err := a.askRefresh(r, e, now)
	if err != nil {
		o.detail = err
		return o
	}
	return signedInBy(renewed, CarrierRefresh)
}

// askRefresh exchanges the token of e.chosen() for a new one, and judges that like any other.
func (a *Authenticator) askRefresh(r *http.Request, e *evidence, now time.Time) (renewal, error) {
	public, _ := publicOrigin(r.Context(), &e.facts, &a.settings.policy)
	sid, pair := e.chosen().read.claims.sid, e.pair
	body := refreshRequest(r.Header, e.chosen().read.raw, e.refresh, public)
	call := a.refreshes.join(sid+" "+e.refresh, func(ctx context.Context) ([]string, error) {
		return a.backend.Refresh(ctx, sid, pair == suffixed, body)
	})
	select {
	case <-call.done:
	case <-r.Context().Done():
		return renewal{}, backendapi.ErrUnreachable
	}
	if call.err != nil {
		return renewal{}, call.err
	}
	result := a.judgeDirectives(r.Context(), call.cookies, CarrierRefresh, &e.facts, now)
	if !result.ok || result.token == "" {
		return renewal{}, errRefreshSession
	}
	return result, nil
}

// refreshRequest copies what the goroutine needs: a request must not be read after its handler has returned.
func refreshRequest(h http.Header, token, refresh, origin string) backendapi.RefreshRequest {
	headers := make(map[string][]string, len(h))
	for name, values := range h {
		headers[strings.ToLower(name)] = []string{strings.Join(values, ", ")}
	}
	return backendapi.RefreshRequest{
		Format: "cookie", ExpiredToken: token, RefreshToken: refresh, RequestOrigin: origin, RequestHeaders: headers,
	}
}

// join returns the call under way for key, or makes it. The call outlives the request that made it.
func (c *refreshes) join(key string, ask func(context.Context) ([]string, error)) *refreshCall {
	c.mu.Lock()
	defer c.mu.Unlock()
	if call, ok := c.underWay[key]; ok {
		return call
	}
	call := &refreshCall{done: make(chan struct{})}
	if c.underWay == nil {
		c.underWay = make(map[string]*refreshCall)
	}
	c.underWay[key] = call
	go func() {
		call.cookies, call.err = ask(context.Background())
		c.mu.Lock()
		delete(c.underWay, key)
		c.mu.Unlock()
		close(call.done)
	}()
	return call
}

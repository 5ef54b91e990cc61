package clerkauth

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
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

	errRefreshSubresource = errors.New("non-eligible-subresource")
	errRefreshNotRequired = errors.New("non-eligible-not-required")
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
	case e.refresh == "", len(e.refresh) > maxCookie:
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
	return e.renewalObstacle()
}

// maxCookie is the size of the largest cookie that browsers keep, in bytes.
const maxCookie = 4 << 10

// wellFormedSID reports whether sid has the form that Clerk documents: it becomes part of an address.
func wellFormedSID(sid string) bool {
	rest, ok := strings.CutPrefix(sid, "sess_")
	return ok && rest != "" && len(rest) <= 128 && strings.Trim(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == ""
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
	o = outcome{carrier: CarrierRefresh, token: renewed.token, claims: renewed.claims}
	o.setCookies("no-store", renewed.cookies)
	return o
}

// askRefresh exchanges the token of e.chosen() for a new one of the same session, and judges that like any other.
func (a *Authenticator) askRefresh(r *http.Request, e *evidence, now time.Time) (renewal, error) {
	public, _ := publicOrigin(r.Context(), &e.facts, &a.settings.policy)
	expired := e.chosen().read
	cookies, err := a.backend.Refresh(r.Context(), backendapi.RefreshRequest{
		Session: expired.claims.sid, Suffixed: e.pair == suffixed,
		Format: "cookie", ExpiredToken: expired.raw, RefreshToken: e.refresh, RequestOrigin: public, RequestHeaders: forwarded(r.Header),
	})
	if err != nil {
		return renewal{}, err
	}
	result := a.judgeDirectives(r.Context(), cookies, CarrierRefresh, &e.facts, now)
	if !result.ok || result.token == "" || result.claims.sid != expired.claims.sid {
		return renewal{}, errRefreshSession
	}
	return result, nil
}

// maxForwarded is how much of a request's header a refresh tells the Backend API, in bytes.
const maxForwarded = 8 << 10

// forwarded is the header of a request as far as it fits, the shortest lines first: a line that fills it must not keep
// out what says which browser this is.
func forwarded(h http.Header) map[string][]string {
	type line struct{ name, value string }
	var lines []line
	for name, values := range h {
		lines = append(lines, line{strings.ToLower(name), strings.Join(values, ", ")})
	}
	slices.SortFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(len(a.name)+len(a.value), len(b.name)+len(b.value)), strings.Compare(a.name, b.name))
	})
	headers, left := make(map[string][]string, len(lines)), maxForwarded
	for _, l := range lines {
		if left -= len(l.name) + len(l.value); left < 0 {
			break
		}
		headers[l.name] = []string{l.value}
	}
	return headers
}

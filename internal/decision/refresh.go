package decision

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// Why an expired token was not refreshed, in Clerk's words. The Backend API has codes of its own beside these.
var (
	errRefreshNonGet   = errors.New("non-eligible-non-get")
	errRefreshNoCookie = errors.New("non-eligible-no-refresh-cookie")
	errRefreshNoSID    = errors.New("expired-session-token-missing-sid-claim")
	errRefreshSession  = errors.New("invalid-session-token")
	errRefreshNoAZP    = errors.New("non-eligible-no-azp")
	errRefreshDisagree = errors.New("non-eligible-several-sessions")
	errRefreshNoSecret = errors.New("non-eligible-no-secret-key")
	errRefreshHost     = errors.New(string(reasons.RequestHostNotAuthorized)) // gets an outcome of its own, see refresh

	errRefreshSubresource = errors.New("non-eligible-subresource")
	errRefreshNotRequired = errors.New("non-eligible-not-required")
)

// Left reports whether an expired token was left alone only because nothing here requires a session.
func (o *Outcome) Left() bool { return errors.Is(o.Refresh, errRefreshNotRequired) }

// bearerObstacle says why an expired bearer token is not refreshed: a refresh belongs to a cookie, and mixing the
// two would sign one session in as another.
func bearerObstacle(method string) error {
	if method != http.MethodGet && method != http.MethodHead {
		return errRefreshNonGet
	}
	return errRefreshNoCookie
}

// refreshObstacle says why an expired cookie token cannot be refreshed; nil: it can. HEAD is treated as its GET.
func (s *Settings) refreshObstacle(ctx context.Context, e *Evidence, now time.Time) error {
	c := e.chosen().read.Claims
	write := e.Method != http.MethodGet && e.Method != http.MethodHead
	public := s.ownOrigin(ctx, &e.Request)
	switch {
	case write && !s.ownWrite(ctx, &e.Request) && (public != "" || !claimsOwn(&e.Request)):
		return errRefreshNonGet
	case e.Refresh == "", len(e.Refresh) > maxCookie:
		return errRefreshNoCookie
	case !s.Secret:
		return errRefreshNoSecret
	case e.cookies.severalExpired, (write || e.Upgrade()) && s.otherSession(ctx, e, c, now):
		return errRefreshDisagree
	case !s.Policy.Any && c.AZP.State != sessiontoken.Present:
		return errRefreshNoAZP
	case !wellFormedSID(c.SID):
		return errRefreshNoSID
	case e.renewalObstacle() != nil:
		return e.renewalObstacle()
	case public == "":
		return errRefreshHost
	}
	return nil
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
func (d *Decider) refresh(r *http.Request, e *Evidence, o *Outcome, now time.Time) {
	if o.Refresh = d.refreshObstacle(r.Context(), e, now); errors.Is(o.Refresh, errRefreshHost) {
		*o = Outcome{Reason: reasons.RequestHostNotAuthorized, Source: FromCookie}
		return
	} else if o.Refresh != nil {
		return
	}
	if crossOrigin(r, &e.Request, d.Settings) {
		*o = Outcome{Reason: reasons.CrossOriginRequest, Source: FromCookie} // or the new cookies would be lost
		return
	}
	if e.Upgrade() && !d.ownWrite(r.Context(), &e.Request) {
		o.Refresh = errRefreshNonGet // a GET in name only
		return
	}
	if e.Method == http.MethodHead {
		o.Refresh = errRefreshNonGet // a HEAD must not use up a refresh
		return
	}
	renewed, err := d.askRefresh(r, e, now)
	if err != nil {
		o.Refresh = err
		return
	}
	*o = Outcome{Source: FromRefresh, Token: renewed.token, Claims: renewed.claims}
	o.setCookies("no-store", renewed.cookies)
}

// askRefresh exchanges the token of e.chosen() for a new one of the same session, and judges that like any other.
func (d *Decider) askRefresh(r *http.Request, e *Evidence, now time.Time) (renewal, error) {
	expired := e.chosen().read
	cookies, err := d.backend.Refresh(r.Context(), backendapi.RefreshRequest{
		Session: expired.Claims.SID, Suffixed: e.pair == inbound.Suffixed,
		Format: "cookie", ExpiredToken: expired.Raw, RefreshToken: e.Refresh, RequestOrigin: d.ownOrigin(r.Context(), &e.Request), RequestHeaders: forwarded(r.Header),
	})
	if err != nil {
		return renewal{}, err
	}
	result := d.judgeDirectives(r.Context(), cookies, FromRefresh, &e.Request, now, true)
	d.tellClock(result.ahead)
	if result.reason == reasons.KeysUnavailable {
		return renewal{}, refusedError{backendapi.ErrUnreachable, result.refused}
	}
	if !result.ok || result.token == "" || result.claims.SID != expired.Claims.SID {
		return renewal{}, refusedError{errRefreshSession, result.refused}
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
		separator := ", "
		if name == "Cookie" {
			separator = "; " // RFC 9113 8.2.3
		}
		lines = append(lines, line{strings.ToLower(name), strings.Join(values, separator)})
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

// renewalObstacle says why the response to this request may not set cookies that renew a session; nil: it may. Shared
// caches keep scripts and styles, so those get none; images and videos get them only where a session is required.
func (e *Evidence) renewalObstacle() error {
	switch {
	case e.Destination() == inbound.PagePart:
		return errRefreshSubresource
	case e.Destination() == inbound.PageMedia && !e.required, e.Proxied:
		return errRefreshNotRequired
	}
	return nil
}

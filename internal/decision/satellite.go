package decision

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/origin"
	"github.com/clerkauth/clerkauth/internal/reasons"
)

// syncOutcome decides, before anything else, what a satellite and its primary domain need from each other, and a development
// instance from the browser. It returns false where that is nothing.
func (s *Settings) syncOutcome(ctx context.Context, e *Evidence, o *Outcome) bool {
	if !e.Document {
		return s.developmentOutcome(e, o)
	}
	if s.Satellite && e.Navigation() && s.needsSync(e) {
		o.Reason, o.target = reasons.SatelliteNeedsSync, s.syncTarget(ctx, e)
		return true
	}
	if s.Satellite && e.Navigation() && e.unsynced() {
		o.Reason = reasons.SessionTokenAndUATMissing
		return true
	}
	if target := s.answerToSatellite(ctx, e); target != "" {
		o.Reason, o.target = reasons.PrimaryRespondsToSync, target
		return true
	}
	return s.developmentOutcome(e, o)
}

func (s *Settings) needsSync(e *Evidence) bool {
	synced, _ := inbound.First(e.Page.Query, paramSynced)
	return synced == "false" || s.AutoSync && e.unsynced()
}

// unsynced reports whether the browser has no session cookies, and has not just asked the primary domain.
func (e *Evidence) unsynced() bool {
	synced, _ := inbound.First(e.Page.Query, paramSynced)
	return synced != "true" && e.chosen().read.Raw == "" && e.signedInAt == 0
}

// syncTarget is where a development satellite sends the browser: the primary domain itself. In production the
// Frontend API does it, and the target is the usual one.
func (s *Settings) syncTarget(ctx context.Context, e *Evidence) string {
	if s.Live || s.SignIn == nil {
		return ""
	}
	public, ok := publicOrigin(ctx, &e.Request, &s.Policy)
	if !ok {
		return ""
	}
	var here, query address
	here.write(public, e.Page.Path)
	if e.Page.Query != "" {
		here.pair(e.Page.Query)
	}
	if here.tooLong {
		return ""
	}
	if s.SignIn.RawQuery != "" {
		query.pair(s.SignIn.RawQuery)
	}
	query.add(paramRedirect, here.String())
	return withQuery(*s.SignIn, &query)
}

// answerToSatellite is where a development primary sends a satellite's browser back to. Only the allowlist
// decides: whoever gets the browser back gets its development token too.
func (s *Settings) answerToSatellite(ctx context.Context, e *Evidence) string {
	if s.Live || s.Satellite {
		return ""
	}
	wanted, _ := inbound.First(e.Page.Query, paramRedirect)
	target, err := url.Parse(wanted)
	if err != nil || target.User != nil {
		return ""
	}
	o, err := origin.Parse(target.Scheme + "://" + target.Host)
	if err != nil || !o.Web() || !s.Policy.allows(ctx, o.String(), &e.Request) {
		return ""
	}
	var query address
	query.addWithout(target.RawQuery, asForm, func(name string) bool { return name == paramSynced })
	if browser := e.devBrowserToken(); browser != "" {
		query.add(paramDevBrowser, browser)
	}
	query.add(paramSynced, "true")
	return withQuery(*target, &query)
}

// withQuery is u with another query, which is not empty; empty: that would be too long.
func withQuery(u url.URL, query *address) string {
	if query.tooLong {
		return ""
	}
	u.RawQuery = query.String()[1:]
	var a address
	a.write(u.String())
	return a.String()
}

// developmentOutcome asks for the token that stands for the browser at a development instance, whose Frontend
// API, on another domain, cannot set cookies for it.
func (s *Settings) developmentOutcome(e *Evidence, o *Outcome) bool {
	if s.Live {
		return false
	}
	if _, ok := inbound.First(e.Page.Query, paramDevBrowser); ok {
		o.Reason = reasons.DevBrowserSync
		return true
	}
	if e.DevBrowser[e.pair].Value == "" {
		o.Reason = reasons.DevBrowserMissing
		return true
	}
	return false
}

// crossOriginReferrer reports whether a page load comes from a page of another origin: perhaps from a satellite, where the
// session may have changed. The primary domain then makes one handshake.
func (s *Settings) crossOriginReferrer(ctx context.Context, e *Evidence, now time.Time) bool {
	if s.Satellite || !e.Navigation() || e.Redirects != 0 {
		return false
	}
	referrer := e.Referrer()
	if referrer == "" {
		return false
	}
	public, ok := publicOrigin(ctx, &e.Request, &s.Policy)
	if !ok || referredBy(referrer, public) {
		return false
	}
	o, ok := origin.OfURL(referrer)
	if !ok || o.String() == public || s.clerkReferrer(o) {
		return false
	}
	p, ok := s.newReturnPoint(ctx, e, now)
	return ok && p.own.n == 0
}

// referredBy reports whether a page of an origin sent the browser here. For most page loads that spares parsing the Referer.
func referredBy(referrer, public string) bool {
	rest, ok := strings.CutPrefix(referrer, public)
	return ok && strings.HasPrefix(rest, "/")
}

// clerkReferrer reports whether a page of Clerk's own sent the browser here: after a sign-in no handshake is needed. Where the
// Frontend API is under a path, only the portals of development are known, as to Clerk's own SDKs.
func (s *Settings) clerkReferrer(o origin.Origin) bool {
	if !s.Live && developmentPortal(o.Host) {
		return true
	}
	if s.ProxyPath != "" {
		return false
	}
	frontend, _ := origin.OfURL(s.Frontend)
	return o.Host == frontend.Host || o.Scheme == "https" && o.Port == "" && o.Host == s.Accounts
}

// developmentPortal reports whether host is the account portal of a development instance.
func developmentPortal(host string) bool {
	name, ok := strings.CutSuffix(host, ".accounts.dev")
	if !ok {
		name, ok = strings.CutSuffix(host, ".accountsstage.dev")
	}
	if ok {
		return !strings.HasSuffix("."+name, ".clerk")
	}
	if name, ok = strings.CutSuffix(host, ".accounts.lclclerk.com"); ok {
		return name != ""
	}
	name, ok = strings.CutPrefix(host, "accounts.")
	return ok && strings.HasSuffix(name, ".lcl.dev")
}

// AccountPortal is the host of an instance's account portal: accounts. where the Frontend API has clerk., and at
// a development instance without that label.
func AccountPortal(frontendHost string, live bool) string {
	if live {
		if rest, ok := strings.CutPrefix(frontendHost, "clerk."); ok {
			return "accounts." + rest
		}
		return ""
	}
	return strings.Replace(frontendHost, ".clerk.", ".", 1)
}

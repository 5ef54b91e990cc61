package clerkauth

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/origin"
)

// Satellite marks a satellite domain of a multi-domain instance: people sign in on the primary domain, and the
// satellite learns of it. See https://clerk.com/docs/guides/dashboard/dns-domains/satellite-domains.
type Satellite struct {
	Domain   string // the satellite's own, without scheme; may be empty when Config.ProxyURL is set
	AutoSync bool   // ask the primary domain on the first visit; else only when the application links with __clerk_synced=false
}

// syncOutcome is what a satellite and its primary domain arrange before anything else, if they have to.
func (s *settings) syncOutcome(ctx context.Context, e *evidence) (outcome, bool) {
	if !e.document {
		return s.developmentOutcome(e)
	}
	if s.satellite != nil && e.page.navigation && s.needsSync(e) {
		return outcome{reason: ReasonSatelliteNeedsSync, target: s.syncTarget(ctx, e)}, true
	}
	if s.satellite != nil && e.page.navigation && e.unsynced() {
		return outcome{reason: ReasonSessionTokenAndUATMissing}, true
	}
	if target := s.answerToSatellite(ctx, e); target != "" {
		return outcome{reason: ReasonPrimaryRespondsToSync, target: target}, true
	}
	return s.developmentOutcome(e)
}

func (s *settings) needsSync(e *evidence) bool {
	synced, _ := first(e.page.query, paramSynced)
	return synced == "false" || s.satellite.AutoSync && e.unsynced()
}

// unsynced reports that the browser brings nothing of a session, and has not just asked the primary domain.
func (e *evidence) unsynced() bool {
	synced, _ := first(e.page.query, paramSynced)
	return synced != "true" && e.chosen().read.raw == "" && e.signedInAt == 0
}

// syncTarget is where a development satellite sends the browser: the primary domain itself. In production the
// Frontend API does it, and the target is the usual one.
func (s *settings) syncTarget(ctx context.Context, e *evidence) string {
	if s.live || s.signIn == nil {
		return ""
	}
	public, ok := publicOrigin(ctx, &e.facts, &s.policy)
	if !ok {
		return ""
	}
	var here, query address
	here.write(public, e.page.path)
	if e.page.query != "" {
		here.pair(e.page.query)
	}
	if here.tooLong {
		return ""
	}
	if s.signIn.RawQuery != "" {
		query.pair(s.signIn.RawQuery)
	}
	query.add(paramRedirect, here.String())
	return withQuery(*s.signIn, &query)
}

// answerToSatellite is where a development primary sends a satellite's browser back to. Only the allowlist
// opens this door: whoever gets the browser back gets its development token too.
func (s *settings) answerToSatellite(ctx context.Context, e *evidence) string {
	if s.live || s.satellite != nil {
		return ""
	}
	wanted, _ := first(e.page.query, paramRedirect)
	target, err := url.Parse(wanted)
	if err != nil || target.Host == "" || target.User != nil {
		return ""
	}
	o, err := origin.Parse(target.Scheme + "://" + target.Host)
	if err != nil || !o.Web() || !s.policy.allows(ctx, o.String(), &e.facts) {
		return ""
	}
	var query address
	for name, value := range parameters(target.RawQuery) {
		if name != paramSynced {
			query.add(name, value)
		}
	}
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
func (s *settings) developmentOutcome(e *evidence) (outcome, bool) {
	if s.live {
		return outcome{}, false
	}
	if _, ok := first(e.page.query, paramDevBrowser); ok {
		return outcome{reason: ReasonDevBrowserSync}, true
	}
	if e.devBrowser[e.pair].value == "" {
		return outcome{reason: ReasonDevBrowserMissing}, true
	}
	return outcome{}, false
}

// crossOriginReferrer reports whether somebody signed in comes from another site: perhaps from a satellite,
// where the session may have changed. The primary domain then asks once.
func (s *settings) crossOriginReferrer(ctx context.Context, e *evidence, now time.Time) bool {
	if s.satellite != nil || !e.page.navigation || e.rounds != 0 || e.page.referrer == "" {
		return false
	}
	public, ok := publicOrigin(ctx, &e.facts, &s.policy)
	if !ok || e.page.referredBy(public) {
		return false
	}
	o, ok := origin.OfURL(e.page.referrer)
	if !ok || o.String() == public || s.clerkReferrer(o) {
		return false
	}
	p, ok := s.newReturnPoint(ctx, e, now)
	return ok && p.own.n == 0
}

// referredBy reports whether a page of an origin sent the browser here, as most do: that needs no reading of the Referer.
func (p *page) referredBy(public string) bool {
	rest, ok := strings.CutPrefix(p.referrer, public)
	return ok && (rest == "" || rest[0] == '/' || rest[0] == '?')
}

// clerkReferrer reports whether a page of Clerk's own sent the browser here: a sign-in is not news.
func (s *settings) clerkReferrer(o origin.Origin) bool {
	if frontend, _ := origin.OfURL(s.browserFrontend); s.proxyPath == "" && o.Host != "" && o.Host == frontend.Host {
		return true
	}
	if !s.live && developmentPortal(o.Host) {
		return true
	}
	return o.Scheme == "https" && o.Port == "" && o.Host == s.accounts
}

// developmentPortal reports whether host is the account portal of a development instance.
func developmentPortal(host string) bool {
	name, ok := strings.CutSuffix(host, ".accounts.dev")
	if !ok {
		name, ok = strings.CutSuffix(host, ".accountsstage.dev")
	}
	if ok {
		return name != "" && !strings.HasSuffix("."+name, ".clerk")
	}
	if name, ok = strings.CutSuffix(host, ".accounts.lclclerk.com"); ok {
		return name != ""
	}
	name, ok = strings.CutPrefix(host, "accounts.")
	return ok && strings.HasSuffix(name, ".lcl.dev")
}

// accountPortal is the host of an instance's account portal: accounts. where the Frontend API has clerk., and at
// a development instance without that label.
func accountPortal(frontendHost string, live bool) string {
	if live {
		if rest, ok := strings.CutPrefix(frontendHost, "clerk."); ok {
			return "accounts." + rest
		}
		return ""
	}
	return strings.Replace(frontendHost, ".clerk.", ".", 1)
}

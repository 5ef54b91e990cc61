package clerktest

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
)

// The account portal: pages of the instance on which people sign in and out, without a password.

//go:embed portal.html
var portalHTML string

var portal = template.Must(template.New("portal").Parse(portalHTML))

// portalPage is one page.
type portalPage struct {
	SignOut     bool
	Current     *portalPerson // nil: nobody is signed in
	People      []portalPerson
	RedirectURL string
	App         string // the app's origin
}

type portalPerson struct {
	Name, ID, Organization, Role string
	Current                      bool
}

// portalRequest parses the request of a page: where to redirect the browser afterwards. It answers a bad request itself.
func (in *Instance) portalRequest(w http.ResponseWriter, r *http.Request) (target *url.URL, ok bool) {
	w.Header().Set("Cache-Control", "no-store")
	raw := r.FormValue("redirect_url")
	if raw == "" && len(in.origins) > 0 {
		raw = in.origins[0]
	}
	if err := new(http.CrossOriginProtection).Check(r); err != nil {
		refuse(w, http.StatusForbidden, "origin_invalid", "Another site may not sign anybody in or out.")
		return nil, false
	}
	if target, ok = in.appURL(raw); !ok {
		refuse(w, http.StatusBadRequest, "invalid_redirect_url", "redirect_url is not at one of the instance's origins")
	}
	return target, ok
}

func (in *Instance) showSignIn(w http.ResponseWriter, r *http.Request) {
	if target, ok := in.portalRequest(w, r); ok {
		in.show(w, r, portalPage{RedirectURL: target.String(), App: originOf(target)})
	}
}

func (in *Instance) showSignOut(w http.ResponseWriter, r *http.Request) {
	if target, ok := in.portalRequest(w, r); ok {
		in.show(w, r, portalPage{SignOut: true, RedirectURL: target.String(), App: originOf(target)})
	}
}

func (in *Instance) show(w http.ResponseWriter, r *http.Request, page portalPage) {
	current := in.browsers.session(in.remember(w, r))
	if current != nil {
		p := describe(current.person)
		page.Current = &p
	}
	for _, p := range in.people.all() {
		d := describe(p)
		d.Current = page.Current != nil && page.Current.ID == d.ID
		page.People = append(page.People, d)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_ = portal.Execute(w, page) // the client may have gone away
}

func describe(p Person) portalPerson {
	return portalPerson{
		Name: p.named(), ID: p.id(), Organization: p.Claims.Organization.Slug, Role: p.Claims.Organization.Role,
	}
}

func (in *Instance) signInHere(w http.ResponseWriter, r *http.Request) {
	target, ok := in.portalRequest(w, r)
	if !ok {
		return
	}
	p, ok := in.people.find(func(p Person) bool { return p.id() == r.PostFormValue("user") })
	if !ok {
		refuse(w, http.StatusUnprocessableEntity, "form_identifier_not_found", "Couldn't find this person.")
		return
	}
	b := in.remember(w, r)
	in.begin(b, p)
	in.sendBack(w, r, b, target)
}

func (in *Instance) signOutHere(w http.ResponseWriter, r *http.Request) {
	target, ok := in.portalRequest(w, r)
	if !ok {
		return
	}
	b := in.remember(w, r)
	if s := in.browsers.session(b); s != nil {
		s.SignOut()
	}
	in.sendBack(w, r, b, target)
}

// sendBack redirects the browser to the app in a way that makes the app start a handshake and notice the change.
func (in *Instance) sendBack(w http.ResponseWriter, r *http.Request, b *browser, target *url.URL) {
	for _, c := range in.signInCookies(b, r) {
		http.SetCookie(w, c)
	}
	if !in.live() {
		target = withParameter(target, devBrowser, b.token)
	}
	http.Redirect(w, r, target.String(), http.StatusSeeOther) //nolint:gosec // appURL has checked it
}

// signInCookies tell the app's hosts of a change. In production, the Frontend API is on a sibling subdomain and can set
// them; in development it is not. r is the request to the Frontend API; nil: it was to its own host.
func (in *Instance) signInCookies(b *browser, r *http.Request) []*http.Cookie {
	if !in.live() {
		return nil
	}
	host := in.domain
	if r != nil {
		host = in.siteFor(r).frontend
	}
	return in.updatedCookies(in.browsers.session(b), &url.URL{Scheme: "https", Host: host})
}

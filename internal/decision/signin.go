package decision

import (
	"cmp"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/origin"
)

// SignInTarget is where somebody who asks for a page and is signed out is sent; empty: nowhere. pending: they have signed
// in, but their session still has a task to do.
func (d *Decider) SignInTarget(r *http.Request, pending bool) string {
	var f inbound.Request
	if d.SignIn == nil || f.Read(r, &d.Settings.Settings) != "" || !f.Document || sentToSignIn(f.Page.Query) {
		return ""
	}
	public, ok := publicOrigin(r.Context(), &f, &d.Policy)
	if !ok {
		return ""
	}
	signIn, there := *d.SignIn, public
	if pending {
		signIn = tasks(signIn)
	}
	if signIn.Host != "" {
		there = signIn.Scheme + "://" + signIn.Host
	}
	o, _ := origin.Parse(there) // what is not an origin is elsewhere
	elsewhere := o.String() != public
	if !elsewhere && samePage(signIn.EscapedPath(), f.Page.Path) {
		return ""
	}
	back := wayBack(public, &f.Page)
	if back == "" {
		return ""
	}
	if elsewhere && d.Satellite {
		back = withParameter(back, paramSynced, "false") // the satellite then asks who has signed in
	}
	values := signIn.Query()
	values.Set(paramReturn, back)
	if browser := devBrowserOf(&f); elsewhere && !d.Live && browser != "" {
		values.Set(paramDevBrowser, browser) // on another origin the browser has no cookie of it
	}
	target := url.URL{Path: signIn.Path, RawPath: signIn.RawPath, RawQuery: values.Encode(), Fragment: signIn.Fragment, RawFragment: signIn.RawFragment}
	var address address
	address.write(there, target.String())
	return address.String()
}

// SignInMistake says why a page that asks for a session is not sent to sign in: it is the sign-in page itself, or what a
// server in front makes of it; nil: it does not look like that.
func (d *Decider) SignInMistake(r *http.Request, pending bool) error {
	var f inbound.Request
	if d.SignIn == nil || f.Read(r, &d.Settings.Settings) != "" || !f.Document {
		return nil
	}
	signIn := *d.SignIn
	if pending {
		signIn = tasks(signIn)
	}
	public, ok := publicOrigin(r.Context(), &f, &d.Policy)
	switch {
	case !ok:
		return nil
	case isPage(&signIn, public, f.Page.Path):
		return errIsSignIn
	case sentToSignIn(f.Page.Query):
		return errSentToSignIn
	}
	return nil
}

// isPage reports whether page, which is at the origin public unless it names another, is the one at a path of public.
func isPage(page *url.URL, public, path string) bool {
	there := public
	if page.Host != "" {
		there = page.Scheme + "://" + page.Host
	}
	o, _ := origin.Parse(there) // what is not an origin is not public
	return o.String() == public && samePage(page.EscapedPath(), path)
}

// wayBack is the address of a page to come back to after signing in.
func wayBack(public string, p *inbound.Page) string {
	return addressWithout(public, p, unchanged, func(name string) bool {
		return leftByHandshake(name) || name == paramSynced || name == paramReturn
	})
}

// SignInLink is where somebody signed out can sign in: at the application's own page, or else at the account portal. They
// come back if they asked for a page at one of the application's own origins. pending: as for SignInTarget. Empty: not
// known, or the very page that was asked for.
func (d *Decider) SignInLink(r *http.Request, pending bool) string {
	link, ok := d.signInPage()
	if !ok {
		return ""
	}
	if pending {
		link = tasks(link)
	}
	var f inbound.Request
	if reason := f.Read(r, &d.Settings.Settings); reason != "" {
		return ""
	}
	path, _ := inbound.Target(r)
	public, ok := publicOrigin(r.Context(), &f, &d.Policy)
	if isPage(&link, public, path) {
		return ""
	}
	if ok && f.Document {
		if back := wayBack(public, &f.Page); back != "" {
			values := link.Query()
			values.Set(paramReturn, back)
			link.RawQuery = values.Encode()
		}
	}
	return link.String()
}

// SignInAgain is where somebody whose form was refused can sign in, in another tab, before they send it once more: at the
// sign-in page, or else the account portal; empty: not known. It returns false where there is nothing to send again, and
// for a form of another site, which nobody should send again.
func (d *Decider) SignInAgain(r *http.Request, pending bool) (string, bool) {
	var f inbound.Request
	if r.Method == http.MethodGet || r.Method == http.MethodHead || f.Read(r, &d.Settings.Settings) != "" || f.HasBearer || crossOrigin(r, &f, d.Settings) {
		return "", false
	}
	signIn, ok := d.signInPage()
	if !ok {
		return "", true
	}
	if pending {
		signIn = tasks(signIn)
	}
	return signIn.String(), true
}

// signInPage is the application's own page, or else the account portal's; false: neither is known.
func (s *Settings) signInPage() (url.URL, bool) {
	switch {
	case s.SignIn != nil:
		return *s.SignIn, true
	case s.Accounts == "" || s.Frontend != s.OwnIssuer: // what stands in for the instance elsewhere has no portal there
		return url.URL{}, false
	}
	return url.URL{Scheme: "https", Host: s.Accounts, Path: "/sign-in"}, true
}

// tasks is the page of a sign-in page where a session's tasks are completed, as Clerk's own SDKs find it.
func tasks(signIn url.URL) url.URL {
	if signIn.Fragment != "" { // its pages are told apart by the fragment
		signIn.Fragment, signIn.RawFragment = strings.TrimRight(signIn.Fragment, "/")+"/tasks", ""
		return signIn
	}
	signIn.Path = cmp.Or(signIn.Path, "/")
	return *signIn.JoinPath("tasks")
}

// sentToSignIn reports whether the way back from signing in is in a query: the browser has been sent to sign in, and the
// page that it reached, perhaps by a redirect of a server in front, asks for a session itself. Such ways back are absolute.
func sentToSignIn(query string) bool {
	back, _ := inbound.First(query, paramReturn)
	o, _ := origin.OfURL(back)
	return o.Host != ""
}

// devBrowserOf is the token of a development browser where it is not known which of the two names counts: nobody is signed
// in by either, and the one with the suffix is no other instance's.
func devBrowserOf(f *inbound.Request) string {
	sent, _ := inbound.First(f.Page.Query, paramDevBrowser)
	return cmp.Or(sent, f.DevBrowser[inbound.Suffixed].Value, f.DevBrowser[inbound.Plain].Value)
}

// samePage reports whether two paths may be the same page for a server or proxy in front: those decode, drop and add
// slashes, resolve dots and turn capitals into small letters, sometimes by a redirect. That must not lead to another
// redirect by this package.
func samePage(a, b string) bool { return plainPath(a) == plainPath(b) }

func plainPath(p string) string {
	if decoded, err := url.PathUnescape(p); err == nil {
		p = decoded
	}
	return strings.ToLower(path.Clean("/" + strings.ReplaceAll(p, `\`, "/")))
}

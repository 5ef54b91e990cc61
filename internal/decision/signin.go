package decision

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/origin"
)

// SignInTarget is where somebody signed out who asks for a page is sent; empty: nowhere.
func (d *Decider) SignInTarget(r *http.Request) string {
	signIn := d.SignIn
	if signIn == nil {
		return ""
	}
	var f inbound.Request
	if reason := f.Read(r, &d.Settings.Settings); reason != "" || !f.Document {
		return ""
	}
	public, ok := publicOrigin(r.Context(), &f, &d.Policy)
	if !ok {
		return ""
	}
	path, query := inbound.Target(r)
	there := public
	if signIn.Host != "" {
		there = signIn.Scheme + "://" + signIn.Host
	}
	if o, err := origin.Parse(there); err == nil && o.String() == public && max(signIn.EscapedPath(), "/") == path {
		return ""
	}
	back := withoutClerk(public, path, query)
	if back == "" {
		return ""
	}
	values := signIn.Query()
	values.Set("redirect_url", back)
	target := url.URL{Path: signIn.Path, RawPath: signIn.RawPath, RawQuery: values.Encode(), Fragment: signIn.Fragment, RawFragment: signIn.RawFragment}
	var address address
	address.write(there, target.String())
	return address.String()
}

// withoutClerk is an address without Clerk's own parameters: they belong to one handshake. The others stay as they are.
func withoutClerk(public, path, query string) string {
	var a address
	a.write(public, path)
	for pair := range strings.SplitSeq(query, "&") {
		if a.tooLong {
			return ""
		}
		name, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); pair != "" && (err != nil || !strings.HasPrefix(decoded, "__clerk_") && !leftByHandshake(decoded)) {
			a.pair(pair)
		}
	}
	return a.String()
}

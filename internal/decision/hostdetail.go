package decision

import (
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/origin"
	"github.com/clerkauth/clerkauth/internal/redact"
)

// hostDetail says why a request's host is not one of the application's own.
func (d *Decider) hostDetail(r *http.Request, f *inbound.Request) error {
	var untrusted inbound.Lines
	untrusted.Of(r.Header, true)
	e := hostError{header: "Host", host: redact.See(r.Host), entries: d.Policy.List.Len(), hasAllowParty: d.Policy.Allow != nil, any: d.Policy.Any}
	if forwarded := f.Lines.All(inbound.LineForwardedHost); len(forwarded) > 0 {
		e.header, e.host, e.values = "X-Forwarded-Host", redact.See(strings.Join(forwarded, ", ")), len(forwarded)
	} else {
		e.untrusted = d.listed(untrusted.First(inbound.LineForwardedHost))
	}
	e.port = d.listed(origin.Hostname(f.RawHost))
	return e
}

// listed reports whether a host is in the list, under either scheme.
func (d *Decider) listed(host string) bool {
	_, secure := d.Policy.List.At("https", host)
	_, plain := d.Policy.List.At("http", host)
	return secure || plain
}

// hostError is a host that is not one of the application's own.
type hostError struct {
	header        string
	host          redact.Seen
	values        int // of the header
	entries       int
	hasAllowParty bool // AllowParty was called, too
	any           bool // there is no list
	port          bool // without its port the host would be listed
	untrusted     bool // X-Forwarded-Host, which is not believed, would be listed
}

func (e hostError) Error() string {
	text := e.header + " is " + e.host.String()
	switch {
	case e.values > 1:
		return text + ": none of several values is used; have the proxy send one"
	case strings.Contains(string(e.host), ","):
		return text + ": no entry of a list is used; have the proxy send one host"
	case e.any:
		return text + ", a host that no browser sends"
	}
	text += ", which matches nothing in AuthorizedParties (" + entries(e.entries) + ")"
	switch {
	case e.untrusted:
		text += "; X-Forwarded-Host matches, but TrustForwardedHeaders is off"
	case e.port:
		text += "; without the port it matches: is it that of a server behind a proxy, which must pass on the Host that the browser sent?"
	case e.hasAllowParty:
		text += ", and AllowParty refuses it"
	}
	return text
}

func (e hostError) Field() string {
	if e.untrusted {
		return "TrustForwardedHeaders"
	}
	return "AuthorizedParties"
}

// crossOriginDetail says where a request that may not write here comes from.
func (d *Decider) crossOriginDetail(f *inbound.Request) error {
	origins := f.Lines.All(inbound.LineOrigin)
	var referrers []string // without their paths
	for _, referrer := range f.Lines.All(inbound.LineReferer) {
		referrers = append(referrers, originOf(referrer))
	}
	return originError{
		origin: redact.See(strings.Join(origins, ", ")), origins: len(origins), site: redact.See(f.Lines.First(inbound.LineSite)),
		referrer: redact.See(strings.Join(referrers, ", ")), host: redact.See(f.RawHost),
		parties: d.Policy.List.Len(), trusted: d.Trusted.Len(),
	}
}

// originError is a write from an origin that may not write here.
type originError struct {
	origin, site, referrer, host redact.Seen
	origins                      int
	parties, trusted             int
}

func (e originError) Error() string {
	var text strings.Builder
	for _, header := range []struct {
		name string
		seen redact.Seen
		sent bool
	}{{"Origin", e.origin, e.origins > 0}, {"Referer's origin", e.referrer, e.referrer != ""}, {"Sec-Fetch-Site", e.site, e.site != ""}, {"Host", e.host, true}} {
		if header.sent {
			text.WriteString(header.name + " is " + header.seen.String() + ", ")
		}
	}
	return text.String() + "and neither AuthorizedParties (" + entries(e.parties) + ") nor TrustedOrigins (" + entries(e.trusted) + ") allows this write"
}

func (originError) Field() string { return "TrustedOrigins" }

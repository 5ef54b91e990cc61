// Package inbound reads a request once: the host, the credentials and cookies that it carries, and whether a page is
// asked for. It judges nothing.
package inbound

import (
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth/internal/reasons"
)

// Settings is what reading a request depends on. It never changes.
type Settings struct {
	Live        bool   // live keys: a handshake's answer arrives in cookies, else in the address
	Forwarded   bool   // X-Forwarded-Host and X-Forwarded-Proto are trusted
	Names       Names  // of Clerk's cookies
	ProxyOrigin string // of the Frontend API's proxy; empty: there is no proxy, or it is configured as a path
	ProxyPrefix string // the path of the proxy without a slash at its end; empty: it has none
}

// Request is what a request says, read once. Decisions are made from it; only net/http's own cross-origin check, and the
// header that a refresh sends to Clerk, use the http.Request itself.
type Request struct {
	Lines    Lines
	Method   string
	RawHost  string // as it was sent; see Request.Host
	Scheme   string // "https" or "http", where the allowlist does not tell
	Proxied  bool   // it is under the path of the Frontend API's proxy: never sent away, and never refreshed
	Document bool   // its answer, or with HEAD the answer to the GET, is shown as a page
	Head     bool   // a document's HEAD

	Credential string // in Authorization; see Bearer
	HasBearer  bool   // there is a bearer token, perhaps an empty one: it decides alone

	sessions list[SessionCookie]
	named    [Slots]bool  // whether any of this name was sent
	Unread   bool         // more than maxSessionCookies were sent
	UAT      [Slots]Value // __client_uat

	DevBrowser [Slots]Value      // __clerk_db_jwt
	Refresh    string            // __refresh_<suffix>; the plain one is not read
	Redirects  int               // handshakes in the last seconds, by __clerk_redirect_count
	party      list[PartyCookie] // our own, of a browser that was signed in here
	Tried      bool              // our own: a handshake for a missing azp has just been made
	Answer     Answer            // what a handshake left for us

	Attempts [Slots]AttemptCookies // our own: handshakes made, with the __Host- prefix and without
	Own      OwnParameters         // our own, in the address of a document

	Page Page // of documents, and in development of everything

	Judged []JudgedOrigin // kept by the decision
}

// JudgedOrigin is an origin and what AllowParty returned for it.
type JudgedOrigin struct {
	Origin  string
	Allowed bool
}

// Page is a document request, as far as sending the browser elsewhere and back needs it.
type Page struct {
	Path, Query string // as the client sent them
}

// Read reads all of r into f, which is zero. A reason means that the request contradicts itself.
func (f *Request) Read(r *http.Request, s *Settings) reasons.Reason {
	if reason := f.ReadBearer(r, s); reason != "" {
		return reason
	}
	f.ReadOthers(r, s)
	return ""
}

// ReadBearer reads the host of r and its bearer token into f, which is zero: if the token signs in, nothing else is needed. A
// reason means that the request contradicts itself.
func (f *Request) ReadBearer(r *http.Request, s *Settings) reasons.Reason {
	f.ReadHost(r, s)
	authorization := f.Lines.All(LineAuthorization)
	if len(authorization) > 1 {
		return reasons.MultipleAuthorization
	}
	if len(authorization) == 1 {
		f.Credential, f.HasBearer = credential(authorization[0])
	}
	return ""
}

// ReadHost reads the method, host and scheme of r into f, which is zero.
func (f *Request) ReadHost(r *http.Request, s *Settings) {
	f.Lines.Of(r.Header, s.Forwarded)
	f.Method = r.Method
	f.RawHost, f.Scheme = clientHost(r, f.Lines.All(LineForwardedHost)), clientScheme(r, f.Lines.All(LineForwardedProto))
}

// ReadPage reads, after ReadBearer, whether r asks for a page, and for which.
func (f *Request) ReadPage(r *http.Request, s *Settings) {
	f.Proxied = s.underProxy(r) && s.AtProxy(f.RawHost)
	f.Document = f.asksForPage() && !f.Proxied
	if f.Document || !s.Live {
		f.Page.Path, f.Page.Query = Target(r)
	}
}

// ReadOthers reads what ReadBearer has left. Beside a bearer token only a page has anything that counts.
func (f *Request) ReadOthers(r *http.Request, s *Settings) {
	f.ReadPage(r, s)
	if f.HasBearer && !f.Document {
		return
	}
	f.readLines(f.Lines.All(LineCookie), s)
	if f.Document {
		f.readDocument(s)
	}
}

// readDocument reads what only a page's request has.
func (f *Request) readDocument(s *Settings) {
	f.Head = f.Method == http.MethodHead
	f.readOwnParameters()
	if !s.Live {
		f.readDevelopmentAnswer()
	}
}

// Bearer is the bearer token.
func (f *Request) Bearer() string { return firstWord(f.Credential) }

// Bearer returns the bearer token of a header; empty: there is none. A reason means that the header contradicts itself.
func Bearer(h http.Header) (string, reasons.Reason) {
	switch lines := h[lineNames[LineAuthorization]]; len(lines) {
	case 0:
		return "", ""
	case 1:
		bearer, _ := credential(lines[0])
		return firstWord(bearer), ""
	}
	return "", reasons.MultipleAuthorization
}

// credential returns what follows the scheme Bearer, in any case (RFC 9110 section 11.1), and one or more spaces (RFC 6750
// section 2.1) in an Authorization value, or a value without a scheme. Other schemes are another protocol's.
func credential(authorization string) (rest string, ok bool) {
	authorization = trimBlanks(authorization)
	if authorization == "" {
		return "", false
	}
	scheme, rest, found := strings.Cut(authorization, " ")
	if !found {
		return scheme, true
	}
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimLeft(rest, " "), true
}

// firstWord is a credential up to its first space. A token that was verified before has none, so that it can be looked up
// without this search.
func firstWord(credential string) string {
	word, _, _ := strings.Cut(credential, " ")
	return word
}

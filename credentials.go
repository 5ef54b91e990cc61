package clerkauth

import (
	"net/http"
	"strings"
)

// facts is what a request says, read once. Everything after it judges facts, not requests.
type facts struct {
	lines    headerLines
	whole    bool // all of lines were looked up
	method   string
	rawHost  string // as it came; see facts.host
	scheme   string // "https" or "http", where the allowlist does not tell
	document bool   // its answer, or with HEAD the answer to the GET, is shown as a page
	head     bool   // HEAD
	frame    bool   // a document in a frame
	prefetch bool   // the browser may never show it (Sec-Purpose)

	destination destination

	bearer    string
	hasBearer bool // an Authorization header decides alone, even an empty token

	few    [4]candidate // the session cookies, as long as there are few; from count on: unused
	count  int
	many   []candidate // all of them, when there are more; see facts.sessionCookies
	named  [slots]bool // whether any came of this name
	unread bool        // more than maxCandidates came
	uat    [slots]text // __client_uat

	devBrowser [slots]text                // __clerk_db_jwt
	refresh    string                     // __refresh_<suffix>; the plain one is not read
	rounds     int                        // browser rounds in the last seconds, by __clerk_redirect_count
	party      [maxPartyCookies]sentParty // our own, of a browser that was signed in here; from partyCount on: unused
	partyCount int
	tried      bool            // our own: a round for a missing azp has just been made
	ownSite    bool            // the browser says that no other site had a hand in this
	came       handshakeAnswer // what a browser round left for us

	attempts [slots]attemptCookies // our own: handshakes made, with the __Host- prefix and without
	own      ownParameters         // our own, in the address of a document

	page page // of documents, and in development of everything
}

// single is a cookie or parameter that counts only when exactly one came.
type single struct {
	count int
	value string
}

func (v *single) add(value string) {
	v.count++
	v.value = value
}

// only is the value, or "" when none or several came: which one counts could not be told.
func (v *single) only() string {
	if v.count != 1 {
		return ""
	}
	return v.value
}

// handshakeAnswer is what the Frontend API sent along when it sent the browser back.
type handshakeAnswer struct{ nonce, token single }

func (h *handshakeAnswer) empty() bool { return h.nonce.only() == "" && h.token.only() == "" }

// any reports whether anything came, even what does not count.
func (h *handshakeAnswer) any() bool { return h.nonce.count+h.token.count > 0 }

// page is a document request, as far as sending the browser elsewhere and back needs it.
type page struct {
	path, query string // as the client sent them
	navigation  bool   // Sec-Fetch-Dest says document: a page of its own, not a frame
	referrer    string // a single Referer; empty: none
}

// slot is one of the two names that each of Clerk's cookies has.
type slot uint8

const (
	plain    slot = iota // __session: of whichever instance wrote last
	suffixed             // __session_<suffix>: of this instance
	slots
)

// candidate is a session cookie. A sibling subdomain can plant more of the same name, so that all of them are
// looked at.
type candidate struct {
	slot slot
	raw  string
}

// maxCandidates is how many session cookies of a request are read.
const maxCandidates = 64

// read is the only reader of requests. A reason means that the request contradicts itself.
func (f *facts) read(r *http.Request, s *settings) Reason {
	f.lines.read(r.Header, s.firstLine(), readForPage)
	f.method = r.Method
	f.rawHost, f.scheme = clientHost(r, f.lines[lineForwardedHost]), clientScheme(r, f.lines[lineForwardedProto])
	f.document = f.asksForPage() && !s.proxied(r, f.rawHost)
	if f.document || !s.live {
		f.page.path, f.page.query = clientTarget(r)
	}
	authorization := f.lines[lineAuthorization]
	if len(authorization) > 1 {
		return ReasonMultipleAuthorization
	}
	if len(authorization) == 1 {
		f.bearer, f.hasBearer = bearer(authorization[0])
	}
	if f.hasBearer && !f.document {
		return ""
	}
	f.lines.read(r.Header, readForPage, lineCount)
	f.whole = true
	f.ownSite = isOwnSite(f.lines[lineSite])
	f.destination = readDestination(f.lines[lineDest])
	f.readLines(f.lines[lineCookie], s)
	if referrers := f.lines[lineReferer]; len(referrers) == 1 {
		f.page.referrer = referrers[0]
	}
	dest := f.lines.first(lineDest)
	f.page.navigation = dest == "document"
	if !f.document {
		return ""
	}
	f.head, f.prefetch = r.Method == http.MethodHead, strings.HasPrefix(f.lines.first(linePurpose), "prefetch")
	f.frame = dest == "iframe" || dest == "frame"
	if strings.Contains(f.page.query, "clerk") {
		f.readOwnParameters()
		if !s.live {
			f.readDevelopmentAnswer()
		}
	}
	return ""
}

// isOwnSite reads Sec-Fetch-Site: absent, or a request by the site itself or by the person.
func isOwnSite(site []string) bool {
	return len(site) == 0 || len(site) == 1 && (site[0] == "same-origin" || site[0] == "none" || site[0] == "")
}

// firstLine is the first of readHeader that is read.
func (s *settings) firstLine() int {
	if s.forwarded {
		return lineForwardedHost
	}
	return readUntrusted
}

// readDevelopmentAnswer reads a handshake's answer from the address. Only development instances send it there;
// in production anybody's link could sign a visitor in as somebody else.
func (f *facts) readDevelopmentAnswer() {
	for name, value := range pairs(f.page.query) {
		switch {
		case spells(name, cookieHandshake):
			f.came.token.add(formUnescape(value))
		case spells(name, cookieNonce):
			f.came.nonce.add(formUnescape(value))
		}
	}
}

// bearer returns the token of an Authorization value: after the scheme Bearer in any case (RFC 9110 section
// 11.1), or alone. Other schemes are somebody else's.
func bearer(authorization string) (token string, ok bool) {
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
	token, _, _ = strings.Cut(rest, " ")
	return token, true
}

// asksForPage reports whether a browser will show the answer as a page. Sec-Fetch-Dest says so in browsers
// since 2023; before that Accept begins with text/html. A service worker that answers a navigation asks with an empty
// destination.
func (f *facts) asksForPage() bool {
	if f.method != http.MethodGet && f.method != http.MethodHead || len(f.lines[lineDest]) > 1 {
		return false
	}
	switch f.lines.first(lineDest) {
	case "":
		return strings.HasPrefix(f.lines.first(lineAccept), "text/html")
	case "document", "iframe", "frame":
		return true
	case "empty":
		return f.lines.first(lineMode) == "navigate"
	}
	return false
}

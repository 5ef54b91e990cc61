package clerkauth

import (
	"net/http"
	"net/url"
	"strings"
)

// facts is what a request says, read once. Everything after it judges facts, not requests.
type facts struct {
	method   string
	host     string // as the client names it, in lower case; empty: cannot be told
	scheme   string // "https" or "http", where the allowlist does not tell
	document bool   // a GET whose answer a browser shows as a page

	bearer    string
	hasBearer bool // an Authorization header decides alone, even an empty token

	tokens [maxCandidates]candidate // from the first count on: unused
	count  int
	uat    [slots]text // __client_uat
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

// maxCandidates is how many session cookies of a request are looked at.
const maxCandidates = 16

// cookieNames are the names that are read, of both slots.
type cookieNames struct {
	session, uat [slots]string
}

// newCookieNames returns the names of an instance's cookies. Without a suffix only the plain ones are read.
func newCookieNames(suffix string) cookieNames {
	both := func(name string) [slots]string {
		if suffix == "" {
			return [slots]string{plain: name}
		}
		return [slots]string{plain: name, suffixed: name + "_" + suffix}
	}
	return cookieNames{session: both("__session"), uat: both("__client_uat")}
}

// readFacts is the only reader of requests. A reason means that the request contradicts itself.
func readFacts(r *http.Request, s *settings) (facts, Reason) {
	f := facts{
		method: r.Method, host: clientHost(r, s.forwarded), scheme: clientScheme(r, s.forwarded),
		document: isDocument(r),
	}
	authorization := r.Header["Authorization"]
	if len(authorization) > 1 {
		return f, ReasonMultipleAuthorization
	}
	if len(authorization) == 1 {
		f.bearer, f.hasBearer = bearer(authorization[0])
	}
	if !f.hasBearer {
		for _, line := range r.Header["Cookie"] {
			f.readCookies(line, &s.cookies)
		}
	}
	return f, ""
}

// bearer returns the token of an Authorization value: after the scheme Bearer in any case (RFC 9110 section
// 11.1), or alone. Other schemes are somebody else's.
func bearer(authorization string) (token string, ok bool) {
	authorization = strings.Trim(authorization, " \t")
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

// readCookies scans one Cookie header, split before anything is decoded. Quotes are part of a value, as they
// are for browsers, and names match exactly: net/http's parser would unquote and drop.
func (f *facts) readCookies(line string, names *cookieNames) {
	for line != "" {
		var pair string
		pair, line, _ = strings.Cut(line, ";")
		name, value, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
		if !ok || !strings.HasPrefix(name, "__") {
			continue
		}
		f.readCookie(strings.TrimRight(name, " \t"), strings.TrimLeft(value, " \t"), names)
	}
}

func (f *facts) readCookie(name, value string, names *cookieNames) {
	for s := range slots {
		switch name {
		case names.session[s]:
			if value != "" && f.count < maxCandidates {
				f.tokens[f.count] = candidate{s, unescape(value)}
				f.count++
			}
		case names.uat[s]:
			if f.uat[s].state == absent {
				f.uat[s] = text{present, unescape(value)}
			}
		}
	}
}

// unescape decodes percent-encoding where it is one, as Clerk's own reader of cookies does.
func unescape(value string) string {
	if strings.IndexByte(value, '%') < 0 {
		return value
	}
	decoded, err := url.PathUnescape(value)
	if err != nil {
		return value
	}
	return decoded
}

// isDocument reports whether a browser will show the answer as a page. Sec-Fetch-Dest says so in browsers
// since 2023; before that Accept begins with text/html.
func isDocument(r *http.Request) bool {
	if r.Method != http.MethodGet {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "document", "iframe":
		return true
	case "":
		return strings.HasPrefix(r.Header.Get("Accept"), "text/html")
	}
	return false
}

// signedInAt reads __client_uat, when the browser's client last changed. Zero or nothing readable means that
// it is signed out. Digits count up to the first other character, as Clerk's script writes and reads it.
func signedInAt(t text) int64 {
	s := strings.TrimLeft(t.value, " \t\r\n\v\f")
	negative := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	base := int64(10)
	if len(s) > 1 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		base, s = 16, s[2:]
	}
	var n int64
	for _, c := range []byte(strings.ToLower(s)) {
		digit := int64(strings.IndexByte("0123456789abcdef", c))
		if digit < 0 || digit >= base {
			break
		}
		n = min(n*base+digit, lastDate)
	}
	if negative {
		return -n
	}
	return n
}

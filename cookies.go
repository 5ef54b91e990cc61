package clerkauth

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/clerkauth/clerkauth/internal/origin"
)

// cookieNames are the names that are read, of both slots.
type cookieNames struct {
	session, uat, devBrowser [slots]string
	refresh                  string
}

const (
	cookieHandshake = "__clerk_handshake"
	cookieNonce     = "__clerk_handshake_nonce"
	cookieRounds    = "__clerk_redirect_count"
	cookieParty     = "clerkauth_party_" // and the tag
	cookieTried     = "clerkauth_tried"
	cookieAttempts  = "clerkauth_handshake"
	prefixHost      = "__Host-"
)

// newCookieNames returns the names of an instance's cookies. Without a suffix only the plain ones are read.
func newCookieNames(suffix string) cookieNames {
	both := func(name string) [slots]string {
		if suffix == "" {
			return [slots]string{plain: name}
		}
		return [slots]string{plain: name, suffixed: name + "_" + suffix}
	}
	refresh := both("__refresh")
	return cookieNames{
		session: both("__session"), uat: both("__client_uat"), devBrowser: both("__clerk_db_jwt"),
		refresh: refresh[suffixed],
	}
}

func (f *facts) readLines(lines []string, s *settings) {
	bare := s.bareCookies(f)
	for _, line := range lines {
		f.readCookies(line, s, bare)
	}
	if s.live {
		return
	}
	f.came = handshakeAnswer{} // in development it comes by the address, see readDevelopmentAnswer
}

// readCookies scans one Cookie header, split before anything is decoded. Quotes are part of a value, as they
// are for browsers, and names match exactly: net/http's parser would unquote and drop. bare: our own cookies
// carry no __Host- prefix.
func (f *facts) readCookies(line string, s *settings, bare bool) {
	for line != "" {
		var pair string
		pair, line, _ = strings.Cut(line, ";")
		pair = trimBlanks(pair)
		if s.live && !strings.HasPrefix(pair, "__") {
			continue // somebody else's
		}
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		name, value = trimBlanks(name), trimBlanks(value)
		own, prefixed := strings.CutPrefix(name, prefixHost)
		if own == cookieAttempts {
			f.readAttempts(prefixed, value) // with test keys its name depends on the public origin, not on this connection
		} else if prefixed != bare {
			f.readOwn(own, value)
		}
		if strings.HasPrefix(name, "__") {
			f.readCookie(name, value, &s.cookies)
		}
	}
}

// trimBlanks takes spaces and tabs off both ends, and no other white space: a name that begins with one of
// Unicode's is another name.
func trimBlanks(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// readOwn reads the cookies that this package sets itself.
func (f *facts) readOwn(name, value string) {
	if tag, ok := strings.CutPrefix(name, cookieParty); ok {
		f.readParty(tag, value)
	} else if name == cookieTried {
		f.tried = true
	}
}

func (f *facts) readCookie(name, value string, names *cookieNames) {
	switch name {
	case names.session[plain]:
		f.addToken(plain, value)
	case names.session[suffixed]:
		f.addToken(suffixed, value)
	case names.uat[plain]:
		f.uat[plain].first(value)
	case names.uat[suffixed]:
		f.uat[suffixed].first(value)
	case names.devBrowser[plain]:
		f.devBrowser[plain].first(value)
	case names.devBrowser[suffixed]:
		f.devBrowser[suffixed].first(value)
	case names.refresh:
		f.refresh = unescape(value)
	case cookieRounds:
		f.rounds = max(f.rounds, roundsMade(unescape(value)))
	case cookieHandshake:
		f.came.token.add(unescape(value))
	case cookieNonce:
		f.came.nonce.add(unescape(value))
	}
}

// addToken adds a session cookie. What cannot be a token is kept as the first of its name only: it decides no more than
// why nobody is signed in, and must not push others out.
func (f *facts) addToken(s slot, value string) {
	if value == "" {
		return
	}
	c := candidate{s, unescape(value)}
	switch {
	case f.named[s] && !likeToken(c.raw):
		return
	case f.count == maxCandidates:
		f.unread = true
		return
	case f.count < len(f.few):
		f.few[f.count] = c
	default:
		if f.many == nil {
			f.many = append(f.many, f.few[:]...)
		}
		f.many = append(f.many, c)
	}
	f.count++
	f.named[s] = true
}

// minSignature is the size of an encoded signature of the smallest key that is used, of 2048 bits.
const minSignature = 342

// likeToken reports whether a value has the outline of a session token. Nothing else can be one.
func likeToken(raw string) bool {
	return len(raw) <= maxToken && strings.Count(raw, ".") == 2 && len(raw)-strings.LastIndexByte(raw, '.') > minSignature
}

// sessionCookies are the session cookies, in the order they came.
func (f *facts) sessionCookies() []candidate {
	if f.many != nil {
		return f.many
	}
	return f.few[:f.count]
}

// first keeps the first value that comes, even an empty one.
func (t *text) first(value string) {
	if t.state == absent {
		*t = text{present, unescape(value)}
	}
}

// roundsMade reads the count of browser rounds. Odd values are none.
func roundsMade(value string) int {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
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

// signedInAt reads __client_uat, when the browser's client last changed. Zero or nothing readable means that
// it is signed out. Digits count up to the first other character, as Clerk's script writes and reads it.
func signedInAt(t text) int64 {
	s := strings.TrimLeftFunc(t.value, func(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' })
	negative := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	base := int64(10)
	if len(s) > 1 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		base, s = 16, s[2:]
	}
	var n int64
	for _, c := range []byte(s) {
		d := digit(c)
		if d >= base {
			break
		}
		n = min(n*base+d, lastDate)
	}
	if negative {
		return -n
	}
	return n
}

// digit is the value of a hexadecimal digit, or 16.
func digit(c byte) int64 {
	switch {
	case '0' <= c && c <= '9':
		return int64(c - '0')
	case 'a' <= c && c <= 'f':
		return int64(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int64(c-'A') + 10
	}
	return 16
}

// deletePlanted are the Set-Cookie values that delete what keeps somebody out who could be signed in by a handshake: a
// sibling subdomain may have planted it, and it would stay for a year.
func (s *settings) deletePlanted(e *evidence, o *outcome) []string {
	switch c := e.chosen(); {
	case o.stuck == inCircles && e.rounds >= maxCounted:
		return s.deletions(&e.facts, cookieRounds)
	case o.reason != "" && o.status == SignedOut && e.signedInAt != 0 && c.read.raw != "" && c.standing() == worthless:
		return s.deleteDomainSessions(&e.facts)
	}
	return nil
}

// deletions are the Set-Cookie values that delete a cookie of the host and of the root domain.
func (s *settings) deletions(f *facts, name string) []string {
	cookies := []string{name + "=; Path=/; Max-Age=0; Secure"}
	if s.servesRoot(f) {
		cookies = append(cookies, name+"=; Path=/; Domain="+s.rootDomain+"; Max-Age=0; Secure")
	}
	return cookies
}

// servesRoot reports whether a request came to the instance's root domain or below it.
func (s *settings) servesRoot(f *facts) bool {
	return s.rootDomain != "" && strings.HasSuffix("."+origin.Hostname(f.host()), "."+s.rootDomain)
}

// deleteDomainSessions are the Set-Cookie values that delete session and refresh cookies of the root domain. Clerk sets none there,
// so that a sibling subdomain has planted them. They belong before the cookies of an answer: where the application is at
// the root domain itself, a client may take the two for the same cookie.
func (s *settings) deleteDomainSessions(f *facts) []string {
	if !s.servesRoot(f) {
		return nil
	}
	var deletions []string
	for _, name := range slices.Concat(s.cookies.session[:], []string{s.cookies.refresh}) {
		if name != "" {
			deletions = append(deletions, name+"=; Path=/; Domain="+s.rootDomain+"; Max-Age=0; Secure")
		}
	}
	return deletions
}

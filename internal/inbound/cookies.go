package inbound

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/clerkauth/clerkauth/internal/origin"
)

// Slot is one of the two names that each of Clerk's cookies has.
type Slot uint8

// The two names.
const (
	Plain    Slot = iota // __session: of whichever instance wrote last
	Suffixed             // __session_<suffix>: of this instance
	Slots
)

// Value is the first of the cookies of one name. Zero: none was sent.
type Value struct {
	sent  bool
	Value string
}

// first keeps the first value that arrives, even an empty one.
func (v *Value) first(value string) {
	if !v.sent {
		*v = Value{true, unescape(value)}
	}
}

// Names are the names of Clerk's cookies that are read, of both slots.
type Names struct {
	Session, UAT, DevBrowser [Slots]string
	Refresh                  string
}

// Names of cookies that never have an instance's suffix.
const (
	CookieHandshake = "__clerk_handshake"
	CookieNonce     = "__clerk_handshake_nonce"
	CookieRedirects = "__clerk_redirect_count"
	CookieParty     = "clerkauth_party_" // followed by a tag
	CookieTried     = "clerkauth_tried"
	CookieAttempts  = "clerkauth_handshake"
	CookieSignIns   = "clerkauth_signin"
	PrefixHost      = "__Host-"
)

// NewNames returns the names of an instance's cookies. Without a suffix only the plain ones are read.
func NewNames(suffix string) Names {
	both := func(name string) [Slots]string {
		if suffix == "" {
			return [Slots]string{Plain: name}
		}
		return [Slots]string{Plain: name, Suffixed: name + "_" + suffix}
	}
	refresh := both("__refresh")
	return Names{
		Session: both("__session"), UAT: both("__client_uat"), DevBrowser: both("__clerk_db_jwt"),
		Refresh: refresh[Suffixed],
	}
}

func (f *Request) readLines(lines []string, s *Settings) {
	bare := s.Bare(f)
	for _, line := range lines {
		f.readCookies(line, s, bare)
	}
	if s.Live {
		return
	}
	f.Answer = Answer{} // in development it arrives in the address, see readDevelopmentAnswer
}

// readCookies scans one Cookie header, and splits it before anything is decoded. Quotes are part of a value, as they
// are for browsers, and names match exactly: net/http's parser would remove quotes and drop cookies. bare: our own
// cookies have no __Host- prefix.
func (f *Request) readCookies(line string, s *Settings, bare bool) {
	for line != "" {
		line = trimBlanksBefore(line)
		if s.Live && !strings.HasPrefix(line, "__") {
			_, line, _ = strings.Cut(line, ";") // another application's
			continue
		}
		end := nameEnd(line)
		if end == len(line) || line[end] == ';' { // it has no value
			line = line[min(end+1, len(line)):]
			continue
		}
		name := trimBlanksBehind(line[:end])
		var value string
		value, line = f.cutValue(line[end+1:])
		own, prefixed := strings.CutPrefix(name, PrefixHost)
		if own == CookieAttempts {
			f.readAttempts(prefixed, value) // with test keys its name depends on the public origin, not on this connection
		} else if prefixed != bare {
			f.readOwn(own, value)
		}
		if strings.HasPrefix(name, "__") {
			f.readCookie(name, value, &s.Names)
		}
	}
}

// nameEnd is where the name of the first cookie of a line ends: at =, at ; or at the end of the line.
func nameEnd(line string) int {
	for i := range len(line) {
		if line[i] == '=' || line[i] == ';' {
			return i
		}
	}
	return len(line)
}

// cutValue cuts a line after the value that it begins with. Clerk's script writes the same session under both names: comparing
// the second value to the first takes less time than searching for its end, and as both then share memory, later comparisons
// take none.
func (f *Request) cutValue(line string) (value, rest string) {
	if f.sessions.n > 0 {
		first := f.sessions.few[0].Sent
		if rest, ok := strings.CutPrefix(line, first); ok && (rest == "" || rest[0] == ';') {
			return first, rest[min(1, len(rest)):]
		}
	}
	value, rest, _ = strings.Cut(line, ";")
	return trimBlanks(value), rest
}

// trimBlanks trims spaces and tabs, and no other white space: a name that begins with one of Unicode's spaces is another
// name.
func trimBlanks(s string) string { return trimBlanksBehind(trimBlanksBefore(s)) }

func trimBlanksBefore(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	return s
}

func trimBlanksBehind(s string) string {
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// readOwn reads the cookies that this package sets itself.
func (f *Request) readOwn(name, value string) {
	if tag, ok := strings.CutPrefix(name, CookieParty); ok {
		f.readParty(tag, value)
	} else if name == CookieTried {
		f.Tried = true
	}
}

func (f *Request) readCookie(name, value string, names *Names) {
	switch name {
	case names.Session[Plain]:
		f.addToken(Plain, value)
	case names.Session[Suffixed]:
		f.addToken(Suffixed, value)
	case names.UAT[Plain]:
		f.UAT[Plain].first(value)
	case names.UAT[Suffixed]:
		f.UAT[Suffixed].first(value)
	case names.DevBrowser[Plain]:
		f.DevBrowser[Plain].first(value)
	case names.DevBrowser[Suffixed]:
		f.DevBrowser[Suffixed].first(value)
	case names.Refresh:
		f.Refresh = unescape(value)
	case CookieRedirects:
		f.Redirects = max(f.Redirects, redirectsMade(unescape(value)))
	case CookieHandshake:
		f.Answer.Token.add(unescape(value))
	case CookieNonce:
		f.Answer.Nonce.add(unescape(value))
	}
}

// redirectsMade reads the count of handshakes. Odd values are none.
func redirectsMade(value string) int {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
}

// unescape decodes percent-encoding where it is well formed and of UTF-8, as Clerk's own SDKs do.
func unescape(value string) string {
	if strings.IndexByte(value, '%') < 0 {
		return value
	}
	decoded, err := url.PathUnescape(value)
	if err != nil || !utf8.ValidString(decoded) {
		return value
	}
	return decoded
}

// Bare reports whether our own cookies go without Secure, and so without the __Host- prefix: only in development, on this
// machine and without TLS.
func (s *Settings) Bare(f *Request) bool {
	return !s.Live && f.Scheme == "http" && origin.Loopback(origin.Hostname(f.Host()))
}

// PartyCookie is a party cookie as it was sent: the end of its name, and its value.
type PartyCookie struct{ Tag, Value string }

// The form of party cookies.
const (
	PartyTagSize    = 8     // characters
	PartyVersion    = "v2." // before every value
	maxPartyCookies = 8
	maxPartyValue   = 64 // bytes: until the year 2286 one has 57
)

// readParty keeps what may be a party cookie. tag is what follows the name.
func (f *Request) readParty(tag, value string) {
	if len(tag) == PartyTagSize && len(value) <= maxPartyValue && strings.HasPrefix(value, PartyVersion) && f.party.n < maxPartyCookies {
		f.party.add(PartyCookie{tag, value})
	}
}

// Party are the party cookies that were sent, whether or not they are valid.
func (f *Request) Party() []PartyCookie { return f.party.all() }

// AttemptCookies are the last two cookies of the name. Browsers send our own, which is for every path, last, and in a
// frame it may be there twice.
type AttemptCookies struct{ Previous, Last string }

// maxAttempts is the size of the largest of them that is kept, in bytes: eight entries have about 250.
const maxAttempts = 512

// readAttempts keeps one more cookie of the name.
func (f *Request) readAttempts(prefixed bool, value string) {
	kept := &f.Attempts[Plain]
	if prefixed {
		kept = &f.Attempts[Suffixed]
	}
	if len(value) <= maxAttempts {
		*kept = AttemptCookies{kept.Last, value}
	}
}

// Clerks reports whether name is one that Clerk sets.
func (n *Names) Clerks(name string) bool {
	if name == "" {
		return false
	}
	return slices.Contains(n.Session[:], name) || slices.Contains(n.UAT[:], name) || slices.Contains(n.DevBrowser[:], name) ||
		name == n.Refresh || name == "__refresh" || name == CookieHandshake || name == CookieNonce
}

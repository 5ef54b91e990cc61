// Package origin parses origins (RFC 6454), a scheme, a host and a port, in the one form in which browsers send them.
//
// It converts no hosts. Browsers send punycode, so a name that is not ASCII is not a host, and the cost of parsing is
// bounded by the longest possible origin.
package origin

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

// The longest parts of an origin, in bytes.
const (
	maxScheme = 64
	maxLabel  = 63                      // a part of a host between dots (RFC 1035 section 2.3.4)
	maxName   = 253                     // of a host
	MaxHost   = maxName + len(":65535") // of a Host header
	maxOrigin = maxScheme + len("://") + MaxHost + len("/")
)

// Origin is a scheme, host and port in normal form. The zero Origin is not an origin.
type Origin struct {
	Scheme string // in lower case
	Host   string // in lower case with http and https, else as written; IPv6 in brackets
	Port   string // empty: the scheme's default
}

func (o Origin) String() string {
	if o.Port == "" {
		return o.Scheme + "://" + o.Host
	}
	return o.Scheme + "://" + o.Host + ":" + o.Port
}

// Web reports whether a browser can be redirected there.
func (o Origin) Web() bool { return web(o.Scheme) }

func web(scheme string) bool { return scheme == "http" || scheme == "https" }

// Why a text is no origin.
var (
	ErrForm      = errors.New("is not an origin")
	ErrExtra     = errors.New("has a path, query, fragment or user info, and an origin has none")
	ErrWebSocket = errors.New("has a WebSocket scheme; write the page's, http or https")
	ErrASCII     = errors.New(`has letters that are not ASCII; write the host in punycode ("xn--…"), which is what browsers send`)
	ErrHost      = errors.New("has a host that no browser would send; write it as the address bar of a browser shows it, without a regular expression")
	ErrPort      = errors.New("has a port that is not a number from 1 to 65535")
	ErrStars     = errors.New("has a * that is not in a label of the host, or more than one")
)

// Parse parses an origin and normalizes it: the scheme in lower case, with http and https the host too; no default port, no
// slash at the end.
func Parse(s string) (Origin, error) { return parse(s, 0) }

// ParsePattern is Parse for a text whose host may contain one *.
func ParsePattern(s string) (Origin, error) { return parse(s, 1) }

func parse(s string, stars int) (Origin, error) {
	scheme, rest, found := strings.Cut(s, "://")
	rest = strings.TrimSuffix(rest, "/")
	switch {
	case strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII }):
		return Origin{}, ErrASCII
	case strings.Count(s, "*") > stars, strings.Contains(scheme, "*"):
		return Origin{}, ErrStars
	case !found, rest == "", rest[0] == '/', !schemeName(scheme):
		return Origin{}, ErrForm
	case strings.ContainsAny(rest, "/?#@"):
		return Origin{}, ErrExtra
	case len(s) > maxOrigin:
		return Origin{}, ErrHost
	}
	o := Origin{Scheme: strings.ToLower(scheme)}
	if o.Scheme == "ws" || o.Scheme == "wss" {
		return Origin{}, ErrWebSocket
	}
	host, port, hasPort := cutPort(rest)
	var ok bool
	if o.Host, ok = o.normalHost(host); !ok {
		return Origin{}, ErrHost
	}
	if !hasPort {
		return o, nil
	}
	var err error
	if o.Port, err = o.normalPort(port); err != nil {
		return Origin{}, err
	}
	return o, nil
}

// schemeName reports whether s is a scheme (RFC 3986 section 3.1).
func schemeName(s string) bool {
	for i, c := range []byte(s) {
		if !letter(c) && (i == 0 || !digit(c) && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != "" && len(s) <= maxScheme
}

// cutPort splits a host after its name or its address in brackets.
func cutPort(host string) (name, port string, found bool) {
	i := strings.IndexByte(host, ']') + 1
	name, port, found = strings.Cut(host[i:], ":")
	return host[:i+len(name)], port, found
}

// Hostname is host without its port.
func Hostname(host string) string {
	name, _, _ := cutPort(host)
	return name
}

func (o Origin) normalHost(host string) (string, bool) {
	if strings.HasPrefix(host, "[") {
		addr, err := netip.ParseAddr(strings.TrimSuffix(host[1:], "]"))
		// Browsers send no zones, and write an IPv4 address inside IPv6 in hexadecimal.
		return "[" + addr.String() + "]", err == nil && addr.Is6() && addr.Zone() == "" && !addr.Is4In6() && strings.HasSuffix(host, "]")
	}
	if len(host) > maxName || strings.Contains("."+strings.TrimSuffix(host, ".")+".", "..") {
		return "", false
	}
	if !o.Web() {
		// The id of an extension or the name of an app is not DNS; browsers do not change it.
		return host, all(host, func(c byte) bool { return letter(c) || digit(c) || strings.IndexByte("-._~*", c) >= 0 })
	}
	host = strings.ToLower(host)
	if !all(host, func(c byte) bool { return letter(c) || digit(c) || strings.IndexByte("-._*", c) >= 0 }) {
		return "", false
	}
	// With a number at the end it is an IPv4 address, and browsers write 127.1 and similar ones in full.
	if number(host) {
		addr, err := netip.ParseAddr(host)
		return host, err == nil && addr.String() == host
	}
	return host, true
}

// number reports whether the last label of host is a number (WHATWG URL, "ends in a number").
func number(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return all(hex, func(c byte) bool { return digit(c) || 'a' <= c && c <= 'f' })
	}
	return last != "" && all(last, digit)
}

func (o Origin) normalPort(port string) (string, error) {
	n, err := strconv.ParseUint(port, 10, 16)
	switch {
	case strings.Contains(port, "*"):
		return "", ErrStars
	case err != nil || n == 0:
		return "", ErrPort
	case ":"+strings.TrimLeft(port, "0") == defaultPort(o.Scheme):
		return "", nil
	}
	return strings.TrimLeft(port, "0"), nil
}

// defaultPort is the port that is omitted in origins of a scheme, after its colon; empty: none.
func defaultPort(scheme string) string {
	switch scheme {
	case "http":
		return ":80"
	case "https":
		return ":443"
	}
	return ""
}

// Normal reports whether s is an origin in normal form.
func Normal(s string) bool {
	o, err := Parse(s)
	return err == nil && o.String() == s
}

// At is the normalized origin of host, the Host header of a request over scheme. It changes only capitals and the default
// port. It reports false if no browser sends such a host.
func At(scheme, host string) (string, bool) {
	var room [maxOrigin]byte
	s := string(appendAt(room[:0], scheme, host))
	return s, Normal(s)
}

// appendAt appends the origin of host if it has one. If host is too long, it appends nothing.
func appendAt(b []byte, scheme, host string) []byte {
	if len(host) > MaxHost {
		return b
	}
	b = append(append(b, scheme...), "://"...)
	for _, c := range []byte(strings.TrimSuffix(host, defaultPort(scheme))) {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// OfURL is the origin of a page at address, a URL as browsers write it: the zero Origin if the URL has none, such as
// "about:blank". It reports false if no browser writes such a URL.
func OfURL(address string) (Origin, bool) {
	scheme, rest, found := strings.Cut(address, ":")
	if !found || !schemeName(scheme) {
		return Origin{}, false
	}
	rest, found = strings.CutPrefix(rest, "//")
	if i := strings.IndexAny(rest, `/?#\`); i >= 0 {
		rest = rest[:i]
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	switch {
	case !found:
		return Origin{}, !web(strings.ToLower(scheme))
	case len(rest) > MaxHost:
		return Origin{}, false
	}
	o, err := Parse(scheme + "://" + rest)
	return o, err == nil
}

// Meant guesses the origin, or pattern, that was meant by a text without scheme, or with more than an origin. It does not
// change the host, and guesses nothing if user info may be in front of one.
func Meant(s string) (string, bool) {
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		scheme, rest = "https", strings.TrimLeft(s, "/")
		for _, web := range []string{"https", "http"} {
			if after, ok := strings.CutPrefix(s, web); ok && strings.IndexAny(after, ":/") == 0 {
				scheme, rest, found = web, strings.TrimLeft(after, ":/"), true
			}
		}
	}
	if i := strings.IndexAny(rest, `/?#\`); i >= 0 {
		rest = rest[:i]
	}
	name := strings.ToLower(Hostname(rest))
	if !found && Loopback(name) {
		scheme = "http"
	}
	meant := scheme + "://" + rest
	_, err := ParsePattern(meant)
	return meant, err == nil && !strings.Contains(s, "@") && web(strings.ToLower(scheme)) && (strings.Contains(strings.TrimSuffix(name, "."), ".") || Loopback(name))
}

// Loopback reports whether a host name or address without port, in lower case, must be this machine (RFC 6761 section 6.3).
func Loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if host == "" || !digit(host[len(host)-1]) {
		return false // fast for most hosts
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// LoopbackAt is Loopback for a Host header, in any case.
func LoopbackAt(host string) bool {
	if host == "" {
		return false
	}
	if last := host[len(host)-1]; letter(last) && last|0x20 != 't' {
		return false // fast for most hosts: one that is this machine ends in "localhost", an address or a port
	}
	return Loopback(strings.ToLower(Hostname(host)))
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func digit(c byte) bool { return '0' <= c && c <= '9' }

// all reports whether is is true for every byte of s.
func all(s string, is func(byte) bool) bool {
	for _, c := range []byte(s) {
		if !is(c) {
			return false
		}
	}
	return true
}

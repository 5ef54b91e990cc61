// Package publishable parses Clerk's publishable keys and what they determine: the Frontend API host and the suffix of an
// instance's cookies.
package publishable

import (
	"crypto/sha1" //nolint:gosec // names a cookie, protects nothing: Clerk chose the algorithm
	"encoding/base64"
	"errors"
	"net/url"
	"strings"

	"github.com/clerkauth/clerkauth/internal/origin"
)

// Key is a parsed publishable key.
type Key struct {
	Live        bool
	FrontendAPI string // scheme and host, without a slash at the end: "https://clerk.example.com"
	Host        string // host and port of FrontendAPI
}

// Why a text is not a publishable key.
var (
	errSecret    = errors.New("is a secret key, which no page may have")
	errPrefix    = errors.New("is no publishable key, which begins with pk_live_ or pk_test_")
	errMalformed = errors.New("is malformed: behind pk_live_ or pk_test_ there is the base64 of the Frontend API host followed by $")
)

// Parse parses a publishable key strictly: pk_live_ or pk_test_ and the base64 of "host$". A host may have http:// in front
// only if it is a loopback one.
func Parse(key string) (Key, error) {
	encoded, live := strings.CutPrefix(key, "pk_live_")
	if !live {
		var test bool
		if encoded, test = strings.CutPrefix(key, "pk_test_"); !test && strings.HasPrefix(key, "sk_") {
			return Key{}, errSecret
		} else if !test {
			return Key{}, errPrefix
		}
	}
	encoding := base64.StdEncoding
	if !strings.HasSuffix(encoded, "=") {
		encoding = base64.RawStdEncoding
	}
	decoded, err := encoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") {
		return Key{}, errMalformed
	}
	host, ok := strings.CutSuffix(string(decoded), "$")
	if !ok {
		return Key{}, errMalformed
	}
	scheme := "https"
	if rest, ok := strings.CutPrefix(host, "http://"); ok {
		scheme, host = "http", rest
	}
	u, err := url.Parse(scheme + "://" + host)
	switch {
	case err != nil || u.Host != host || strings.Trim(host, hostname) != "" || strings.HasSuffix(host, ":"):
		return Key{}, errMalformed
	case scheme == "http" && !origin.Loopback(u.Hostname()):
		return Key{}, errMalformed
	case !origin.Loopback(u.Hostname()) && !dotted(u.Hostname()):
		return Key{}, errMalformed
	}
	return Key{Live: live, FrontendAPI: scheme + "://" + host, Host: host}, nil
}

// hostname has the characters of a host and its port, including an address in brackets.
const hostname = "abcdefghijklmnopqrstuvwxyz0123456789-.:[]"

// dotted reports whether host has at least two labels, none of them empty.
func dotted(host string) bool {
	return strings.Contains(host, ".") && !strings.Contains("."+host+".", "..")
}

// CookieSuffix is the part after the underscore in the names of an instance's own cookies: __session_<suffix>.
func CookieSuffix(key string) string {
	sum := sha1.Sum([]byte(key)) //nolint:gosec // as above
	return base64.URLEncoding.EncodeToString(sum[:])[:8]
}

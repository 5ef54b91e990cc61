// Package publishable reads Clerk publishable keys and what follows from them: the Frontend API host and
// the suffix of an instance's cookies.
package publishable

import (
	"crypto/sha1" //nolint:gosec // names a cookie, protects nothing: Clerk fixed the algorithm
	"encoding/base64"
	"errors"
	"net/url"
	"strings"

	"github.com/clerkauth/clerkauth/internal/origin"
)

// Key is a parsed publishable key.
type Key struct {
	Live        bool
	FrontendAPI string // scheme and host, never a trailing slash: "https://clerk.example.com"
	Host        string // host and port of FrontendAPI
}

// Why a key is none.
var (
	errSecret    = errors.New("is a secret key, which no page may have")
	errPrefix    = errors.New("is no publishable key, which begins with pk_live_ or pk_test_")
	errMalformed = errors.New("is malformed: behind pk_live_ or pk_test_ there is the base64 of the Frontend API host followed by $")
)

// Parse reads a publishable key strictly: anything but pk_live_ or pk_test_ and base64 of "host$" is an error.
// A host may carry http:// only when it is a loopback one.
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

// hostname is what a host and its port are written with, an address in brackets included.
const hostname = "abcdefghijklmnopqrstuvwxyz0123456789-.:[]"

// dotted reports whether host has at least two labels, none of them empty.
func dotted(host string) bool {
	return strings.Contains(host, ".") && !strings.Contains("."+host+".", "..")
}

// CookieSuffix is what follows the underscore in the names of an instance's own cookies: __session_<suffix>.
func CookieSuffix(key string) string {
	sum := sha1.Sum([]byte(key)) //nolint:gosec // as above
	return base64.URLEncoding.EncodeToString(sum[:])[:8]
}

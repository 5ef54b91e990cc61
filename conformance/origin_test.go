package conformance_test

import (
	"net/url"
	"strings"
)

// browserOrigin spells an origin as a browser does: lower case, no default
// port, no slash at the end. False if it is not an origin at all.
func browserOrigin(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Path != "" && u.Path != "/" || strings.ContainsAny(s, " ,") {
		return "", false
	}
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	if strings.Contains(host, "*") {
		return u.Scheme + "://*", true // a wildcard stands for origins, it is none
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r > 0x7f }) {
		return u.Scheme + "://xn--", true // a browser would say it in punycode
	}
	return u.Scheme + "://" + host, true
}

package clerkauth

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/clerkauth/clerkauth/internal/publishable"
)

// parties is a set of origins in normal form, and patterns with one *. The zero parties matches nothing.
type parties struct {
	origins  map[string]struct{}
	patterns []pattern
}

// pattern is an origin cut at its *.
type pattern struct{ before, after string }

// match reports whether origin, taken as it stands, is one of the set. A token or a browser names origins in
// normal form (RFC 6454 section 6.2), so anything else is somebody else's spelling and does not match.
func (p *parties) match(origin string) bool {
	if _, ok := p.origins[origin]; ok {
		return true
	}
	for _, pat := range p.patterns {
		if pat.match(origin) {
			return true
		}
	}
	return false
}

func (p pattern) match(origin string) bool {
	if len(origin) <= len(p.before)+len(p.after) || !strings.HasPrefix(origin, p.before) || !strings.HasSuffix(origin, p.after) {
		return false
	}
	for _, c := range []byte(origin[len(p.before) : len(origin)-len(p.after)]) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// partyRules are what entries of a list must keep to.
type partyRules struct {
	live bool   // an instance with live keys, or one that cannot be told to have test keys
	root string // the domain that the instance serves; empty: not known
}

// parseParties reads a list, and reports every entry that could never match or would match too much.
func parseParties(field string, entries []string, rules partyRules) (parties, []error) {
	p := parties{origins: make(map[string]struct{}, len(entries))}
	var problems []error
	for i, entry := range entries {
		o, err := parseOrigin(strings.Replace(entry, "*", wildcard, 1))
		if err == nil && strings.Count(o.String(), wildcard) != strings.Count(entry, "*") {
			err = errHost // the stand-in itself, spelled out
		}
		if err == nil {
			err = rules.check(o, strings.Contains(entry, "*"))
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s[%d]: %q %w", field, i, shown(entry), err))
			continue
		}
		before, after, wild := strings.Cut(o.String(), wildcard)
		if wild {
			p.patterns = append(p.patterns, pattern{before, after})
		} else {
			p.origins[before] = struct{}{}
		}
	}
	return p, problems
}

// wildcard stands in for the * while an entry is parsed as an origin.
const wildcard = "clerkauth--any--label"

// origin is a scheme, host and port in normal form. The zero origin is none.
type origin struct {
	scheme string
	host   string // lower-case, IPv6 in brackets
	port   string // empty: the scheme's default
}

func (o origin) String() string {
	if o.port == "" {
		return o.scheme + "://" + o.host
	}
	return o.scheme + "://" + o.host + ":" + o.port
}

// web reports whether a browser can be sent there.
func (o origin) web() bool { return o.scheme == "http" || o.scheme == "https" }

var (
	errNoOrigin   = errors.New(`is not an origin; write a scheme and a host, such as "https://example.com"`)
	errExtra      = errors.New(`has a path, query, fragment or user info; write only scheme, host and port, such as "https://example.com"`)
	errWebSocket  = errors.New("has a WebSocket scheme; write the page's, http or https")
	errHost       = errors.New("has a host that no browser would send")
	errPort       = errors.New("has a port that is not a number from 1 to 65535")
	errPlain      = errors.New("is http on a host that is not this machine, with live keys; write https")
	errStars      = errors.New("has more than one *, or one outside the host; write one * in one label of the host")
	errWildRoot   = errors.New("has a * that is not below the instance's own domain; list the origins instead")
	errWildTest   = errors.New(`has too wide a *; with test keys its label needs literal text and two labels must follow, such as "https://myapp-*.vercel.app"`)
	errWildShared = errors.New("has a * right below a domain where anybody can have a name; list the origins instead")
)

// parseOrigin reads an origin and puts it in normal form: lower-case, punycode, no default port, no slash.
func parseOrigin(s string) (origin, error) {
	if strings.Contains(s, "*") {
		return origin{}, errStars
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return origin{}, errNoOrigin
	}
	if strings.TrimSuffix(u.Path, "/") != "" || strings.ContainsAny(s, "?#@") {
		return origin{}, errExtra
	}
	if u.Scheme == "ws" || u.Scheme == "wss" {
		return origin{}, errWebSocket
	}
	host, err := normalHost(u)
	if err != nil {
		return origin{}, err
	}
	port, err := normalPort(u)
	return origin{scheme: u.Scheme, host: host, port: port}, err
}

func normalHost(u *url.URL) (string, error) {
	host := strings.ToLower(u.Hostname())
	if addr, err := netip.ParseAddr(host); err == nil && addr.Is6() {
		if addr.Zone() != "" || addr.Is4In6() {
			return "", errHost // a browser has no zones, and writes the other in hexadecimal
		}
		return "[" + addr.String() + "]", nil
	}
	web := u.Scheme == "http" || u.Scheme == "https"
	if web {
		ascii, err := asciiHost(host)
		if err != nil {
			return "", err
		}
		host = ascii
	}
	name := strings.TrimSuffix(host, ".")
	if strings.Contains("."+name+".", "..") {
		return "", errHost
	}
	// An extension's id or an app's name is not DNS. In DNS a number at the end makes it an IPv4 address, and a
	// browser would have written 127.1 and the like in full.
	last := name[strings.LastIndexByte(name, '.')+1:]
	if _, err := strconv.ParseUint(last, 0, 64); err == nil && web {
		if addr, err := netip.ParseAddr(host); err != nil || addr.String() != host {
			return "", errHost
		}
	}
	return host, nil
}

// asciiHost is the host in the form that goes over the wire (RFC 5891). net/http has the conversion built in
// and shows it in one place only, the Host header it writes. It maps nothing, so that characters which are no
// part of any word, such as other full stops, are refused here.
func asciiHost(host string) (string, error) {
	if strings.ContainsFunc(host, func(r rune) bool { return r > '~' && !unicode.In(r, unicode.L, unicode.M, unicode.Nd) }) {
		return "", errHost
	}
	var wire bytes.Buffer
	out := http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: host, Path: "/"}}
	if err := out.Write(&wire); err != nil {
		return "", errHost
	}
	in, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil || !plainName(in.Host) {
		return "", errHost
	}
	return in.Host, nil
}

// plainName reports whether host is letters, digits, hyphens, underscores and dots.
func plainName(host string) bool {
	for _, c := range []byte(host) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return host != ""
}

func normalPort(u *url.URL) (string, error) {
	if u.Port() == "" && !strings.HasSuffix(u.Host, ":") {
		return "", nil
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	switch {
	case err != nil || n == 0:
		return "", errPort
	case u.Scheme == "http" && n == 80, u.Scheme == "https" && n == 443:
		return "", nil
	}
	return strconv.FormatUint(n, 10), nil
}

// check refuses entries that open more than they seem to.
func (r partyRules) check(o origin, wild bool) error {
	if o.scheme == "http" && r.live && !publishable.Loopback(o.host) {
		return errPlain
	}
	if !wild {
		return nil
	}
	label, rest, _ := strings.Cut(o.host, ".")
	for !strings.Contains(label, wildcard) && rest != "" {
		label, rest, _ = strings.Cut(rest, ".")
	}
	if !strings.Contains(label, wildcard) {
		return errStars
	}
	return r.checkWildcard(label, rest)
}

// checkWildcard judges a * in label, followed by rest. What matches must be under the same control as the app.
func (r partyRules) checkWildcard(label, rest string) error {
	if !r.live {
		if label == wildcard || strings.Count(rest, ".") < 1 {
			return errWildTest
		}
		return nil
	}
	if r.root == "" || rest != r.root && !strings.HasSuffix(rest, "."+r.root) {
		return errWildRoot
	}
	if sharedSuffix(rest) {
		return errWildShared
	}
	return nil
}

// sharedSuffix reports whether the names right below domain belong to different people. The list holds the
// hosting services that Clerk apps are deployed on; the rule about the instance's own domain does the rest.
func sharedSuffix(domain string) bool {
	switch domain {
	case "vercel.app", "now.sh", "netlify.app", "netlify.com", "pages.dev", "workers.dev", "herokuapp.com",
		"github.io", "gitlab.io", "fly.dev", "onrender.com", "railway.app", "up.railway.app", "web.app",
		"firebaseapp.com", "appspot.com", "run.app", "a.run.app", "azurewebsites.net", "azurestaticapps.net",
		"cloudfront.net", "amplifyapp.com", "awsapprunner.com", "amazonaws.com", "deno.dev", "surge.sh",
		"replit.app", "replit.dev", "repl.co", "lovable.app", "bolt.host", "stackblitz.io", "webcontainer.io",
		"codesandbox.io", "csb.app", "gitpod.io", "github.dev", "app.github.dev", "glitch.me", "webflow.io",
		"ngrok.io", "ngrok.app", "ngrok.dev", "ngrok-free.app", "ngrok-free.dev", "trycloudflare.com", "loca.lt",
		"accounts.dev", "clerk.accounts.dev", "clerk.app", "vercel.dev", "edgeone.app", "zeabur.app", "koyeb.app":
		return true
	}
	return !strings.Contains(domain, ".")
}

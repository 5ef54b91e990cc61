package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// clientPath is the first request of Clerk's script. Its answer is for one browser.
const clientPath = "/v1/client"

// proxyAnswer is a response through the proxy. The zero proxyAnswer is none.
type proxyAnswer struct {
	status int
	clerks bool   // it is a JSON object, as all of Clerk's are
	code   string // of the error in it; empty: none
	header http.Header
}

// checkProxy sends the requests of Clerk's script through the proxy, twice, to find caches.
func (d *doctor) checkProxy(ctx context.Context, keys check) []check {
	address := d.frontend() + clientPath
	see := []string{"curl -sSi " + address}
	unseen := check{code: proxyUnseen, name: address, see: see}
	if keys.code == apiFails || keys.code == apiUnreachable {
		unseen.cause = keys.ref()
		return []check{unseen}
	}
	var answers [2]proxyAnswer
	for i := range answers {
		var err error
		if answers[i], err = d.askProxy(ctx, address); err != nil {
			unseen.says, unseen.fix = plainly(err), []string{"check the network here, or allow more time with -timeout"}
			return []check{unseen}
		}
	}
	checks := []check{d.judgeProxy(answers[0]), judgeCaches(answers)}
	if checks[0].code == proxyGood {
		checks = append(checks, d.judgeCookies(answers[0]))
	}
	for i := range checks {
		checks[i].name, checks[i].see = address, see
	}
	return checks
}

func (d *doctor) askProxy(ctx context.Context, address string) (proxyAnswer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return proxyAnswer{}, err
	}
	resp, err := d.net.client().Do(req)
	if err != nil {
		return proxyAnswer{}, err
	}
	defer resp.Body.Close()
	var body struct {
		Errors []struct{ Code string }
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, documentLimit)).Decode(&body)
	a := proxyAnswer{status: resp.StatusCode, clerks: err == nil, header: resp.Header}
	if len(body.Errors) > 0 {
		a.code = body.Errors[0].Code
	}
	return a, nil
}

// judgeProxy derives from the error code what Clerk knows about the proxy.
func (d *doctor) judgeProxy(a proxyAnswer) check {
	c := check{says: fmt.Sprintf("it answers HTTP %d", a.status)}
	if a.code != "" {
		c.says += ", " + printable(a.code)
	}
	if a.status == http.StatusOK && !a.clerks {
		c.says = "it answers HTTP 200, but not with an answer of Clerk"
	}
	switch {
	case a.status == http.StatusOK && a.clerks && a.code == "":
		c.code, c.says = proxyGood, ""
	case a.code == "host_invalid":
		c.code = proxyNotKnown
		c.fix = []string{
			"in Clerk's Dashboard, under Domains, set the proxy URL to " + d.proxy.String(),
			"have the proxy send the same in Clerk-Proxy-Url: with FrontendAPIProxy that is Config.ProxyURL",
		}
	case a.code == "clerk_key_invalid":
		c.code = proxyKeyRefused
		c.fix = []string{"give the proxy this instance's sk_live_ key, which it sends in Clerk-Secret-Key"}
	default:
		c.code = proxyFails
		c.fix = []string{"see what answers there: all below " + d.proxy.Path + "/ has to reach the proxy, and the proxy https://frontend-api.clerk.dev"}
	}
	return c
}

// judgeCookies checks Clerk's cookies: nobody stays signed in if browsers refuse them.
func (d *doctor) judgeCookies(a proxyAnswer) check {
	c := check{code: proxyCookiesMissing, fix: []string{"see whether something in front of the proxy removes Set-Cookie; sign-in does not work without it"}}
	for _, line := range a.header["Set-Cookie"] {
		cookie, err := http.ParseSetCookie(line)
		if err != nil || !strings.HasPrefix(cookie.Name, "__client") {
			continue
		}
		if domain := strings.TrimPrefix(cookie.Domain, "."); domain != "" && !within(d.proxy.Hostname(), domain) {
			return check{
				code: proxyCookiesElsewhere, says: fmt.Sprintf("%s is for %s", cookie.Name, printable(domain)),
				fix: []string{"have the proxy send its own URL in Clerk-Proxy-Url, and not change Set-Cookie"},
			}
		}
		c = check{code: proxyCookiesGood}
	}
	return c
}

// judgeCaches checks whether the answers, which are for one browser, are from a cache, or may be stored in one.
func judgeCaches(answers [2]proxyAnswer) check {
	for _, a := range answers {
		if field := cacheHit(a.header); field != "" {
			return check{
				code: proxyCached, says: "an answer has " + field,
				fix: []string{"do not let the cache in front, such as a CDN, cache anything below the proxy's path"},
			}
		}
	}
	if control := strings.Join(answers[0].header["Cache-Control"], ", "); invites(control) {
		return check{
			code: proxyCacheable, says: "Cache-Control: " + printable(control),
			fix: []string{"do not change the Cache-Control that the proxy sends, private and no-store"},
		}
	}
	return check{code: proxyCacheGood}
}

// cacheHit is the header by which a cache says that it answered (RFC 9111 section 5.1, RFC 9211); empty: none does.
func cacheHit(h http.Header) string {
	if age, err := strconv.Atoi(h.Get("Age")); err == nil && age > 0 {
		return "Age: " + h.Get("Age")
	}
	for _, name := range []string{"Cache-Status", "X-Cache", "Cf-Cache-Status", "X-Cache-Status", "X-Vercel-Cache", "X-Proxy-Cache"} {
		for _, value := range h[name] {
			said := strings.FieldsFunc(strings.ToLower(value), func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' && r != '=' })
			if slices.Contains(said, "hit") {
				return name + ": " + printable(value)
			}
		}
	}
	return ""
}

// invites reports whether a Cache-Control lets caches store an answer for everybody.
func invites(control string) bool {
	kept := false
	for directive := range strings.SplitSeq(strings.ToLower(control), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch name {
		case "no-store", "private":
			return false
		case "public":
			kept = true
		case "max-age", "s-maxage":
			kept = kept || value != "0"
		}
	}
	return kept
}

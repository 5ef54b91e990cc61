package conformance_test

import (
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// parts are what mixtures are made of: the values in the recorded cases of one instance.
type parts struct {
	*rand.Rand
	cases   []*recorded
	tokens  map[string][]string // session tokens by why they are refused, or the kind of token they are
	kinds   []string            // the keys of tokens
	cookies map[string][]string // values of cookies by name
	headers map[string][]string // values of headers by name
	options map[string][]option // values of options by name
	answers []route             // replies to a nonce
	signed  []string            // handshake tokens
	targets []string            // addresses of satellites that a primary was to answer
}

// The families that were made of the others, with what the reference decided about them.
const (
	mixturesFamily = "r_mixtures" // the first mixtures of the default seed
	alteredFamily  = "s_altered"  // one request each, with other headers, cookies, claims or options, or characters in them
)

// An option is the raw value of one.
type option = []byte

// partsOf takes the cases of one instance apart. There may be none of a part: what draws it then leaves it out.
func partsOf(tb testing.TB, r *recording, public string, rng *rand.Rand) *parts {
	tb.Helper()
	p := &parts{
		Rand: rng, tokens: map[string][]string{}, cookies: map[string][]string{},
		headers: map[string][]string{}, options: map[string][]option{},
	}
	for _, family := range r.families {
		for _, c := range r.cases[family] {
			if family != mixturesFamily && family != alteredFamily && c.public() == public && c.skipCause(tb) == "" && !c.decidesMachine() && !c.oddPatterns() {
				p.takeApart(c)
			}
		}
	}
	for kind, tokens := range p.tokens {
		p.tokens[kind] = compacted(tokens)
	}
	p.kinds = slices.Sorted(maps.Keys(p.tokens))
	return p
}

func compacted(values []string) []string {
	slices.Sort(values)
	return slices.Compact(values)
}

func (p *parts) takeApart(c *recorded) {
	p.cases = append(p.cases, c)
	for _, pair := range c.Request.pairs() {
		p.cookies[pair[0]] = append(p.cookies[pair[0]], pair[1])
	}
	for _, h := range c.Request.Headers {
		name := strings.ToLower(h[0])
		p.headers[name] = append(p.headers[name], h[1])
	}
	for name, value := range c.Options {
		p.options[name] = append(p.options[name], value)
	}
	for _, r := range c.Backend {
		if strings.HasSuffix(r.Path, "/handshake_payload") {
			p.answers = append(p.answers, r)
		}
	}
	for name, value := range c.Request.cookies() {
		if name == "__clerk_handshake" {
			p.signed = append(p.signed, value)
		}
	}
	if value, n := c.parameter("__clerk_handshake"); n > 0 {
		p.signed = append(p.signed, value)
	}
	if value, n := c.parameter("__clerk_redirect_url"); n > 0 {
		p.targets = append(p.targets, value)
	}
	for _, t := range c.candidates() {
		if !ascii(t.raw) {
			continue
		}
		p.tokens[c.kindOf(t.token)] = append(p.tokens[c.kindOf(t.token)], t.raw)
	}
}

// kindOf names a session token by why it is refused, without a check of the list.
func (c *recorded) kindOf(t *token) string {
	plain := *c
	plain.Options = options{"publishableKey": c.Options["publishableKey"], "secretKey": c.Options["secretKey"]}
	reason := plain.whyRefused(t)
	_, named := t.claims["azp"]
	switch {
	case reason == "" && !named:
		return missingAZP
	case reason != "":
		return reason
	case t.claims["sts"] == "pending":
		return "pending"
	}
	return "good"
}

// pairs are the cookies as they were sent, without those that are no ASCII.
func (r recordedRequest) pairs() (pairs [][2]string) {
	for _, line := range r.values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			if ascii(pair) {
				pairs = append(pairs, [2]string{name, value})
			}
		}
	}
	return pairs
}

// ascii reports what every reader of a header reads alike.
func ascii(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' }) }

// missing names the parts of which there are none.
func (p *parts) missing() []string {
	if len(p.cases) == 0 {
		return nil
	}
	var names []string
	for name, n := range map[string]int{
		"session token": len(p.tokens), "answer to a nonce": len(p.answers), "handshake token": len(p.signed), "satellite's address": len(p.targets),
		"Host header": len(p.headers["host"]), "X-Forwarded-Host": len(p.headers["x-forwarded-host"]),
		"allowlist": len(p.options["authorizedParties"]), "proxyUrl": len(p.options["proxyUrl"]),
	} {
		if n == 0 {
			names = append(names, name+" of "+p.cases[0].public()[:min(8, len(p.cases[0].public()))])
		}
	}
	slices.Sort(names)
	return names
}

// one draws from a list, and is its zero value if there is nothing to draw from.
func one[T any](rng *rand.Rand, list []T) (drawn T) {
	if len(list) > 0 {
		drawn = list[rng.IntN(len(list))]
	}
	return drawn
}

// in reports whether something happens that happens once in n times.
func (p *parts) in(n int) bool { return p.IntN(n) == 0 }

// token draws a session token of one of the kinds, or of any.
func (p *parts) token(kinds ...string) string {
	if len(kinds) == 0 {
		kinds = p.kinds
	}
	return one(p.Rand, p.tokens[one(p.Rand, kinds)])
}

// A mixture is a request in the making.
type mixture struct {
	*recorded
	jar [][2]string
}

// start begins with the request and the options of some case, without its credentials.
func (p *parts) start() *mixture {
	c := *one(p.Rand, p.cases)
	m := &mixture{recorded: &c}
	c.Options, c.Has, c.Expect = maps.Clone(c.Options), nil, expectation{}
	c.Backend = slices.Clone(c.Backend)
	c.Request.Headers = slices.DeleteFunc(slices.Clone(c.Request.Headers), func(h [2]string) bool {
		return strings.EqualFold(h[0], "Cookie") || strings.EqualFold(h[0], "Authorization")
	})
	return m
}

// finish writes the cookies into the request, in any order.
func (p *parts) finish(m *mixture) *recorded {
	p.Shuffle(len(m.jar), func(i, j int) { m.jar[i], m.jar[j] = m.jar[j], m.jar[i] })
	var pairs []string
	for _, pair := range m.jar {
		pairs = append(pairs, pair[0]+"="+pair[1])
	}
	if len(pairs) > 0 {
		m.setHeader("cookie", strings.Join(pairs, "; "))
	}
	return m.recorded
}

// setCookie adds a cookie.
func (m *mixture) setCookie(name, value string) { m.jar = append(m.jar, [2]string{name, value}) }

// setHeader replaces all values of a header by these.
func (m *mixture) setHeader(name string, values ...string) {
	m.Request.Headers = slices.DeleteFunc(m.Request.Headers, func(h [2]string) bool { return strings.EqualFold(h[0], name) })
	for _, value := range values {
		m.Request.Headers = append(m.Request.Headers, [2]string{name, value})
	}
}

// addParameter appends a parameter to the address.
func (m *mixture) addParameter(name, value string) {
	for _, target := range []*string{&m.Request.URL, &m.Request.NormalizedURL} {
		if *target == "" {
			continue
		}
		address, fragment, _ := strings.Cut(*target, "#")
		separator := "?"
		if strings.Contains(address, "?") {
			separator = "&"
		}
		*target = address + separator + name + "=" + url.QueryEscape(value)
		if fragment != "" {
			*target += "#" + fragment
		}
	}
}

// setOption gives an option the value; nil takes it away.
func (m *mixture) setOption(name string, value option) {
	if value == nil {
		delete(m.Options, name)
		return
	}
	m.Options[name] = value
}

package conformance_test

import (
	"encoding/json"
	"slices"
	"strconv"
)

// A mixtureKind is a kind of request in which several rules are combined.
type mixtureKind struct {
	name string
	mix  func(p *parts, m *mixture)
}

// mixtureKinds are those of which a run makes the same number each.
var mixtureKinds = []mixtureKind{
	{"a handshake's session without azp beside another reason", func(p *parts, m *mixture) {
		p.list(m)
		p.answer(m, missingAZP)
		p.pairs(m)
		p.counter(m)
	}},
	{"a good session beside another token under the other name", func(p *parts, m *mixture) {
		p.beside(m)
		p.counter(m)
		if p.in(2) {
			p.list(m)
		}
	}},
	{"a host that is not the address's", func(p *parts, m *mixture) {
		m.setHeader("host", one(p.Rand, p.headers["host"]))
		p.list(m)
		if p.in(2) {
			m.setHeader("x-forwarded-proto", one(p.Rand, p.headers["x-forwarded-proto"]))
		}
		p.pairs(m)
		if p.in(3) {
			p.answer(m)
		}
	}},
	{"a satellite not on the list beside an answer", func(p *parts, m *mixture) {
		if p.in(2) {
			p.list(m)
		}
		p.satellite(m)
		p.answer(m)
		p.pairs(m)
		p.counter(m)
	}},
	{"a forwarded list", func(p *parts, m *mixture) {
		p.forwarded(m)
		p.pairs(m)
		if p.in(2) {
			p.list(m)
		}
		if p.in(3) {
			p.answer(m)
		}
	}},
	{"a proxy", func(p *parts, m *mixture) {
		m.setOption("proxyUrl", one(p.Rand, p.options["proxyUrl"]))
		p.pairs(m)
		if p.in(3) {
			p.answer(m)
		}
		if p.in(3) {
			p.list(m)
		}
		if p.in(3) {
			m.setHeader("x-forwarded-host", one(p.Rand, p.headers["x-forwarded-host"]))
		}
	}},
	{"cookies of one request in another", func(p *parts, m *mixture) {
		other := one(p.Rand, p.cases)
		m.jar = other.Request.pairs()
		m.Backend = slices.Concat(m.Backend, other.Backend)
	}},
	{"all at once", func(p *parts, m *mixture) {
		p.pairs(m)
		p.counter(m)
		for _, change := range []func(*mixture){p.list, p.satellite, p.forwarded, func(m *mixture) { p.answer(m) }, p.bearer} {
			if p.in(3) {
				change(m)
			}
		}
	}},
}

// list gives an allowlist that some case has, or one of the very host that the request names.
func (p *parts) list(m *mixture) {
	host := one(p.Rand, slices.Concat(m.Request.values("Host"), m.Request.values("X-Forwarded-Host")))
	if !plainHost(host) || p.in(2) {
		m.setOption("authorizedParties", one(p.Rand, p.options["authorizedParties"]))
		return
	}
	list := []string{"https://" + host, "http://" + host}[:1+p.IntN(2)]
	if named, err := json.Marshal(list); err == nil {
		m.setOption("authorizedParties", named)
	}
}

// pairs gives session cookies of any kind, with what else of Clerk's a browser has.
func (p *parts) pairs(m *mixture) {
	own := "_" + m.suffix()
	for _, suffix := range []string{"", own} {
		if p.in(3) {
			continue
		}
		if !p.in(4) {
			m.setCookie("__session"+suffix, p.token())
		}
		p.besides(m, suffix)
	}
	if p.in(3) {
		m.setCookie("__refresh"+own, one(p.Rand, p.cookies["__refresh"+own]))
	}
}

// besides adds what may be sent with a session cookie.
func (p *parts) besides(m *mixture, suffix string) {
	if !p.in(4) {
		m.setCookie("__client_uat"+suffix, one(p.Rand, p.cookies["__client_uat"]))
	}
	if m.development() && !p.in(8) {
		m.setCookie("__clerk_db_jwt"+suffix, one(p.Rand, p.cookies["__clerk_db_jwt"]))
	}
}

// beside adds a valid session token under one name and any token under the other.
func (p *parts) beside(m *mixture) {
	suffixes := []string{"", "_" + m.suffix()}
	p.Shuffle(2, func(i, j int) { suffixes[i], suffixes[j] = suffixes[j], suffixes[i] })
	m.setCookie("__session"+suffixes[0], p.token("good", missingAZP))
	m.setCookie("__session"+suffixes[1], p.token())
	if p.in(8) {
		m.setCookie("__session"+suffixes[1], p.token())
	}
	for _, suffix := range suffixes {
		p.besides(m, suffix)
	}
}

// counter gives counters of redirects, odd ones and several among them.
func (p *parts) counter(m *mixture) {
	for range p.IntN(3) {
		m.setCookie("__clerk_redirect_count", one(p.Rand, p.cookies["__clerk_redirect_count"]))
	}
}

// answer gives the result of a handshake: a recorded one, or a nonce for a session token of these kinds.
func (p *parts) answer(m *mixture, kinds ...string) {
	name, value := "__clerk_handshake", one(p.Rand, p.signed)
	if len(kinds) > 0 || p.in(2) {
		name, value = "__clerk_handshake_nonce", "nonce_of_mixture_"+strconv.Itoa(p.IntN(100))
		m.Backend = append([]route{p.reply(value, kinds)}, m.Backend...)
	}
	if m.development() != p.in(8) {
		m.addParameter(name, value)
	} else {
		m.setCookie(name, value)
	}
	if p.in(12) {
		m.setCookie(name, value)
	}
}

// reply is the answer to a nonce.
func (p *parts) reply(nonce string, kinds []string) route {
	r := one(p.Rand, p.answers)
	if len(kinds) > 0 || p.in(2) {
		payload, err := json.Marshal(map[string][]string{"directives": {
			"__session=" + p.token(kinds...) + "; Path=/; Secure; SameSite=Lax",
			"__client_uat=" + one(p.Rand, p.cookies["__client_uat"]) + "; Path=/; Secure; SameSite=Lax",
		}})
		if err == nil {
			r.Responses = []response{{JSON: payload}}
		}
	}
	r.Method, r.Path, r.Query = "GET", "/v1/clients/handshake_payload", map[string]string{"nonce": nonce}
	return r
}

// satellite asks a primary to answer a satellite, or says how far a satellite's own sync is.
func (p *parts) satellite(m *mixture) {
	m.addParameter("__clerk_redirect_url", one(p.Rand, p.targets))
	if p.in(4) {
		m.addParameter("__clerk_synced", []string{"true", "false"}[p.IntN(2)])
	}
}

// forwarded gives forwarded headers: one, a list, or several.
func (p *parts) forwarded(m *mixture) {
	draw := func(name string, n int) (values []string) {
		for range n {
			values = append(values, one(p.Rand, p.headers[name]))
		}
		return values
	}
	m.setHeader("x-forwarded-host", draw("x-forwarded-host", 1+p.IntN(2))...)
	m.setHeader("x-forwarded-proto", draw("x-forwarded-proto", p.IntN(3))...)
	if p.in(4) {
		m.setHeader("host", draw("host", 1)...)
	}
}

// bearer gives a token in the Authorization header.
func (p *parts) bearer(m *mixture) {
	m.setHeader("authorization", one(p.Rand, p.headers["authorization"]))
}

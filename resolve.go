package clerkauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/jose"
)

// renewal is what a handshake or a refresh brought: cookies for the browser, and who they sign in.
type renewal struct {
	ok      bool
	reason  Reason // why its session token was refused; empty: it was not
	token   string // empty: the answer signs the browser out
	claims  *claims
	cookies []string // Set-Cookie values, fit to be passed on
	unasked error    // why nobody could say what a nonce stands for; nil: somebody could
}

// maxHandshake is the size of the largest handshake token, in bytes: it carries several cookies.
const maxHandshake = 16 << 10

var errNotHandshake = errors.New("not a handshake token of this instance")

// resolve reads the answer of a handshake. One that does not hold is remembered for a while, so that a link or a
// planted cookie costs the Backend API one question. In development, where answers come in the address, this browser
// must have been sent to fetch one.
func (a *Authenticator) resolve(ctx context.Context, e *evidence, now time.Time) {
	if !e.document || e.head || e.came.empty() {
		return
	}
	if !a.settings.live && !a.settings.sentOut(ctx, e, now) {
		e.unexpected = true
		return
	}
	e.resolved = true
	if nonce := e.came.nonce.only(); nonce != "" {
		e.answer = a.once("nonce "+nonce, now, func() renewal { return a.resolveNonce(ctx, nonce, &e.facts, now) })
	}
	nonce := e.answer
	if token := e.came.token.only(); token != "" && (e.came.nonce.only() == "" || nonce.unasked != nil) {
		e.answer = a.once("token "+token, now, func() renewal { return a.resolveToken(ctx, token, &e.facts, now) })
	}
	if !e.answer.ok {
		e.answer.unasked = nonce.unasked
	}
}

// sentOut reports whether this browser has been on a handshake.
func (s *settings) sentOut(ctx context.Context, e *evidence, now time.Time) bool {
	p, ok := s.newReturnPoint(ctx, e, now)
	return ok && len(p.entries) > 0
}

// once does not look at an answer again that did not hold. One that nobody could judge may still hold.
func (a *Authenticator) once(name string, now time.Time, look func() renewal) renewal {
	key := sha256.Sum256([]byte(name))
	if a.failed.has(key, now) {
		return renewal{}
	}
	result := look()
	if !result.ok && result.unasked == nil && result.reason != ReasonKeysUnavailable {
		a.failed.add(key, now)
	}
	return result
}

// resolveNonce asks the Backend API what a nonce stands for.
func (a *Authenticator) resolveNonce(ctx context.Context, nonce string, f *facts, now time.Time) renewal {
	if a.backend == nil || !wellFormedNonce(nonce) {
		return renewal{}
	}
	directives, err := a.backend.HandshakePayload(ctx, nonce)
	switch {
	case err == nil:
		return a.judgeDirectives(ctx, directives, CarrierHandshake, f, now)
	case backendapi.Unanswered(err):
		return renewal{unasked: err}
	}
	return renewal{}
}

// resolveToken verifies a handshake token, which needs no Backend API.
func (a *Authenticator) resolveToken(ctx context.Context, token string, f *facts, now time.Time) renewal {
	directives, reason, err := a.readHandshakeToken(ctx, token, now)
	if err != nil {
		return renewal{reason: reason}
	}
	return a.judgeDirectives(ctx, directives, CarrierHandshake, f, now)
}

// wellFormedNonce keeps a nonce from being anything else in the Backend API's address.
func wellFormedNonce(nonce string) bool {
	return len(nonce) >= 8 && len(nonce) <= 128 && strings.Trim(nonce, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// readHandshakeToken verifies a handshake token. It has a session token's category and is not one: a session
// whose claims an application fills in must not set cookies. The reason is that of its signature.
func (a *Authenticator) readHandshakeToken(ctx context.Context, raw string, now time.Time) ([]string, Reason, error) {
	read := parse(raw, maxHandshake)
	if read.reason != "" || read.claims.sid != "" {
		return nil, "", errNotHandshake
	}
	if _, reason := a.verifier.checkSignature(ctx, &read, now); reason != "" {
		return nil, reason, errNotHandshake
	}
	c, p := read.claims, &a.settings.policy
	switch {
	case c.iss != "" && !slices.Contains(p.issuers, c.iss),
		c.exp.state == malformed, c.nbf.state == malformed,
		p.past(c.exp, now), p.ahead(c.nbf, now):
		return nil, "", errNotHandshake
	}
	members, err := jose.Object(*c.payload)
	if err != nil {
		return nil, "", errNotHandshake
	}
	i := slices.IndexFunc(members, func(m jose.Member) bool { return m.Name == "handshake" })
	if i < 0 {
		return []string{}, "", nil
	}
	list, err := stringList(members[i].Raw)
	return list, "", err
}

func stringList(raw string) ([]string, error) {
	elements, ok := jose.Array(raw)
	if !ok {
		return nil, errNotHandshake
	}
	list := make([]string, 0, len(elements))
	for _, e := range elements {
		s, ok := jose.String(e)
		if !ok {
			return nil, errNotHandshake
		}
		list = append(list, s)
	}
	return list, nil
}

// judgeDirectives decides about Set-Cookie values from Clerk. They are passed on only if the session token among
// them passes every check; of several the last counts, as in a browser. Without one they sign out.
func (a *Authenticator) judgeDirectives(ctx context.Context, directives []string, k Carrier, f *facts, now time.Time) renewal {
	result := renewal{}
	for _, d := range directives {
		c, ok := parseDirective(d)
		if !ok {
			return renewal{}
		}
		if slices.Contains(a.settings.cookies.session[:], c.name) {
			result.token = c.value
		}
	}
	if len(directives) > maxDirectives {
		return renewal{}
	}
	if result.token != "" {
		read := a.verifier.read(result.token, now)
		reason := a.judgeParsed(ctx, &read, k, f, now)
		if k == CarrierHandshake && !a.settings.live {
			reason = a.forgiveClock(ctx, &read, reason, k, f, now)
		}
		if reason != "" {
			return renewal{reason: reason}
		}
		result.claims = read.claims
	}
	result.ok, result.cookies = true, a.settings.passOn(directives, result.token == "")
	return result
}

// maxDirectives is how many cookies one answer may set.
const maxDirectives = 64

// forgivenSkew is how far a development machine's clock may be off when it signs in.
const forgivenSkew = 24 * time.Hour

// forgiveClock judges a token again whose time is wrong: it has just been minted, so that the clock is wrong.
// Only in development.
func (a *Authenticator) forgiveClock(ctx context.Context, read *parsed, reason Reason, k Carrier, f *facts, now time.Time) Reason {
	switch reason {
	case ReasonTokenExpired, ReasonTokenNotActiveYet, ReasonTokenFromTheFuture:
	default:
		return reason
	}
	lenient := a.settings.policy
	lenient.skew = forgivenSkew
	if again := judge(ctx, read.claims, k, f, &lenient, now); again != "" {
		return reason
	}
	a.settings.log.Warn("clerkauth: this machine's clock is off; sessions will not last", "ahead_of_clerk", now.Sub(read.claims.iat.time()).String())
	return ""
}

// directive is one Set-Cookie value.
type directive struct{ name, value, attributes string }

// parseDirective refuses what is no cookie or cannot be a header value.
func parseDirective(d string) (directive, bool) {
	d = strings.TrimSpace(d)
	if strings.ContainsFunc(d, func(r rune) bool { return r < ' ' || r > '~' }) {
		return directive{}, false
	}
	pair, attributes, _ := strings.Cut(d, ";")
	name, value, ok := strings.Cut(pair, "=")
	return directive{name, strings.TrimSpace(value), attributes}, ok
}

// passOn is what of an answer reaches the browser: Clerk's own cookies by their exact names, never a session for
// the domain above, always Secure in production. An answer that signs out may do only that.
func (s *settings) passOn(directives []string, signOut bool) []string {
	var cookies []string
	for _, d := range directives {
		c, ok := parseDirective(d)
		if !ok || !s.cookies.clerks(c.name) {
			continue
		}
		deletes := c.value == ""
		browser := !s.live && slices.Contains(s.cookies.devBrowser[:], c.name) // who is there, not who is signed in
		if signOut && !deletes && !browser && (c.value != "0" || !slices.Contains(s.cookies.uat[:], c.name)) {
			continue
		}
		session := slices.Contains(s.cookies.session[:], c.name)
		cookies = append(cookies, c.name+"="+c.value+attributes(c.attributes, session && !deletes, s.live))
	}
	return cookies
}

// attributes are the attributes of a Set-Cookie value, each after a semicolon.
func attributes(list string, hostOnly, secure bool) string {
	var kept strings.Builder
	for attribute := range strings.SplitSeq(list, ";") {
		attribute = strings.TrimSpace(attribute)
		name, _, _ := strings.Cut(attribute, "=")
		switch {
		case attribute == "", hostOnly && strings.EqualFold(strings.TrimSpace(name), "Domain"):
			continue
		case strings.EqualFold(attribute, "Secure"):
			secure = false
		}
		kept.WriteString("; " + attribute)
	}
	if secure {
		kept.WriteString("; Secure")
	}
	return kept.String()
}

// clerks reports whether name is one that Clerk sets.
func (n *cookieNames) clerks(name string) bool {
	if name == "" {
		return false
	}
	return slices.Contains(n.session[:], name) || slices.Contains(n.uat[:], name) || slices.Contains(n.devBrowser[:], name) ||
		name == n.refresh || name == "__refresh" || name == cookieHandshake || name == cookieNonce
}

// clearHandshake are the Set-Cookie values that delete the cookies of a handshake, those that came or all: they have
// done their work or never will.
func (s *settings) clearHandshake(f *facts, all bool) []string {
	if !s.live {
		return nil
	}
	var cookies []string
	for _, c := range []struct {
		name string
		came bool
	}{{cookieHandshake, f.came.token.count > 0}, {cookieNonce, f.came.nonce.count > 0}} {
		if c.came || all {
			cookies = append(cookies, s.deletions(f, c.name)...)
		}
	}
	return cookies
}

// memory remembers hashes for a minute. The zero memory is empty and ready.
type memory struct {
	mu   sync.Mutex // guards seen
	seen map[[sha256.Size]byte]time.Time
}

const (
	memoryFor  = time.Minute
	memorySize = 1024
)

func (m *memory) has(key [sha256.Size]byte, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.seen[key]
	return ok && now.Sub(at) < memoryFor
}

// add remembers key. When there is no room, the past is forgotten first and then everything.
func (m *memory) add(key [sha256.Size]byte, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = make(map[[sha256.Size]byte]time.Time)
	}
	if len(m.seen) >= memorySize {
		for k, at := range m.seen {
			if now.Sub(at) >= memoryFor {
				delete(m.seen, k)
			}
		}
	}
	if len(m.seen) >= memorySize {
		clear(m.seen)
	}
	m.seen[key] = now
}

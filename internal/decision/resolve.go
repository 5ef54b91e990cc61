package decision

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// renewal is what a handshake or a refresh brought: cookies for the browser, and who they sign in.
type renewal struct {
	ok      bool
	reason  reasons.Reason // why its session token was refused; empty: it was not
	token   string         // empty: the answer signs the browser out
	claims  *sessiontoken.Claims
	cookies []string      // Set-Cookie values, fit to be passed on
	unasked error         // why the Backend API could not be asked what a nonce stands for; nil: it could, or need not be
	ahead   time.Duration // how far this machine's clock is ahead of its token, when it was refused for that

	oversize int // size of its session cookie, in bytes, where browsers keep none so large; else 0

	refused error // why an answer was refused, for logs; nil: it was not, or none was sent
}

// resolve reads the answer of a handshake. One that is refused is remembered for a while, so that a link or a
// planted cookie costs one request to the Backend API. In development, where answers arrive in the address, this browser
// must have been sent to fetch one.
func (d *Decider) resolve(ctx context.Context, e *Evidence, now time.Time) {
	if !e.Document || e.Head || e.Answer.Empty() {
		return
	}
	if !d.Live && !d.sentOut(ctx, e, now) {
		e.unexpected = true
		return
	}
	e.resolved = true
	if nonce := e.Answer.Nonce.Only(); nonce != "" {
		e.result = d.once("nonce "+nonce, now, func() renewal { return d.resolveNonce(ctx, nonce, &e.Request, now) })
	}
	nonce := e.result
	if token := e.Answer.Token.Only(); token != "" && (e.Answer.Nonce.Only() == "" || nonce.unasked != nil) {
		e.result = d.once("token "+token, now, func() renewal { return d.resolveToken(ctx, token, &e.Request, now) })
	}
	if !e.result.ok {
		e.result.unasked = nonce.unasked
	}
}

// sentOut reports whether this browser was sent to a handshake lately.
func (s *Settings) sentOut(ctx context.Context, e *Evidence, now time.Time) bool {
	p, _ := s.newReturnPoint(ctx, e, now)
	return len(p.entries) > 0
}

// once does not look again at an answer that was refused. One that could not be judged is looked at again.
func (d *Decider) once(name string, now time.Time, look func() renewal) renewal {
	key := sha256.Sum256([]byte(name))
	if d.failed.has(key, now) {
		return renewal{refused: errRefusedBefore}
	}
	result := look()
	if !result.ok && result.unasked == nil && result.reason != reasons.KeysUnavailable {
		d.failed.add(key, now)
	}
	return result
}

// resolveNonce asks the Backend API what a nonce stands for.
func (d *Decider) resolveNonce(ctx context.Context, nonce string, f *inbound.Request, now time.Time) renewal {
	switch {
	case d.backend == nil:
		return renewal{refused: errNoSecret}
	case !wellFormedNonce(nonce):
		return renewal{refused: errNonceForm}
	}
	directives, err := d.backend.HandshakePayload(ctx, nonce)
	switch {
	case err == nil:
		result := d.judgeDirectives(ctx, directives, FromHandshake, f, now, true)
		d.tellClock(result.ahead)
		return result
	case backendapi.Unanswered(err):
		return renewal{unasked: err}
	}
	return renewal{refused: err}
}

// resolveToken verifies a handshake token, which needs no Backend API.
func (d *Decider) resolveToken(ctx context.Context, token string, f *inbound.Request, now time.Time) renewal {
	claims, directives, reason, err := d.verifier.Handshake(ctx, token, now)
	if err == nil && !d.Policy.judgeHandshake(claims, now) {
		err = errHandshakeClaims
	}
	if err != nil {
		return renewal{reason: reason, refused: err}
	}
	result := d.judgeDirectives(ctx, directives, FromHandshake, f, now, false)
	d.tellClock(min(result.ahead, 0)) // one that has expired may be an old answer
	return result
}

// tellClock reports by ClockOff that a token which has just been issued was refused for its time.
func (d *Decider) tellClock(ahead time.Duration) {
	if ahead != 0 {
		d.ClockOff(ahead)
	}
}

// wellFormedNonce keeps a nonce from being anything else in the Backend API's address.
func wellFormedNonce(nonce string) bool {
	return len(nonce) >= 8 && len(nonce) <= 128 && strings.Trim(nonce, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// judgeHandshake judges the claims of a handshake token, which may lack all but an issuer.
func (p *Policy) judgeHandshake(c *sessiontoken.Claims, now time.Time) bool {
	return (c.Iss == "" || p.Issues(c.Iss)) &&
		c.Exp.State != sessiontoken.Malformed && c.Nbf.State != sessiontoken.Malformed &&
		!p.past(c.Exp, now) && !p.ahead(c.Nbf, now)
}

// judgeDirectives decides about Set-Cookie values from Clerk. They are passed on only if the session token among
// them passes every check; of several the last counts, as in a browser. Without one they sign out. fresh: Clerk has just
// made them; otherwise they may be an old answer.
func (d *Decider) judgeDirectives(ctx context.Context, directives []string, k TokenSource, f *inbound.Request, now time.Time, fresh bool) renewal {
	result := d.readDirectives(directives)
	if result.refused != nil {
		return result
	}
	if result.oversize > 0 {
		d.TooLarge(result.oversize, maxCookie)
	}
	if result.token != "" {
		if d.judgeAnswer(ctx, &result, k, f, now, fresh); result.reason != "" {
			return result
		}
	}
	result.ok, result.cookies = true, d.filterSetCookie(directives, result.token == "")
	return result
}

// readDirectives finds the session token among Set-Cookie values.
func (d *Decider) readDirectives(directives []string) renewal {
	result := renewal{}
	for _, line := range directives {
		c, ok := parseDirective(line)
		if !ok {
			return renewal{refused: errDirective}
		}
		if slices.Contains(d.Names.Session[:], c.name) {
			result.token = c.value
			if size := len(c.name) + len(c.value); size > maxCookie {
				result.oversize = size
			}
		}
	}
	if len(directives) > maxDirectives {
		return renewal{refused: errDirective}
	}
	return result
}

// judgeAnswer judges the session token of an answer, and leaves the claims in it, or why it is refused.
func (d *Decider) judgeAnswer(ctx context.Context, result *renewal, k TokenSource, f *inbound.Request, now time.Time, fresh bool) {
	read := d.verifier.Read(result.token, now)
	reason := d.judgeToken(ctx, &read, k, f, now)
	if k == FromHandshake && !d.Live {
		reason = d.forgiveClock(ctx, &read, reason, k, f, now, fresh)
	}
	if reason == "" {
		result.claims = read.Claims
		return
	}
	*result = renewal{reason: reason, refused: d.tokenDetail(reason, &read, now), oversize: result.oversize}
	if reason.Time() && read.Claims.Iat.State == sessiontoken.Present {
		result.ahead = now.Sub(read.Claims.Iat.Time())
	}
}

// maxDirectives is how many cookies one answer may set.
const maxDirectives = 64

// forgivenSkew is how far a development machine's clock may be off when it signs in.
const forgivenSkew = 24 * time.Hour

// forgiveClock, in development only, judges a token again whose time is wrong, if this machine's clock must be the cause: the
// token has just been issued, is from the future, or its time is right by Clerk's clock, as the last fetch of keys showed it.
// Otherwise it may be an old answer, which anybody can go back to.
func (d *Decider) forgiveClock(ctx context.Context, read *sessiontoken.Token, reason reasons.Reason, k TokenSource, f *inbound.Request, now time.Time, fresh bool) reasons.Reason {
	if !reason.Time() {
		return reason
	}
	at, lenient := now, d.Policy
	if fresh || reason != reasons.TokenExpired {
		lenient.Skew = forgivenSkew
	} else {
		ahead := d.verifier.Keys().Ahead()
		if ahead > forgivenSkew {
			return reason
		}
		at = now.Add(-ahead)
	}
	if again := lenient.judge(ctx, read.Claims, k, f, at); again != "" {
		return reason
	}
	d.forgiven.add(sha256.Sum256([]byte(read.Raw)), now)
	d.ClockOff(now.Sub(read.Claims.Iat.Time()))
	return ""
}

// directive is one Set-Cookie value.
type directive struct{ name, value, attributes string }

// parseDirective returns false for what is no cookie or cannot be a header value.
func parseDirective(d string) (directive, bool) {
	d = strings.TrimSpace(d)
	if strings.ContainsFunc(d, func(r rune) bool { return r < ' ' || r > '~' }) {
		return directive{}, false
	}
	pair, attributes, _ := strings.Cut(d, ";")
	name, value, ok := strings.Cut(pair, "=")
	return directive{name, strings.TrimSpace(value), attributes}, ok
}

// filterSetCookie is the part of an answer that is passed on to the browser: Clerk's own cookies by their exact names, session
// cookies never for a whole domain, and in production all of them Secure. An answer that signs out may do only that.
func (s *Settings) filterSetCookie(directives []string, signOut bool) []string {
	var cookies []string
	for _, d := range directives {
		c, ok := parseDirective(d)
		if !ok || !s.Names.Clerks(c.name) {
			continue
		}
		deletes := c.value == ""
		browser := !s.Live && slices.Contains(s.Names.DevBrowser[:], c.name) // it names the browser, not who is signed in
		if signOut && !deletes && !browser && (c.value != "0" || !slices.Contains(s.Names.UAT[:], c.name)) {
			continue
		}
		session := slices.Contains(s.Names.Session[:], c.name)
		cookies = append(cookies, c.name+"="+c.value+attributes(c.attributes, session && !deletes, s.Live))
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

// clearHandshake are the Set-Cookie values that delete the cookies of a handshake, those that were sent or all: they are used
// up, or useless.
func (s *Settings) clearHandshake(f *inbound.Request, all bool) []string {
	if !s.Live {
		return nil
	}
	var cookies []string
	for _, c := range []struct {
		name string
		sent bool
	}{{inbound.CookieHandshake, f.Answer.Token.Count > 0}, {inbound.CookieNonce, f.Answer.Nonce.Count > 0}} {
		if c.sent || all {
			cookies = append(cookies, s.deletions(f, c.name)...)
		}
	}
	return cookies
}

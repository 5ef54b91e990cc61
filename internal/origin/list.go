package origin

import "strings"

// List is a set of origins, and of patterns with one *. The zero List matches nothing. It is safe for concurrent use
// once it is filled.
type List struct {
	origins  []string          // those of few are compared one by one, which takes less time than a map does
	many     map[string]string // of many, to themselves; else nil
	patterns []pattern
}

// few is how many origins are compared one by one.
const few = 8

// pattern is an origin cut at its *.
type pattern struct{ before, after string }

// Add adds an origin of ParsePattern.
func (l *List) Add(o Origin) {
	s := o.String()
	if before, after, wild := strings.Cut(s, "*"); wild {
		l.patterns = append(l.patterns, pattern{before, after})
		return
	}
	if _, listed := l.find([]byte(s)); listed {
		return
	}
	l.origins = append(l.origins, s)
	if len(l.origins) <= few {
		return
	}
	l.many = make(map[string]string, len(l.origins))
	for _, s := range l.origins {
		l.many[s] = s
	}
}

// find returns an origin that is listed without a *, in the memory of the list.
func (l *List) find(text []byte) (string, bool) {
	if l.many != nil {
		s, listed := l.many[string(text)]
		return s, listed
	}
	for _, s := range l.origins {
		if s == string(text) {
			return s, true
		}
	}
	return "", false
}

// Len is how many entries it has.
func (l *List) Len() int { return len(l.origins) + len(l.patterns) }

// Match reports whether s, taken as it stands, is one of the set. A token or a browser names origins in normal form
// (RFC 6454 section 6.2), so another spelling does not match.
func (l *List) Match(s string) bool {
	_, listed := l.find([]byte(s))
	return listed || l.matchPattern(s)
}

func (l *List) matchPattern(s string) bool {
	for _, p := range l.patterns {
		if p.match(s) {
			return true
		}
	}
	return false
}

// match reports whether letters, digits and hyphens alone stand for the *: it is one label, or a part of one.
func (p pattern) match(s string) bool {
	if n := len(s) - len(p.before) - len(p.after); n <= 0 || n > maxLabel || !strings.HasPrefix(s, p.before) || !strings.HasSuffix(s, p.after) {
		return false
	}
	for _, c := range []byte(s[len(p.before) : len(s)-len(p.after)]) {
		if (c < 'a' || c > 'z') && !digit(c) && c != '-' {
			return false
		}
	}
	return true
}

// At is the origin of the set that received a request over scheme with host in its Host header. See the
// function At for what of host is put in normal form. Finding an origin that is listed without a * allocates nothing.
func (l *List) At(scheme, host string) (string, bool) {
	for _, s := range l.origins[:min(few, len(l.origins))] { // most hosts arrive in normal form
		if rest, ok := strings.CutPrefix(s, scheme); ok && strings.HasPrefix(rest, "://") && rest[len("://"):] == host {
			return s, true
		}
	}
	var room [maxOrigin]byte
	b := appendAt(room[:0], scheme, host)
	if s, listed := l.find(b); listed {
		return s, true
	}
	if len(l.patterns) == 0 {
		return "", false
	}
	s := string(b)
	return s, l.matchPattern(s)
}

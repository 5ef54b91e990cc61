package origin

import "strings"

// List is a set of origins, and of patterns with one *. The zero List matches nothing. It is safe for concurrent use once
// it is complete.
type List struct {
	origins  []string          // if they are few: comparing each is faster than a map
	many     map[string]string // if they are many, each with itself as value; else nil
	patterns []pattern
}

// few is the largest number of origins that are compared one by one.
const few = 8

// pattern is an origin split at its *.
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
	switch {
	case l.many != nil:
		l.many[s] = s
	case len(l.origins) > few:
		l.many = make(map[string]string)
		for _, s := range l.origins {
			l.many[s] = s
		}
	}
}

// find returns a listed origin without a *, without allocating.
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

// Len is the number of entries.
func (l *List) Len() int { return len(l.origins) + len(l.patterns) }

// Match reports whether s, unchanged, is in the list. Tokens and browsers write origins in normal form (RFC 6454 section
// 6.2), so other spellings do not match.
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

// match reports whether the * stands for letters, digits and hyphens only: for a label, or a part of one.
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

// At is the listed origin that received a request over scheme with host in its Host header. See the function At for how
// host is normalized. For a listed origin without a *, it does not allocate.
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

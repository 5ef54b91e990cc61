package inbound

import "github.com/clerkauth/clerkauth/internal/sessiontoken"

// SessionCookie is a session cookie. A sibling subdomain can plant more of the same name, so all of them are looked at.
type SessionCookie struct {
	Slot Slot
	Sent string // as it was sent
}

// Token is its value, decoded.
func (c SessionCookie) Token() string { return unescape(c.Sent) }

// maxSessionCookies is how many session cookies of a request are read.
const maxSessionCookies = 64

// addToken adds a session cookie. What cannot be a token is kept only if it is the first of its name: it explains why nobody
// is signed in, and must not take the place of others.
func (f *Request) addToken(s Slot, value string) {
	if value == "" {
		return
	}
	c := SessionCookie{s, value}
	switch {
	case f.named[s] && !sessiontoken.Plausible(c.Token()):
	case f.sessions.n == maxSessionCookies:
		f.Unread = true
	default:
		f.sessions.add(c)
		f.named[s] = true
	}
}

// SessionCookies are the session cookies, in the order they were sent.
func (f *Request) SessionCookies() []SessionCookie { return f.sessions.all() }

// list is a list that allocates only for more than two values, which few requests have.
type list[T any] struct {
	few  [2]T
	n    int
	many []T // all of them, when there are more
}

func (l *list[T]) add(v T) {
	switch {
	case l.n < len(l.few):
		l.few[l.n] = v
	case l.n == len(l.few):
		l.many = append(append(l.many, l.few[:]...), v)
	default:
		l.many = append(l.many, v)
	}
	l.n++
}

func (l *list[T]) all() []T {
	if l.many != nil {
		return l.many
	}
	return l.few[:l.n]
}

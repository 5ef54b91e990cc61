package inbound

import (
	"strconv"
	"strings"
)

// single is a cookie or parameter that counts only when exactly one was sent.
type single struct {
	Count int
	value string
}

func (v *single) add(value string) {
	v.Count++
	v.value = value
}

// Only is the value, or "" when none or several were sent: which one counts could not be told.
func (v *single) Only() string {
	if v.Count != 1 {
		return ""
	}
	return v.value
}

// Answer is what the Frontend API sent along when it sent the browser back.
type Answer struct{ Nonce, Token single }

// Empty reports whether nothing was sent that counts.
func (a *Answer) Empty() bool { return a.Nonce.Only() == "" && a.Token.Only() == "" }

// Any reports whether anything was sent, even what does not count.
func (a *Answer) Any() bool { return a.Nonce.Count+a.Token.Count > 0 }

// readDevelopmentAnswer reads a handshake's answer from the address. Only development instances send it there;
// in production anybody's link could sign a visitor in as somebody else.
func (f *Request) readDevelopmentAnswer() {
	for name, value := range pairs(f.Page.Query) {
		switch {
		case spells(name, CookieHandshake):
			f.Answer.Token.add(FormUnescape(value))
		case spells(name, CookieNonce):
			f.Answer.Nonce.add(FormUnescape(value))
		}
	}
}

// Parameters of the address that say something about this package's own handshakes.
const (
	ParamState = "__clerkauth_state"
	ParamSent  = "__clerkauth_sent"
)

// SentForToken ends the value of ParamSent where the page was sent out for a token, because nonces cannot be exchanged.
const SentForToken = "t"

// OwnParameters are the parameters of this package that were sent.
type OwnParameters struct {
	Any      bool   // at least one was sent
	State    string // "" where none or several were sent
	Sent     int64  // when this page was sent out, in Unix seconds; 0: it was not, or its address does not say so
	ForToken bool   // it was sent out for a token
}

// readOwnParameters reads them from the address of a document.
func (f *Request) readOwnParameters() {
	var state single
	for name, value := range pairs(f.Page.Query) {
		switch {
		case spells(name, ParamState):
			state.add(FormUnescape(value))
		case spells(name, ParamSent):
			var at string
			at, f.Own.ForToken = strings.CutSuffix(FormUnescape(value), SentForToken)
			f.Own.Sent, _ = strconv.ParseInt(at, 10, 64)
		default:
			continue
		}
		f.Own.Any = true
	}
	f.Own.State = state.Only()
}

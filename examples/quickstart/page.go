package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/clerkauth/clerkauth"
)

//go:embed assets
var assets embed.FS

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// view is the data of the page.
type view struct {
	Session *clerkauth.Session // nil: nobody is signed in
	Name    string
	Left    int              // seconds until the token expires
	Claims  string           // the payload, formatted
	Reason  clerkauth.Reason // why nobody is signed in

	Parties []string
	Waves   int64
	Trials  []trialView
	BuiltIn bool
	For     string // on whose behalf the lab sends

	SignIn, SignOut string // pages; empty: unknown
	ByScript        bool   // there is a page with Clerk's own script
}

type trialView struct {
	trial
	Can bool
}

func (a *app) page(w http.ResponseWriter, r *http.Request) {
	v := view{
		Parties: a.parties, Waves: a.waves.Load(), BuiltIn: a.clerk != nil, For: visitor(r).Name,
		SignIn: a.signInPage(r), SignOut: a.signOutPage(r), ByScript: a.modules != nil,
	}
	for _, t := range a.trials {
		v.Trials = append(v.Trials, trialView{t, a.can(t)})
	}
	if state, ok := clerkauth.StateFromContext(r.Context()); ok {
		v.show(state, a.clock.now())
	}
	var page bytes.Buffer
	if err := pageTemplate.Execute(&page, v); err != nil {
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "+
		"img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	_, _ = page.WriteTo(w)
}

func (v *view) show(state *clerkauth.RequestState, now time.Time) {
	if refusal, ok := errors.AsType[*clerkauth.Error](state.Err); ok {
		v.Reason = refusal.Reason
		return
	}
	v.Session, v.Name = state.Session, state.Session.UserID
	if p, ok := personOf(state.Session.UserID); ok && v.BuiltIn {
		v.Name = p.Name
	}
	v.Left = int(max(0, state.Session.ExpiresAt.Sub(now).Seconds()))
	v.Claims = pretty(state.Session)
}

// pretty is the payload of a session's token.
func pretty(s *clerkauth.Session) string {
	var payload json.RawMessage
	var out bytes.Buffer
	if s.Claims(&payload) != nil || json.Indent(&out, payload, "", "  ") != nil {
		return "They cannot be shown."
	}
	return out.String()
}

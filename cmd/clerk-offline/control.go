package main

import (
	_ "embed"
	"html/template"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/clerkauth/clerkauth/clerktest"
)

//go:embed control.html
var controlHTML string

var controlPage = template.Must(template.New("control").Parse(controlHTML))

// control is the page that turns faults on and off, ends sessions and creates API keys.
type control struct {
	clerk *clerktest.Instance
	mu    sync.Mutex
	kinds map[string]string // the fault of each group that has one
}

// newControl is the control page of an instance that has some faults already.
func newControl(clerk *clerktest.Instance, faults []fault) http.Handler {
	c := &control{clerk: clerk, kinds: map[string]string{}}
	for _, f := range faults {
		c.kinds[f.name] = f.kind
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.show)
	mux.HandleFunc("POST /fault", c.fault)
	mux.HandleFunc("POST /end", c.end)
	mux.HandleFunc("POST /api-key", c.createAPIKey)
	return local(mux)
}

// local accepts requests of people on this machine. A page of another site may neither post here nor, under a name that
// leads to this machine, read.
func local(next http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "this page is at 127.0.0.1 only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

type controlView struct {
	Groups   []controlGroup
	Sessions []*clerktest.BrowserSession
	APIKey   string // one that was just created: it is shown only once
}

type controlGroup struct {
	Name, Kind string
	Kinds      []string
	Endpoints  []clerktest.Endpoint
}

func (c *control) show(w http.ResponseWriter, _ *http.Request) { c.page(w, "") }

// createAPIKey creates an API key of a user or an organization.
func (c *control) createAPIKey(w http.ResponseWriter, r *http.Request) {
	claims := clerktest.MachineClaims{
		Name: "clerk-offline", Subject: strings.TrimSpace(r.PostFormValue("subject")), Scopes: strings.Fields(r.PostFormValue("scopes")),
	}
	if claims.Subject == "" {
		http.Error(w, "write to whom it belongs: a user_… or an org_…", http.StatusBadRequest)
		return
	}
	c.page(w, c.clerk.APIKey(claims))
}

func (c *control) page(w http.ResponseWriter, apiKey string) {
	view := controlView{Sessions: c.clerk.BrowserSessions(), APIKey: apiKey}
	c.mu.Lock()
	for _, g := range groups {
		group := controlGroup{Name: g.name, Kind: c.kinds[g.name], Endpoints: g.endpoints}
		if group.Kind == "" {
			group.Kind = kinds[0].name
		}
		listed := false
		for _, k := range kinds {
			group.Kinds = append(group.Kinds, k.name)
			listed = listed || k.name == group.Kind
		}
		if !listed {
			group.Kinds = append(group.Kinds, group.Kind)
		}
		view.Groups = append(view.Groups, group)
	}
	c.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	_ = controlPage.Execute(w, view) // the client may have gone away
}

func (c *control) fault(w http.ResponseWriter, r *http.Request) {
	f, err := newFault(r.PostFormValue("endpoint"), r.PostFormValue("fault"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f.put(c.clerk)
	c.kinds[f.name] = f.kind
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (c *control) end(w http.ResponseWriter, r *http.Request) {
	for _, s := range c.clerk.BrowserSessions() {
		if s.ID == r.PostFormValue("session") {
			s.SignOut()
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
	}
	http.Error(w, "there is no such session", http.StatusNotFound)
}

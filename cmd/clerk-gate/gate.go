package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth"
)

// decisionTime is the longest time for a decision. The shipped configurations wait a second longer, so that the gateway is
// told why nothing could be decided.
const decisionTime = 4 * time.Second

// gate is the whole service as one handler. It is safe for concurrent use.
type gate struct {
	auth       *clerkauth.Authenticator
	gateway    gateway
	trusted    []netip.Prefix
	preflights bool
	anyPath    bool
	logger     *slog.Logger
	metrics    *metrics
}

func newGate(o options, logger *slog.Logger) (*gate, error) {
	g := &gate{
		gateway: o.gateway, trusted: o.trusted, preflights: o.preflights, anyPath: o.anyPath,
		logger: logger, metrics: newMetrics(o.clerk.Now),
	}
	cfg := o.clerk
	cfg.Logger, cfg.Observe, cfg.ErrorHandler = logger, observe, refuse
	cfg.HTTPClient = g.metrics.watch(cfg.HTTPClient)
	var err error
	g.auth, err = clerkauth.New(cfg)
	return g, err
}

// warmUp loads the keys, so that the first request need not wait for them.
func (g *gate) warmUp(ctx context.Context) {
	if err := g.auth.Ready(ctx); err != nil && ctx.Err() == nil {
		g.logger.Warn("no keys yet: tokens cannot be verified", "error", detail(err))
	}
}

// ServeHTTP does not clean paths as http.ServeMux does: its redirects would be sent to the browser.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == "/auth", strings.HasPrefix(path, "/auth/"):
		g.serveAuth(w, r)
	case path == "/answer" && g.gateway.replay != nil:
		g.serveAnswer(w, r)
	case path == "/healthz":
		writeProblem(w, http.StatusOK, "", "")
	case path == "/readyz":
		g.serveReady(w, r)
	case path == "/metrics":
		g.metrics.handler.ServeHTTP(w, r)
	default:
		writeProblem(w, http.StatusNotFound, "not-found", "There is nothing here.")
	}
}

func (g *gate) serveReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), decisionTime)
	defer cancel()
	if g.auth.Ready(ctx) != nil {
		writeProblem(w, http.StatusServiceUnavailable, string(clerkauth.ReasonKeysUnavailable), "The keys of the Clerk instance could not be loaded.")
		return
	}
	writeProblem(w, http.StatusOK, "", "")
}

// serveAuth answers a gateway. Only the 204 of pass lets a request through.
func (g *gate) serveAuth(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	rec := &record{}
	ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), recordKey{}, rec), decisionTime)
	defer cancel()
	a := newAnswer()
	if p := g.decide(a, r.WithContext(ctx)); p != nil {
		rec.status, rec.reason, rec.err = "refused", p.code, p.cause
		a = newAnswer()
		writeProblem(a, p.status, p.code, p.message)
	}
	g.gateway.reply(w, a)
	g.metrics.count(rec, time.Since(begin))
	g.log(r, rec, a.status)
}

// problem is why clerk-gate itself refuses, before it checks a session.
type problem struct {
	status        int
	code, message string
	cause         error // for the log; nil: the code says it all
}

// decide writes the answer to a, or returns what is wrong with the request.
func (g *gate) decide(a *answer, r *http.Request) *problem {
	if !g.trusts(r.RemoteAddr) {
		return &problem{http.StatusForbidden, "peer-not-trusted", "Requests from this address are not allowed: it is not in -trusted.", nil}
	}
	guard, err := g.requirement(r.URL.RawQuery)
	if err != nil {
		return &problem{http.StatusInternalServerError, "requirement-invalid", "The gateway's configuration has a requirement that cannot be checked.", err}
	}
	recordOf(r.Context()).requirement = r.URL.RawQuery
	original, p := g.gateway.original(r)
	if p != nil {
		return p
	}
	if !g.anyPath && ambiguous(original.RequestURI) {
		return &problem{http.StatusBadRequest, "ambiguous-path", "The path can be read in more than one way.", nil}
	}
	if g.preflights && preflight(original) {
		recordOf(r.Context()).status = "preflight"
		pass(a, original)
		return nil
	}
	guard(http.HandlerFunc(pass)).ServeHTTP(a, original)
	return nil
}

// preflight reports whether r is a CORS preflight (https://fetch.spec.whatwg.org/#cors-preflight-fetch). Browsers send no
// credentials with one, so a request with credentials is not one. Nor do they send a header that names another method.
func preflight(r *http.Request) bool {
	for name := range r.Header {
		if name == "Authorization" || name == "Cookie" || strings.Contains(strings.ToLower(name), "method-override") || name == "X-Http-Method" {
			return false
		}
	}
	return r.Method == http.MethodOptions && len(r.Header["Origin"]) == 1 && len(r.Header["Access-Control-Request-Method"]) == 1
}

// log writes a line about a decision: at debug level, unless it needs attention.
func (g *gate) log(r *http.Request, rec *record, status int) {
	level := slog.LevelDebug
	switch {
	case status == http.StatusInternalServerError:
		level = slog.LevelError
	case status == http.StatusServiceUnavailable, rec.reason == "peer-not-trusted":
		level = slog.LevelWarn
	}
	if !g.logger.Enabled(r.Context(), level) {
		return
	}
	g.logger.Log(r.Context(), level, "decision", "answer", status, "status", rec.status, "reason", rec.reason,
		"source", rec.source, "requirement", rec.requirement, "peer", r.RemoteAddr, "detail", detail(rec.err))
}

// detail is an error and the one that it wraps, without a token, key or user.
func detail(err error) string {
	if err == nil {
		return ""
	}
	if inner := errors.Unwrap(err); inner != nil {
		return err.Error() + ": " + inner.Error()
	}
	return err.Error()
}

// writeProblem responds in the form of Clerk's errors; code "" means that there is no problem.
func writeProblem(w http.ResponseWriter, status int, code, message string) {
	type entry struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	var body struct {
		Errors []entry `json:"errors"`
	}
	body.Errors = []entry{}
	if code != "" {
		body.Errors = append(body.Errors, entry{code, message})
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone away: nothing to do
}

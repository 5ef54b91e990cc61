package threats_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// Marks are texts that identify a person or give access. An application full of marks serves
// requests on every path while everything fails in every way. Then all that operators and strangers
// see is searched for marks: the log at its lowest level, the default logger's, errors in every
// form, events, pprof's labels and the answers.

// These marks are no tokens. Each contains a word of its own.
const (
	markUser    = "user_2MarkOfThePerson"
	markSession = "sess_2MarkOfTheSession"
	markOrg     = "org_2MarkOfTheOrganization"
	markEmail   = "mark-of-the-address@secret.example"
	markRefresh = "rt_MarkOfTheRefreshToken"
	markNonce   = "nonce_MarkOfTheHandshake"
	markBrowser = "dvb_MarkOfTheBrowser"
	markClient  = "MarkOfTheClientCookie"
	markKey     = "ak_MarkOfTheMachineSecretKey0123456789"
	markState   = "MarkOfTheStateKey-0123456789-0123456789"
	markName    = "MarkOfTheMachineCredential"
)

// marked is an application full of marks, and what was seen of it.
type marked struct {
	*harness.App

	tb     *testing.T
	shown  harness.Log              // what operators see
	answer harness.Log              // what strangers see
	seen   sync.Map                 // which of the reasons were seen
	visits map[string]*http.Request // with marks in them
	tells  bool                     // the transport fails, and its errors contain the whole request
	keys   []string                 // no answer may contain these
	marks  []string                 // only cookies and addresses of an answer may contain these
}

func newMarked(t *testing.T, development bool) *marked {
	t.Helper()
	clerk := clerktest.New(t, clerktest.Options{Development: development, Now: harness.AtNoon, Origins: []string{harness.Origin}})
	m := &marked{tb: t}
	m.keys = append(harness.Pieces(clerk.SecretKey()[len("sk_live_"):]), markKey[3:], markState)
	m.marks = append([]string{markUser, markSession, markOrg, markEmail, markRefresh, markNonce, markBrowser, markClient, markName}, m.keys...)
	m.restart(clerk)
	set := harness.SetPartyCookie(m.AuthenticateRequest(m.Page(clerk.Token(clerktest.Claims{SessionID: "sess_2Another"}), "__clerk_db_jwt=dvb_another")))
	if set == nil {
		t.Fatal("an honest sign-in sets no party cookie, so that nothing is tested")
	}
	m.visits = m.newVisits(set.Name + "=" + set.Value)
	return m
}

// restart begins again without keys and with empty caches.
func (m *marked) restart(clerk *clerktest.Instance) {
	network := clerk.Config().HTTPClient.Transport
	m.App = harness.NewAppOf(m.tb, clerk, func(c *clerkauth.Config) {
		c.Logger, c.StateKey, c.MachineSecretKey, c.ProxyURL = m.shown.Logger(), []byte(markState), markKey, "https://example.com/__clerk"
		c.Issuers = []string{clerk.Issuer()}
		c.Observe = func(ctx context.Context, e clerkauth.Event) {
			m.labels(ctx)
			m.show(e, e.Err)
		}
		c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
			m.show(err, err)
			clerkauth.DefaultErrorHandler(w, r, err)
		}
		c.HTTPClient = &http.Client{Transport: harness.Transport(func(r *http.Request) (*http.Response, error) {
			m.labels(r.Context())
			if m.tells {
				return telling{}.RoundTrip(r)
			}
			return network.RoundTrip(r)
		})}
	})
}

// mint mints a marked token. Its payload and its signature become marks; its header does not
// identify anybody.
func (m *marked) mint(make func(clerktest.Claims) string, change func(*clerktest.Claims)) string {
	c := clerktest.Claims{Subject: markUser, SessionID: markSession, Organization: clerkauth.Organization{ID: markOrg, Slug: "mark", Role: "org:admin"}, Extra: map[string]any{"email": markEmail}}
	if change != nil {
		change(&c)
	}
	token := make(c)
	_, rest, _ := strings.Cut(token, ".")
	m.marks = append(m.marks, rest[40:60], token[len(token)-40:])
	return token
}

// show records what an operator may see of a value that is returned with an error.
func (m *marked) show(v any, err error) {
	_, _ = fmt.Fprintf(&m.shown, "%v %+v %#v %s\n", v, v, v, v)
	slog.New(slog.NewJSONHandler(&m.shown, nil)).Error("shown", "value", v, "error", err)
	if refusal, ok := errors.AsType[*clerkauth.Error](err); ok {
		m.seen.Store(refusal.Reason, true)
	}
	for ; err != nil; err = errors.Unwrap(err) {
		_, _ = fmt.Fprintf(&m.shown, "%v %+v %#v %q %s\n", err, err, err, err, err)
	}
}

// labels records the labels of profiles.
func (m *marked) labels(ctx context.Context) {
	pprof.ForLabels(ctx, func(key, value string) bool {
		_, _ = fmt.Fprintln(&m.shown, key, value)
		return true
	})
}

// send sends a request on every path, and records the answers.
func (m *marked) send(r *http.Request) {
	silent := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.labels(r.Context())
		_, _ = fmt.Fprintf(&m.shown, "%v %+v\n", r.Context(), r.Context())
	})
	for _, h := range []http.Handler{
		m.Optional(silent), m.Require(silent), m.Authorize(clerkauth.Role("org:nobody"))(silent),
		m.Accept(clerkauth.APIKeys("read"), clerkauth.M2MTokens(), clerkauth.OAuthTokens("x"), clerkauth.Sessions(clerkauth.Plan("x")))(silent),
	} {
		w := harness.Serve(h, r.Clone(r.Context()))
		where := w.Header()["Set-Cookie"]
		if location := w.Header().Get("Location"); location != "" {
			where = append(where, location)
		}
		for _, text := range where { // browsers get their own tokens there, but no key
			if secret, ok := harness.Leaks(text, m.keys); ok {
				m.tb.Errorf("%s %s answers with the key %q", r.Method, r.URL.Path, secret)
			}
		}
		w.Header().Del("Set-Cookie")
		w.Header().Del("Location")
		_, _ = fmt.Fprintln(&m.answer, w.Code, w.Header(), w.Body)
	}
	w := harness.Serve(m.FrontendAPIProxy(), r.Clone(r.Context())) // passes Clerk's answer on
	if secret, ok := harness.Leaks(fmt.Sprint(w.Header(), w.Body), m.keys); ok {
		m.tb.Errorf("the proxy answers with the key %q", secret)
	}
	s := m.AuthenticateRequest(r)
	m.show(s, s.Err)
}

// search fails for each mark that is visible.
func (m *marked) search() {
	m.tb.Helper()
	for where, text := range map[string]string{"what operators see": m.shown.String(), "the answers": m.answer.String()} {
		for _, mark := range m.marks {
			if i := strings.Index(text, mark); i >= 0 {
				m.tb.Errorf("%s: got %q, want none of it in %q", where, mark, text[max(0, i-300):min(len(text), i+100)])
			}
		}
	}
}

// newVisits returns requests of browsers and machines with marks in them. party is another
// session's party cookie.
func (m *marked) newVisits(party string) map[string]*http.Request {
	good, minute := m.mint(m.Clerk.Token, nil), harness.Noon.Add(-time.Hour)
	expired := m.mint(m.Clerk.Token, func(c *clerktest.Claims) { c.IssuedAt = minute })
	refresh := "__refresh_" + harness.Suffix(m.Clerk) + "=" + markRefresh
	more := "__clerk_db_jwt=" + markBrowser + "; __client=" + markClient
	answer := m.mint(m.Clerk.Token, func(c *clerktest.Claims) {
		c.RawPayload = handshakePayload(m.Clerk.Cookies(good))
	})
	visits := map[string]*http.Request{
		"nobody":                harness.Request("GET", harness.Origin+"/"),
		"signed in":             m.Page(good, more),
		"a write":               m.Script(good, more),
		"a refresh":             m.Script(expired, refresh, more),
		"an expired page":       m.Page(expired, more),
		"a nonce":               m.Returning("__clerk_handshake_nonce="+markNonce, more),
		"a handshake's answer":  m.Returning("__clerk_handshake="+answer, more),
		"another's cookie":      m.Page(good, party, more),
		"two sessions":          m.Page(good, "__session="+m.mint(m.Clerk.Token, func(c *clerktest.Claims) { c.SessionID = markSession + "2" })),
		"an address with marks": harness.Request("GET", harness.Origin+"/__clerk/v1/client/sessions/"+markSession+"/tokens?token="+markClient, harness.Headers("Cookie: __client="+markClient)),
	}
	visits["a write"].Method = http.MethodPost
	visits["a write"].Header.Set("Origin", blog)
	claims := clerktest.MachineClaims{Subject: markUser, Name: markEmail, ClientID: markName, Claims: map[string]any{"email": markEmail}}
	for i, credential := range []string{m.Clerk.APIKey(claims), m.Clerk.M2M(claims), m.Clerk.OAuth(claims), "ak_" + markName, "oat_" + markName, "mt_" + markName, m.Clerk.M2MJWT(claims), m.Clerk.OAuthJWT(claims)} {
		m.marks = append(m.marks, credential[len(credential)-12:])
		visits[fmt.Sprint("credential ", i)] = harness.Request("GET", harness.Origin+"/", harness.WithBearer(credential))
	}
	for what, change := range map[string]func(*clerktest.Claims){
		"another origin": func(c *clerktest.Claims) { c.AuthorizedParty = blog }, "another issuer": func(c *clerktest.Claims) { c.Issuer = "https://clerk.other.example" },
		"no azp": func(c *clerktest.Claims) { c.Extra["azp"] = clerktest.Absent }, "pending": func(c *clerktest.Claims) { c.Pending = true },
		"early": func(c *clerktest.Claims) { c.IssuedAt = harness.Noon.Add(time.Hour) }, "late": func(c *clerktest.Claims) { c.IssuedAt = minute },
		"an unknown key": func(c *clerktest.Claims) { c.Header = map[string]any{"kid": "ins_other"} }, "a template": func(c *clerktest.Claims) { c.Header = map[string]any{"cat": "cl_other"} },
		"no user": func(c *clerktest.Claims) { c.Extra["sub"] = 7 }, "odd organization": func(c *clerktest.Claims) { c.Extra["o"] = map[string]any{"id": markOrg, "rol": 7} },
	} {
		for how, make := range map[string]func(clerktest.Claims) string{"honest": m.Clerk.Token, "forged": m.Clerk.Forge} {
			visits[what+", "+how] = harness.Request("GET", harness.Origin+"/", harness.WithBearer(m.mint(make, change)))
			visits[what+", "+how+" cookie"] = m.Page(m.mint(make, change), more)
		}
	}
	return visits
}

// echo is a server that repeats all that it was sent.
func echo(status int) clerktest.Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q,"long_message":%q}]}`, r.URL.Path, fmt.Sprint(r.URL, r.Header), body) //nolint:gosec // a server of the test's own
		})
	}
}

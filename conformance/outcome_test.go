package conformance_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
)

// The statuses, in the reference's words.
const (
	signedIn  = "signed-in"
	signedOut = "signed-out"
	handshake = "handshake"
	refused   = "error" // New refused the options, or the reference threw
)

// An outcome is a decision, the reference's or this library's, in one form.
type outcome struct {
	Status   string
	Reason   string // an expired token's has the refresh appended, as Clerk joins them
	Location *location
	Cookies  []string
	Headers  map[string]string
	Token    string // only a token that this response sets
	Pending  bool   // verified, but signed out for those who do not ask for pending sessions
	Auth     *identity
	Calls    []call
}

// An identity is who is signed in.
type identity struct {
	UserID, SessionID               string
	Pending                         bool
	OrgID, OrgRole, OrgSlug         string
	OrgPermissions                  []string
	FirstFactorAge, SecondFactorAge int // minutes; -1 never
	ActorSubject, ActorSession      string
	Mistyped                        []string // members of the recorded object that do not fit in a Session
	Machine                         machineIdentity
}

// decide decides the case with a fresh Authenticator.
func (c *recorded) decide(t *testing.T, parties []string, change ...func(*clerkauth.Config)) outcome {
	t.Helper()
	api := &backend{}
	api.serve(c.Backend)
	cfg := c.config(t, api, parties)
	for _, f := range change {
		f(&cfg)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		return outcome{Status: refused}
	}
	if len(c.accepts()) > 0 {
		return c.askAccept(t, auth, cfg, api)
	}
	return c.ask(t, auth, api)
}

// ask puts the case's request to an Authenticator whose calls reach api.
func (c *recorded) ask(t *testing.T, auth *clerkauth.Authenticator, api *backend) outcome {
	t.Helper()
	req, err := c.Request.build(t)
	if err != nil {
		t.Fatalf("no server would accept this request and no skip says so: %v", err)
	}
	c.sendOut(req)
	state := auth.AuthenticateRequest(req)
	got := outcome{
		Status:  state.Status.String(),
		Headers: map[string]string{},
		Calls:   api.requests(),
	}
	got.takeHeader(state.Header)
	got.takeRefusal(t, req, state.Err)
	switch {
	case state.Session != nil:
		got.Auth = identify(state.Session)
	case state.Pending != nil:
		got.showPending(t, state.Pending)
	}
	if got.Status == signedIn && len(got.Cookies) > 0 {
		got.Token = state.Token()
	}
	return got
}

// showPending shows a pending session as the reference does: signed in, or signed out unless pending sessions are allowed.
func (o *outcome) showPending(t *testing.T, s *clerkauth.Session) {
	t.Helper()
	if o.Status != signedOut || o.Reason != "session-pending" || !s.Pending {
		t.Errorf("a pending session: got %s, reason %q, Pending %t, want %s, session-pending, true", o.Status, o.Reason, s.Pending, signedOut)
	}
	o.Status, o.Reason, o.Pending, o.Auth = signedIn, "", true, identify(s)
	for name, want := range map[string]string{statusHeader: signedOut, reasonHeader: "session-pending"} {
		if got := o.Headers[name]; got != want {
			t.Errorf("header %s of a pending session: got %q, want %q", name, got, want)
		}
		delete(o.Headers, name)
	}
}

// The headers that tell a refusal.
const (
	statusHeader = "x-clerk-auth-status"
	reasonHeader = "x-clerk-auth-reason"
)

// takeHeader sorts a response header into the outcome. What only this library has, such as its cookies, is omitted here and
// tested elsewhere.
func (o *outcome) takeHeader(header http.Header) {
	ours := false
	for _, cookie := range header.Values("Set-Cookie") {
		if strings.HasPrefix(strings.TrimPrefix(cookie, "__Host-"), "clerkauth_") || clearing(cookie) {
			ours = true
			continue
		}
		o.Cookies = append(o.Cookies, cookie)
	}
	for name, values := range header {
		switch name {
		case "Set-Cookie", "X-Clerk-Auth-Message":
		case "Location":
			o.Location = locate(header.Get(name))
		default:
			o.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	if ours && len(o.Cookies) == 0 && o.Location == nil {
		delete(o.Headers, "cache-control")
	}
}

// takeRefusal adds the reason, and the headers of a refusal: a state leaves them to the caller, and the default response is
// DefaultErrorHandler's. It appends the outcome of the refresh to an expired token's reason, as Clerk does.
func (o *outcome) takeRefusal(t *testing.T, req *http.Request, err error) {
	t.Helper()
	var refusal *clerkauth.Error
	if !errors.As(err, &refusal) {
		if err != nil {
			t.Fatalf("Err is a %T, want *clerkauth.Error", err)
		}
		return
	}
	w := httptest.NewRecorder()
	clerkauth.DefaultErrorHandler(w, req, refusal)
	for _, name := range []string{statusHeader, reasonHeader} {
		if o.Headers[name] == "" {
			o.Headers[name] = w.Header().Get(name)
		}
	}
	o.Reason = string(refusal.Reason)
	if joined := o.Headers[reasonHeader]; joined != o.Reason {
		refresh, ok := strings.CutPrefix(joined, expired+"-refresh-")
		detail := errors.Unwrap(refusal)
		if o.Reason != expired || !ok || detail == nil || !strings.Contains(detail.Error(), "not refreshed: "+refresh) {
			t.Errorf("X-Clerk-Auth-Reason says %q, the error %q with the detail %v, want them to agree", joined, o.Reason, detail)
		}
		o.Reason = joined
	}
}

// locate takes a Location apart as the recording does.
func locate(raw string) *location {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" {
		return &location{Raw: raw}
	}
	at := &location{
		Base:  u.Scheme + "://" + u.Host + u.EscapedPath(),
		Query: sortedPairs(u.Query()),
	}
	if u.Fragment != "" {
		at.Hash = "#" + u.EscapedFragment()
	}
	if u.User != nil {
		at.UserInfo = u.User.String()
	}
	return at
}

func identify(s *clerkauth.Session) *identity {
	permissions := s.Permissions()
	slices.Sort(permissions)
	return &identity{
		UserID: s.UserID, SessionID: s.ID, Pending: s.Pending,
		OrgID: s.Organization.ID, OrgRole: s.Organization.Role, OrgSlug: s.Organization.Slug,
		OrgPermissions:  permissions,
		FirstFactorAge:  minutes(s.IssuedAt, s.FirstFactorAt),
		SecondFactorAge: minutes(s.IssuedAt, s.SecondFactorAt),
		ActorSubject:    s.Actor.Subject, ActorSession: s.Actor.SessionID,
	}
}

// sentOut is the count of handshakes of a browser that has been on one, from some page.
const sentOut = "AAAAAAAAAAAA.1."

// sendOut gives a development browser that returns with a result the cookie from its redirect: other results are not
// accepted, see TestDevelopmentAnswersAreExpected. The recording has no such cookie.
func (c *recorded) sendOut(req *http.Request) {
	if c.wasSentOut() {
		value := sentOut + strconv.FormatInt(c.Now, 10)
		req.Header.Add("Cookie", "clerkauth_handshake="+value+"; __Host-clerkauth_handshake="+value)
	}
}

func (c *recorded) wasSentOut() bool { return c.development() && c.resultInAddress() }

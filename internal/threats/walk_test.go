package threats_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// The TestWalk… tests try the attacks that SECURITY.md describes, each in its shortest form. The
// other tests of this package try the variants. The table in SECURITY.md names all TestWalk… tests.

// blog is the sibling subdomain: it shares the registrable domain with the application and belongs
// to the attacker.
const blog = "https://old-blog.example.com"

// denied checks that a request signs nobody in, and why.
func denied(t *testing.T, what string, s *clerkauth.RequestState, want clerkauth.Reason) {
	t.Helper()
	if got := harness.Reason(t, s); got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// forBlog is the token that a signed-in victim's visit gave the sibling subdomain.
func (v *visitor) forBlog() string {
	c := v.claims(victim)
	c.AuthorizedParty = blog
	return v.Clerk.Token(c)
}

// A victim visits the sibling subdomain, which sends the token that it obtained to the application.
func TestWalkTokenOfTheSiblingSubdomain(t *testing.T) {
	v := newVisitor(t)
	party := v.PartyCookie(v.claims(attacker))
	stolen, silent := v.forBlog(), v.WithoutAZP(v.claims(victim))
	for what, r := range map[string]*http.Request{
		"as a bearer":                harness.Request("GET", "/", harness.WithBearer(stolen)),
		"as a cookie":                v.Script(stolen),
		"beside the thief's own":     v.Script(stolen, party),
		"with the victim's own host": v.Page(stolen),
		"from the sibling subdomain": harness.Request("GET", "/", harness.WithBearer(stolen), harness.Headers("Origin: "+blog)),
		"with that host":             harness.Request("GET", "/", harness.WithBearer(stolen), harness.Host("old-blog.example.com")),
	} {
		if s := v.AuthenticateRequest(r); s.Status == clerkauth.StatusSignedIn {
			t.Errorf("for another origin, %s: signed in, want refused", what)
		}
	}
	denied(t, "for another origin", v.AuthenticateRequest(harness.Request("GET", "/", harness.WithBearer(stolen))), clerkauth.ReasonTokenInvalidParties)
	denied(t, "for no origin, as a bearer", v.AuthenticateRequest(harness.Request("GET", "/", harness.WithBearer(silent))), clerkauth.ReasonTokenInvalidParties)
	denied(t, "for no origin, as a cookie", v.AuthenticateRequest(v.Script(silent)), clerkauth.ReasonTokenMissingAZP)
	denied(t, "for no origin, with the thief's party cookie", v.AuthenticateRequest(v.Script(silent, party)), clerkauth.ReasonTokenMissingAZP)
}

// The sibling subdomain plants its own honest session, so that the visitor works in the attacker's
// account.
func TestWalkLoginCSRFByCookie(t *testing.T) {
	v := newVisitor(t)
	party := v.PartyCookie(v.claims(victim))
	for kind, r := range v.requests(v.token(victim), planted(v.token(attacker)), party) {
		if got := who(t, v.AuthenticateRequest(r)); got != victim {
			t.Errorf("%s: got %s, want %s", kind, got, victim)
		}
	}
	s := v.AuthenticateRequest(v.Page(v.token(attacker), party))
	harness.WantState(t, s, clerkauth.StatusHandshake, clerkauth.ReasonSessionChanged)
	denied(t, "two sessions in a browser that was never here", v.AuthenticateRequest(v.Page(v.token(victim), planted(v.token(attacker)))), clerkauth.ReasonSessionTokenAmbiguous)
}

// A link contains the handshake result that signs the attacker in.
func TestWalkLoginCSRFByLink(t *testing.T) {
	for name, development := range map[string]bool{"production": false, "development": true} {
		clerk := clerktest.New(t, clerktest.Options{Development: development, Now: harness.AtNoon, Origins: []string{harness.Origin}})
		a := harness.NewAppOf(t, clerk)
		theirs := clerktest.Claims{Subject: attacker, SessionID: "sess_2attacker"}
		own := clerktest.Claims{Subject: victim, SessionID: "sess_2victim"}
		payload := handshakePayload(clerk.Cookies(clerk.Token(theirs)))
		a.AnswerNonces(harness.Directives(clerk.Token(theirs))...)
		for what, link := range map[string]string{
			"answer": "__clerk_handshake=" + clerk.Token(clerktest.Claims{RawPayload: payload}),
			"nonce":  "__clerk_handshake_nonce=" + harness.Nonce,
		} {
			r := a.Page(clerk.Token(own), a.PartyCookie(own), "__clerk_db_jwt=dvb_2victim")
			r.URL.RawQuery, r.RequestURI = link, "/page?"+link
			if s := a.AuthenticateRequest(r); s.Status == clerkauth.StatusSignedIn && s.Session.UserID != victim {
				t.Errorf("%s, %s in a link: signed in as %s, want the victim or nobody", name, what, s.Session.UserID)
			}
			r = a.Returning("")
			if r.URL.RawQuery, r.RequestURI = link, "/page?"+link; !development {
				denied(t, what+" in the first link ever", a.AuthenticateRequest(r), clerkauth.ReasonSessionTokenAndUATMissing)
			}
		}
	}
}

// The attacker plants a session, waits until the victim signs in, and checks whether it is now the
// victim's.
func TestWalkSessionFixation(t *testing.T) {
	v := newVisitor(t)
	fixed := v.token(attacker)
	v.PartyCookie(v.claims(victim))
	if got := who(t, v.AuthenticateRequest(v.Script(fixed))); got != attacker {
		t.Errorf("the planted session is %s's, want %s's", got, attacker)
	}
	v.Now = v.Now.Add(time.Hour)
	v.AnswerRefreshes(0, "__session="+v.token(victim)+"; Path=/") // even if Clerk confused the two
	for what, r := range map[string]*http.Request{
		"alone": v.Script(fixed), "with the planted refresh cookie": v.Script(fixed, v.RefreshCookie()),
	} {
		if got := who(t, v.AuthenticateRequest(r)); got == victim {
			t.Errorf("%s: the planted session became the victim's", what)
		}
	}
}

// A token obtained for one origin of the application's owner is sent with the headers of another.
func TestWalkStolenTokenWithAnotherOrigin(t *testing.T) {
	v := newVisitor(t, harness.ManyParties)
	for _, origin := range []string{"", harness.Origin, blog, "https://app.example.com", "https://customer.test", "null"} {
		for _, host := range []string{"example.com", "old-blog.example.com", "app.example.com", "customer.test"} {
			headers := harness.All(harness.With("Origin", origin), harness.With("Referer", origin+"/"), harness.With("X-Forwarded-Host", host))
			r := harness.Request("GET", "/", harness.WithBearer(v.forBlog()), headers, harness.Host(host))
			denied(t, "Origin "+origin+" at "+host, v.AuthenticateRequest(r), clerkauth.ReasonTokenInvalidParties)
		}
	}
}

// The sibling subdomain makes the victim's browser send writes, which carry the victim's cookies.
func TestWalkCSRFOfTheSiblingSubdomain(t *testing.T) {
	v := newVisitor(t)
	send := func(edits ...harness.Edit) *clerkauth.RequestState {
		return v.AuthenticateRequest(harness.Request("POST", harness.Origin+"/transfer", harness.All(edits...), v.WithCookies(v.token(victim))))
	}
	denied(t, "form", send(harness.Headers("Sec-Fetch-Site: same-site", "Origin: "+blog)), clerkauth.ReasonCrossOriginRequest)
	denied(t, "form of an old browser", send(harness.Headers("Origin: "+blog)), clerkauth.ReasonCrossOriginRequest)
	denied(t, "form without origin", send(harness.Headers("Sec-Fetch-Site: same-site", "Origin: null")), clerkauth.ReasonCrossOriginRequest)
	denied(t, "form through a service worker", send(harness.Headers("Sec-Fetch-Site: same-origin", "Origin: "+blog)), clerkauth.ReasonCrossOriginRequest)
	denied(t, "our own", send(harness.Headers("Sec-Fetch-Site: same-origin", "Origin: "+harness.Origin)), "")
}

// The sibling subdomain opens a WebSocket with the victim's cookies. Browsers do not prevent it
// from reading.
func TestWalkWebSocketOfTheSiblingSubdomain(t *testing.T) {
	v := newVisitor(t)
	upgrade := harness.Headers("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
	for from, want := range map[string]clerkauth.Reason{blog: clerkauth.ReasonCrossOriginRequest, "null": clerkauth.ReasonCrossOriginRequest, harness.Origin: ""} {
		r := harness.Request("GET", harness.Origin+"/socket", upgrade, harness.Headers("Origin: "+from), v.WithCookies(v.token(victim)))
		denied(t, "from "+from, v.AuthenticateRequest(r), want)
	}
}

// The sibling subdomain plants everything else that it can: deletions, garbage, forgeries and too
// many cookies. At worst the visitor is signed out, as SECURITY.md says.
func TestWalkPlantedCookies(t *testing.T) {
	v := newVisitor(t)
	party := v.PartyCookie(v.claims(victim))
	for _, plant := range []string{
		"__client_uat=0", "__session=", "__session=" + v.forBlog(), "__session=" + v.old(attacker), planted(repeat(5, v.forged)...),
		"__clerk_handshake=x", "__clerk_handshake_nonce=x; __client_uat=9999999999", harness.TriedName + "=9", "__clerk_redirect_count=3",
		strings.Repeat("a=b; ", 3000) + "c=d", v.RefreshCookie(), harness.PartyName + "AAAAAAAA=v2.9999999999.AAAA",
	} {
		for kind, r := range v.requests(v.token(victim), plant, party) {
			if s := v.AuthenticateRequest(r); s.Status == clerkauth.StatusSignedIn && s.Session.UserID != victim {
				t.Errorf("%.40s, %s: signed in as %s, want the victim or nobody", plant, kind, s.Session.UserID)
			}
		}
		r := v.Page("")
		r.Header["Cookie"] = []string{plant + "; " + party}
		if s := v.AuthenticateRequest(r); s.Status == clerkauth.StatusSignedIn {
			t.Errorf("%.40s beside a party cookie alone: signed in as %s, want nobody", plant, s.Session.UserID)
		}
	}
}

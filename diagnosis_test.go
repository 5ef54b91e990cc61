package clerkauth_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// hidden is the person who is refused in these tests. None of their IDs may be shown.
var hidden = clerktest.Claims{Subject: "user_2hiddenvictim0123", SessionID: "sess_2hiddenvictim0123"}

// diagnosis is a refused request, and the reason, detail and field that are reported for it.
type diagnosis struct {
	name    string
	options clerktest.Options
	jwtKey  bool
	config  func(*clerkauth.Config)
	fault   func(*clerktest.Instance)
	request func(a *harness.App) *http.Request
	reason  clerkauth.Reason
	says    []string
	field   string // of Config
}

// token is one of hidden's, with changes.
func tokenOf(a *harness.App, changes ...func(*clerktest.Claims)) string {
	c := hidden
	c.Extra, c.Header = map[string]any{}, map[string]any{}
	for _, change := range changes {
		change(&c)
	}
	return a.Clerk.Token(c)
}

func azp(value any) func(*clerktest.Claims) { return harness.Claim("azp", value) }

func expiresAt(at time.Time) func(*clerktest.Claims) {
	return func(c *clerktest.Claims) { c.ExpiresAt = at }
}

// byBearer and byCookie are requests of a script, asPage is a page load by cookie.
func byBearer(changes ...func(*clerktest.Claims)) func(*harness.App) *http.Request {
	return func(a *harness.App) *http.Request {
		return harness.Request("GET", harness.Origin+"/api", harness.WithBearer(tokenOf(a, changes...)))
	}
}

func byCookie(edits harness.Edit, changes ...func(*clerktest.Claims)) func(*harness.App) *http.Request {
	return func(a *harness.App) *http.Request {
		return harness.Request("GET", harness.Origin+"/api", a.WithCookies(tokenOf(a, changes...)), edits)
	}
}

func asPage(target string, edits harness.Edit, changes ...func(*clerktest.Claims)) func(*harness.App) *http.Request {
	return func(a *harness.App) *http.Request {
		return navigating(target, harness.Headers("Sec-Fetch-Site: none", "Cookie: __clerk_db_jwt=dvb_hiddenbrowser0123"), a.WithCookies(tokenOf(a, changes...)), edits)
	}
}

func plainly(target string, edits ...harness.Edit) func(*harness.App) *http.Request {
	return func(*harness.App) *http.Request { return harness.Request("GET", target, edits...) }
}

var diagnoses = []diagnosis{
	{name: "nothing", request: plainly(harness.Origin + "/"), reason: clerkauth.ReasonSessionTokenAndUATMissing, says: []string{"Authorization", "__session", "__session_"}},
	{name: "a session cookie alone", request: byCookie(func(r *http.Request) {
		r.Header.Set("Cookie", strings.ReplaceAll(r.Header.Get("Cookie"), "__client_uat", "x"))
	}), reason: clerkauth.ReasonSessionTokenWithoutUAT, says: []string{"__client_uat is missing"}},
	{name: "signed out by __client_uat", request: func(a *harness.App) *http.Request {
		return harness.Request("GET", harness.Origin+"/", harness.Headers("Cookie: __client_uat=0; __session="+tokenOf(a)))
	}, reason: clerkauth.ReasonSessionTokenWithoutUAT, says: []string{"says signed out"}},
	{name: "__client_uat alone", request: plainly(harness.Origin+"/", harness.Headers(fmt.Sprintf("Cookie: __client_uat=%d", harness.Noon.Add(-2*time.Hour).Unix()))), reason: clerkauth.ReasonUATWithoutSessionToken, says: []string{"2h0m0s ago", "4096 bytes"}},
	{name: "two headers", request: plainly(harness.Origin+"/", harness.With("Authorization", "Bearer a.b.c", "Bearer d.e.f")), reason: clerkauth.ReasonMultipleAuthorization, says: []string{"2 Authorization"}},
	{name: "two sessions", request: func(a *harness.App) *http.Request {
		other := tokenOf(a, func(c *clerktest.Claims) { c.SessionID = "sess_2hiddenother0123" })
		return harness.Request("GET", harness.Origin+"/", harness.Headers("Cookie: __client_uat=1; __session="+tokenOf(a)+"; __session="+other))
	}, reason: clerkauth.ReasonSessionTokenAmbiguous, says: []string{"2 session cookies"}},
	{name: "the answer signs out", options: clerktest.Options{Development: true}, request: func(a *harness.App) *http.Request {
		r := navigating(harness.Origin + "/?__clerk_handshake=" + a.Clerk.Token(clerktest.Claims{RawPayload: []byte(`{"handshake":["__client_uat=0; Path=/"]}`)}))
		return sentOut(a, r)
	}, reason: clerkauth.ReasonSessionTokenMissing, says: []string{"signed out"}},
	{name: "signed in again since", request: func(a *harness.App) *http.Request {
		return harness.Request("GET", harness.Origin+"/", harness.Headers(fmt.Sprintf("Cookie: __client_uat=%d; __session=%s", harness.Noon.Unix()+12, tokenOf(a))))
	}, reason: clerkauth.ReasonTokenBeforeUAT, says: []string{"12s before __client_uat"}},

	{name: "no JWT", request: plainly(harness.Origin+"/", harness.WithBearer("hiddengarbage0123")), reason: clerkauth.ReasonTokenInvalid, says: []string{"no dots"}},
	{name: "too long", request: plainly(harness.Origin+"/", harness.WithBearer(strings.Repeat("a.", 5000))), reason: clerkauth.ReasonTokenInvalid, says: []string{"10000 bytes"}},
	{name: "another header", request: byBearer(harness.HeaderMember("crit", []string{"exp"})), reason: clerkauth.ReasonTokenInvalid, says: []string{"crit"}},
	{name: "another typ", request: byBearer(harness.HeaderMember("typ", "JWS\n")), reason: clerkauth.ReasonTokenInvalid, says: []string{`typ is "JWS\n"`}},
	{name: "a machine's", request: plainly(harness.Origin+"/", harness.WithBearer("mt_hiddenmachine0123")), reason: clerkauth.ReasonTokenTypeMismatch, says: []string{"machine token"}},
	{name: "of a template", request: byBearer(harness.HeaderMember("cat", "cl_B7d4PD222AAA")), reason: clerkauth.ReasonTokenTypeMismatch, says: []string{"JWT template"}},
	{name: "an unknown kid", request: byBearer(harness.HeaderMember("kid", "ins_another")), reason: clerkauth.ReasonKeyUnknown, says: []string{`kid "ins_another"`}, field: "SecretKey"},
	{name: "an unknown kid, without a secret key", config: func(c *clerkauth.Config) { c.SecretKey = "" }, request: byBearer(harness.HeaderMember("kid", "ins_another")), reason: clerkauth.ReasonKeyUnknown, says: []string{`kid "ins_another"`}, field: "PublishableKey"},
	{name: "a long kid", request: byBearer(harness.HeaderMember("kid", strings.Repeat("k", 100))), reason: clerkauth.ReasonKeyUnknown, says: []string{`"` + strings.Repeat("k", 64) + `"…`}, field: "SecretKey"},
	{name: "no kid", request: byBearer(harness.HeaderMember("kid", clerktest.Absent)), reason: clerkauth.ReasonKeyUnknown, says: []string{"no kid"}},
	{name: "the keys are out of reach", fault: func(in *clerktest.Instance) { in.Fault(clerktest.BackendJWKS, clerktest.Status(503, nil)) }, request: byBearer(), reason: clerkauth.ReasonKeysUnavailable, says: []string{"/v1/jwks answered 503"}},
	{name: "the secret key is refused", fault: func(in *clerktest.Instance) { in.Fault(clerktest.BackendJWKS, clerktest.Status(401, nil)) }, request: byBearer(), reason: clerkauth.ReasonKeysUnavailable, says: []string{"/v1/jwks answered 401", "SecretKey", "CLERK_SECRET_KEY"}, field: "SecretKey"},
	{name: "another algorithm", request: byBearer(harness.HeaderMember("alg", "HS256")), reason: clerkauth.ReasonTokenAlgorithm, says: []string{`alg is "HS256"`, "RS256"}},
	{name: "a forgery", request: func(a *harness.App) *http.Request {
		return harness.Request("GET", harness.Origin+"/", harness.WithBearer(a.Clerk.Forge(hidden)))
	}, reason: clerkauth.ReasonTokenSignature, says: []string{"signature", "kid"}, field: "SecretKey"},
	{name: "a forgery, with a JWT key", jwtKey: true, request: func(a *harness.App) *http.Request {
		return harness.Request("GET", harness.Origin+"/", harness.WithBearer(a.Clerk.Forge(hidden)))
	}, reason: clerkauth.ReasonTokenSignature, says: []string{"signature"}, field: "JWTKey"},
	{name: "no sub", request: byBearer(harness.Claim("sub", clerktest.Absent)), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{"claim sub"}},
	{name: "no sid", request: byBearer(harness.Claim("sid", 7)), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{"claim sid"}},
	{name: "an nbf that is no number", request: byBearer(harness.Claim("nbf", "x")), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{"claim nbf"}},
	{name: "an iat that is no number", request: byBearer(harness.Claim("iat", "x")), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{"claim iat"}},
	{name: "no exp", request: byBearer(harness.Claim("exp", clerktest.Absent)), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{"claim exp"}},
	{name: "another audience", config: func(c *clerkauth.Config) { c.Audience = []string{"mine"} }, request: byBearer(harness.Claim("aud", "other")), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{"claim aud", "Audience"}, field: "Audience"},
	{name: "www", request: byBearer(azp("https://www.example.com")), reason: clerkauth.ReasonTokenInvalidParties, says: []string{`azp is "https://www.example.com"`, "AuthorizedParties (1 entry)"}, field: "AuthorizedParties"},
	{name: "http", request: byCookie(harness.All(), azp("http://example.com")), reason: clerkauth.ReasonTokenInvalidParties, says: []string{`azp is "http://example.com"`}, field: "AuthorizedParties"},
	{name: "a port", request: byBearer(azp("https://example.com:8443")), reason: clerkauth.ReasonTokenInvalidParties, says: []string{`azp is "https://example.com:8443"`}, field: "AuthorizedParties"},
	{name: "a bearer token without azp", request: byBearer(azp(clerktest.Absent)), reason: clerkauth.ReasonTokenInvalidParties, says: []string{"azp is missing", "InsecureAllowBearerWithoutParty"}, field: "InsecureAllowBearerWithoutParty"},
	{name: "an azp that is no text", request: byBearer(azp(7)), reason: clerkauth.ReasonTokenInvalidParties, says: []string{"azp is not a string"}, field: "AuthorizedParties"},
	{name: "a cookie without azp", request: byCookie(harness.All(), azp(clerktest.Absent)), reason: clerkauth.ReasonTokenMissingAZP, says: []string{"azp is missing", "party cookie"}},
	{name: "a cookie without azp, and without a key", config: func(c *clerkauth.Config) { c.SecretKey = "" }, request: byCookie(harness.All(), azp(clerktest.Absent)), reason: clerkauth.ReasonTokenMissingAZP, says: []string{"azp is missing", "StateKey"}, field: "StateKey"},
	{name: "another issuer", request: byBearer(harness.Claim("iss", "https://clerk.other.example")), reason: clerkauth.ReasonTokenIssuer, says: []string{`iss is "https://clerk.other.example"`, "must be", "clerk."}, field: "Issuers"},
	{name: "expired", request: byBearer(expiresAt(harness.Noon.Add(-45 * time.Second))), reason: clerkauth.ReasonTokenExpired, says: []string{"45s ago", "ClockSkew is 5s", "not refreshed: non-eligible-no-refresh-cookie"}, field: "ClockSkew"},
	{name: "expired, and the Backend API is down", fault: func(in *clerktest.Instance) { in.Fault(clerktest.BackendRefresh, clerktest.Status(503, nil)) }, request: byCookie(func(r *http.Request) {
		name, _, _ := strings.Cut(r.Header.Get("Cookie")[strings.Index(r.Header.Get("Cookie"), "__session_"):], "=")
		r.Header.Set("Cookie", r.Header.Get("Cookie")+"; "+strings.Replace(name, "__session", "__refresh", 1)+"=rt_hiddenrefresh0123")
	}, expiresAt(harness.Noon.Add(-45*time.Second))), reason: clerkauth.ReasonTokenExpired, says: []string{"45s ago", "not refreshed", "/v1/sessions/…/refresh answered 503"}, field: "ClockSkew"},
	{name: "not active yet", request: byBearer(harness.Claim("nbf", harness.At(8))), reason: clerkauth.ReasonTokenNotActiveYet, says: []string{"nbf is 8s ahead", "ClockSkew is 5s"}, field: "ClockSkew"},
	{name: "from the future", request: byBearer(harness.Claim("iat", harness.At(8))), reason: clerkauth.ReasonTokenFromTheFuture, says: []string{"iat is 8s ahead"}, field: "ClockSkew"},
	{name: "pending", request: byBearer(func(c *clerktest.Claims) { c.Pending = true }), reason: clerkauth.ReasonSessionPending, says: []string{"sts"}, field: "AllowPending"},

	{name: "a write of another origin", request: func(a *harness.App) *http.Request {
		return harness.Request("POST", harness.Origin+"/", a.WithCookies(tokenOf(a)), harness.Headers("Origin: https://evil.test", "Sec-Fetch-Site: cross-site"))
	}, reason: clerkauth.ReasonCrossOriginRequest, says: []string{`Origin is "https://evil.test"`, `"cross-site"`, "AuthorizedParties (1 entry)", "TrustedOrigins (0 entries)"}, field: "TrustedOrigins"},
	{name: "another host", request: asPage("https://www.example.com/", harness.All(), expiresAt(harness.Noon.Add(-time.Hour))), reason: clerkauth.ReasonRequestHostNotAuthorized, says: []string{`Host is "www.example.com"`, "AuthorizedParties (1 entry)"}, field: "AuthorizedParties"},
	{name: "the port of a server behind a proxy", request: asPage("https://example.com:8080/", harness.All(), expiresAt(harness.Noon.Add(-time.Hour))), reason: clerkauth.ReasonRequestHostNotAuthorized, says: []string{`"example.com:8080"`, "without the port"}, field: "AuthorizedParties"},
	{name: "a forwarded host that is not trusted", request: asPage("https://10.0.0.1/", harness.Headers("X-Forwarded-Host: example.com"), expiresAt(harness.Noon.Add(-time.Hour))), reason: clerkauth.ReasonRequestHostNotAuthorized, says: []string{"TrustForwardedHeaders"}, field: "TrustForwardedHeaders"},
	{name: "two forwarded hosts", config: trustForwarded, request: asPage(harness.Origin+"/", harness.With("X-Forwarded-Host", "example.com", "example.com"), expiresAt(harness.Noon.Add(-time.Hour))), reason: clerkauth.ReasonRequestHostNotAuthorized, says: []string{"X-Forwarded-Host", "several values"}, field: "AuthorizedParties"},
	{name: "a list of forwarded hosts", config: trustForwarded, request: asPage(harness.Origin+"/", harness.With("X-Forwarded-Host", "example.com, example.com"), expiresAt(harness.Noon.Add(-time.Hour))), reason: clerkauth.ReasonRequestHostNotAuthorized, says: []string{`"example.com, example.com"`, "a list"}, field: "AuthorizedParties"},
	{name: "another site before", request: asPage(harness.Origin+"/", harness.Headers("Referer: https://partner.test/hidden")), reason: clerkauth.ReasonCrossOriginSync, says: []string{`"https://partner.test"`}},
	{name: "another organization", config: organizationsInPaths, request: asPage(harness.Origin+"/orgs/red", harness.All()), reason: clerkauth.ReasonOrganizationMismatch, says: []string{"none is active"}, field: "OrganizationSync"},
	{name: "another session", request: func(a *harness.App) *http.Request {
		first := a.AuthenticateRequest(navigating(harness.Origin+"/", harness.Headers("Sec-Fetch-Site: none"), a.WithCookies(tokenOf(a, func(c *clerktest.Claims) { c.SessionID = "sess_2hiddenother0123" }))))
		return navigating(harness.Origin+"/", harness.Headers("Sec-Fetch-Site: none", "Cookie: "+harness.SetPartyCookie(first).String()), a.WithCookies(tokenOf(a)))
	}, reason: clerkauth.ReasonSessionChanged, says: []string{"party cookie"}},
	{name: "the answer could not be had", fault: func(in *clerktest.Instance) { in.Fault(clerktest.BackendHandshake, clerktest.Status(429, nil)) }, request: func(a *harness.App) *http.Request {
		withNonce := harness.With("Cookie", "__client_uat=1; __clerk_handshake_nonce="+harness.Nonce)
		again := a.AuthenticateRequest(navigating(harness.Origin+"/", withNonce)) // a handshake that asks for a token: the return URL says so
		handshake, err := url.Parse(again.Header.Get("Location"))
		if err != nil {
			panic(err) // the test itself created it just now
		}
		return navigating(handshake.Query().Get("redirect_url"), withNonce)
	}, reason: clerkauth.ReasonHandshakeUnavailable, says: []string{"handshake_payload answered 429"}, field: "BackendAPIURL"},
	{name: "development, nothing", options: clerktest.Options{Development: true}, request: plainly(harness.Origin + "/"), reason: clerkauth.ReasonDevBrowserMissing, says: []string{"session token and the cookie __clerk_db_jwt"}},
	{name: "development, no browser", options: clerktest.Options{Development: true}, request: byCookie(withoutBrowser(harness.All())), reason: clerkauth.ReasonDevBrowserMissing, says: []string{"__clerk_db_jwt is missing"}},
	{name: "development, the browser in the address", options: clerktest.Options{Development: true}, request: plainly(harness.Origin + "/?__clerk_db_jwt=dvb_hiddenbrowser0123"), reason: clerkauth.ReasonDevBrowserSync, says: []string{"the URL has __clerk_db_jwt"}},
	{name: "development, an answer that was not asked for", options: clerktest.Options{Development: true}, request: asPage(harness.Origin+"/?__clerk_handshake_nonce="+harness.Nonce, harness.All()), reason: clerkauth.ReasonDevBrowserSync, says: []string{"started no handshake"}},
	{name: "a satellite asks", options: clerktest.Options{Origins: []string{satelliteOrigin}}, config: func(c *clerkauth.Config) {
		c.Satellite = &clerkauth.Satellite{Domain: "satellite.test", AutoSync: true}
	}, request: func(*harness.App) *http.Request { return navigating(satelliteHome) }, reason: clerkauth.ReasonSatelliteNeedsSync, says: []string{"satellite"}, field: "Satellite"},
	{name: "the primary domain answers", options: clerktest.Options{Development: true, Origins: []string{harness.Origin, satelliteOrigin}}, request: asPage(harness.Origin+"/?__clerk_redirect_url="+satelliteOrigin+"/hidden", harness.All()), reason: clerkauth.ReasonPrimaryRespondsToSync, says: []string{`"` + satelliteOrigin + `"`}},
}

func trustForwarded(c *clerkauth.Config) { c.TrustForwardedHeaders = true }

// sentOut gives a page load the cookies of a browser that has just been redirected from it to a
// handshake.
func sentOut(a *harness.App, r *http.Request) *http.Request {
	first := harness.Request("GET", harness.Origin+"/", harness.Headers("Accept: text/html", "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate", "Cookie: __client_uat=1"))
	for _, c := range a.AuthenticateRequest(first).Header["Set-Cookie"] {
		if strings.Contains(c, "clerkauth_handshake=") {
			r.Header.Add("Cookie", strings.SplitN(c, ";", 2)[0])
		}
	}
	return r
}

func (d *diagnosis) build(t *testing.T, log *harness.Log, changes ...func(*clerkauth.Config)) *harness.App {
	t.Helper()
	d.options.Now = func() time.Time { return harness.Noon }
	if d.options.Origins == nil {
		d.options.Origins = []string{harness.Origin}
	}
	clerk := clerktest.New(t, d.options)
	if d.fault != nil {
		d.fault(clerk)
	}
	all := []func(*clerkauth.Config){func(c *clerkauth.Config) { c.Logger = log.Logger() }}
	if d.jwtKey {
		all = append(all, func(c *clerkauth.Config) { c.JWTKey = clerk.JWTKey() })
	}
	if d.config != nil {
		all = append(all, d.config)
	}
	return harness.NewAppOf(t, clerk, append(all, changes...)...)
}

// Every refusal has a detail of one line, which says what was wrong. The event has the same detail.
func TestEveryRefusalHasADetail(t *testing.T) {
	seen := map[clerkauth.Reason]bool{clerkauth.ReasonCheckFailed: true} // see TestCheckHasADetail
	for _, d := range machineDiagnoses {
		seen[d.reason] = true // see TestEveryRefusalOfAMachineHasADetail
	}
	for _, d := range diagnoses {
		seen[d.reason] = true
		t.Run(d.name, func(t *testing.T) {
			a := d.build(t, &harness.Log{})
			r := d.request(a)
			a.Events()
			state := a.AuthenticateRequest(r)
			if got := harness.Reason(t, state); got != d.reason {
				t.Fatalf("got reason %q, %v; want %q", got, errors.Unwrap(state.Err), d.reason)
			}
			detail := errors.Unwrap(state.Err)
			if detail == nil {
				t.Fatal("the error has no detail, want one")
			}
			for _, want := range d.says {
				if !strings.Contains(detail.Error(), want) {
					t.Errorf("got the detail %q, want %q in it", detail, want)
				}
			}
			if strings.ContainsAny(detail.Error(), "\r\n") {
				t.Errorf("got the detail %q, want one line", detail)
			}
			events := a.Events()
			if len(events) != 1 || events[0].Err == nil || events[0].Err == state.Err || events[0].Err.Error() != state.Err.Error() || //nolint:errorlint // whether it is the same one
				errors.Unwrap(events[0].Err).Error() != detail.Error() {
				t.Errorf("got events %+v, want one with an error of its own that says the same", events)
			}
		})
	}
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`Reason\w+ +Reason = "([^"]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(declared) < 25 {
		t.Errorf("found only %d reasons in errors.go, want 25 at least", len(declared))
	}
	for _, reason := range declared {
		if !seen[clerkauth.Reason(reason[1])] {
			t.Errorf("no case has the reason %s", reason[1])
		}
	}
}

// An event of a request that is signed in has no error.
func TestEventWithoutError(t *testing.T) {
	a := harness.NewApp(t)
	a.AuthenticateRequest(harness.Request("GET", harness.Origin+"/", a.SignedIn()))
	if events := a.Events(); len(events) != 1 || events[0].Err != nil {
		t.Errorf("got events %+v, want one without an error", events)
	}
}

func TestCheckHasADetail(t *testing.T) {
	for active, organization := range map[string]clerkauth.Organization{"no organization is active": {}, "an organization is active": acme} {
		var got error
		a := harness.NewApp(t, func(c *clerkauth.Config) {
			c.ErrorHandler = func(_ http.ResponseWriter, _ *http.Request, err *clerkauth.Error) { got = err }
		})
		harness.Serve(a.Authorize(clerkauth.Permission("org:invoices:delete"))(harness.Greet), harness.Request("GET", harness.Origin+"/", harness.WithBearer(a.Clerk.Token(clerktest.Claims{Organization: organization}))))
		detail := fmt.Sprint(errors.Unwrap(got))
		if !strings.Contains(detail, "permission org:invoices:delete") || !strings.Contains(detail, active) {
			t.Errorf("detail %q, want the check and that %s", detail, active)
		}
	}
}

// One missing key is reported as one mistake, which names the field and the variable.
func TestOneMissingKeyIsOneMistake(t *testing.T) {
	parties := []string{harness.Origin}
	harness.Setenv(t, map[string]string{"CLERK_AUTHORIZED_PARTIES": harness.Origin, "CLERK_SIGN_IN_URL": "/sign-in"})
	for name, cfg := range map[string]clerkauth.Config{
		"only AuthorizedParties": {AuthorizedParties: parties},
		"a secret key alone":     {AuthorizedParties: parties, SecretKey: liveSecret},
		"a test key alone":       {AuthorizedParties: parties, SecretKey: testSecret},
		"a JWT key alone":        {AuthorizedParties: parties, JWTKey: clerktest.New(t, clerktest.Options{}).JWTKey()},
		"issuers alone":          {AuthorizedParties: parties, Issuers: []string{"https://clerk.example.com"}},
		"a proxy":                {AuthorizedParties: parties, ProxyURL: "/__clerk"},
		"the environment":        harness.ConfigFromEnv(t),
	} {
		_, err := clerkauth.New(cfg)
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "PublishableKey (CLERK_PUBLISHABLE_KEY)") {
			t.Errorf("%s: got %v, want one mistake", name, err)
		}
	}
}

// Every outcome of a refresh that this module can report is documented in the comment of the reasons.
func TestOutcomesOfARefreshAreDocumented(t *testing.T) {
	documented, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`errors\.New\("([a-z]+(?:-[a-z]+)+)"\)`)
	found := 0
	for _, source := range []string{"internal/decision/refresh.go", "internal/backendapi/errors.go"} {
		text, err := fs.ReadFile(os.DirFS("."), source)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range code.FindAllStringSubmatch(string(text), -1) {
			found++
			if !strings.Contains(string(documented), match[1]) {
				t.Errorf("%s of %s is not documented", match[1], source)
			}
		}
	}
	if found < 10 {
		t.Errorf("found only %d outcomes, want 10 at least", found)
	}
}

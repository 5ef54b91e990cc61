package clerkauth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// machineDiagnosis is a refusal by Accept of API keys and OAuth tokens with the scope read, and M2M
// tokens.
type machineDiagnosis struct {
	name       string
	fault      clerktest.Fault // of each of the endpoints that verify
	config     func(*clerkauth.Config)
	credential func(*clerktest.Instance) string
	reason     clerkauth.Reason
	says       []string
	field      string // of Config
}

// ofHidden is a credential whose holder must not be shown.
func ofHidden(c clerktest.MachineClaims) clerktest.MachineClaims {
	c.ID, c.ClientID = "ak_2hiddencredential", "client_2hidden"
	if c.Subject == "" {
		c.Subject = "user_2hiddenvictim0123"
	}
	return c
}

func hiddenKey(in *clerktest.Instance) string {
	return in.APIKey(ofHidden(clerktest.MachineClaims{Scopes: []string{"read", "hidden_scope"}}))
}

func hiddenJWT(c clerktest.MachineClaims) func(*clerktest.Instance) string {
	c = ofHidden(c)
	return func(in *clerktest.Instance) string { return in.OAuthJWT(c) }
}

func hiddenM2M(c clerktest.MachineClaims) func(*clerktest.Instance) string {
	c.Subject = "mch_2hiddensender0123"
	c = ofHidden(c)
	return func(in *clerktest.Instance) string { return in.M2MJWT(c) }
}

func extra(name string, value any) clerktest.MachineClaims {
	return clerktest.MachineClaims{Extra: map[string]any{name: value}}
}

func header(name string, value any) clerktest.MachineClaims {
	return clerktest.MachineClaims{Header: map[string]any{name: value}}
}

var machineDiagnoses = []machineDiagnosis{
	{name: "nothing", credential: func(*clerktest.Instance) string { return "" }, reason: clerkauth.ReasonCredentialMissing, says: []string{"from Authorization alone"}},
	{name: "a session token", credential: func(in *clerktest.Instance) string { return in.Token(hidden) }, reason: clerkauth.ReasonTokenTypeMismatch, says: []string{`"eyJh…" is not a machine credential`, "api_key or oauth_token or m2m_token"}},
	{name: "another characters", credential: func(*clerktest.Instance) string { return "ak_hidden.credential" }, reason: clerkauth.ReasonTokenInvalid, says: []string{`"ak_h…" is malformed`}},
	{name: "a short word", credential: func(*clerktest.Instance) string { return "hidden" }, reason: clerkauth.ReasonTokenTypeMismatch, says: []string{`"…" is not a machine credential`}},
	{name: "the secret key", credential: func(*clerktest.Instance) string { return "sk_live_hiddencredential" }, reason: clerkauth.ReasonTokenTypeMismatch, says: []string{`"sk_l…" is not a machine credential`}},
	{name: "made up", credential: func(*clerktest.Instance) string { return "ak_hiddencredential0123" }, reason: clerkauth.ReasonTokenInvalid, says: []string{"does not know the credential"}},
	{name: "revoked", credential: func(in *clerktest.Instance) string { key := hiddenKey(in); in.Revoke(key); return key }, reason: clerkauth.ReasonTokenInvalid, says: []string{"revoked"}},
	{name: "expired", credential: func(in *clerktest.Instance) string { key := hiddenKey(in); in.Expire(key); return key }, reason: clerkauth.ReasonTokenInvalid, says: []string{"expired"}},
	{name: "without the scope", credential: func(in *clerktest.Instance) string {
		return in.APIKey(ofHidden(clerktest.MachineClaims{Scopes: []string{"hidden_scope"}}))
	}, reason: clerkauth.ReasonInsufficientScope, says: []string{`the scope "read"`}},
	{name: "the Backend API is down", fault: clerktest.Down, credential: hiddenKey, reason: clerkauth.ReasonCredentialUnverifiable, says: []string{"/api_keys/verify", "connection reset"}, field: "BackendAPIURL"},
	{name: "the Backend API fails", fault: clerktest.Status(http.StatusBadGateway, nil), credential: hiddenKey, reason: clerkauth.ReasonCredentialUnverifiable, says: []string{"/api_keys/verify answered 502"}, field: "BackendAPIURL"},
	{name: "another server in place of the Backend API", fault: clerktest.Garbage, credential: hiddenKey, reason: clerkauth.ReasonCredentialUnverifiable, says: []string{"/api_keys/verify answered 200", "not a usable answer"}, field: "BackendAPIURL"},
	{name: "the secret key is refused", fault: clerktest.Status(http.StatusUnauthorized, nil), credential: hiddenKey, reason: clerkauth.ReasonSecretKeyInvalid, says: []string{"/api_keys/verify answered 401", "SecretKey (CLERK_SECRET_KEY)"}, field: "SecretKey"},
	{name: "the secret key may not", fault: clerktest.Status(http.StatusForbidden, nil), credential: hiddenKey, reason: clerkauth.ReasonSecretKeyInvalid, says: []string{"/api_keys/verify answered 403", "SecretKey (CLERK_SECRET_KEY)"}, field: "SecretKey"},
	{name: "the Backend API refuses the credential", fault: clerktest.Status(http.StatusBadRequest, nil), credential: hiddenKey, reason: clerkauth.ReasonTokenInvalid, says: []string{"refuses the credential"}},
	{name: "the Backend API says that it is gone", fault: clerktest.Status(http.StatusGone, nil), credential: hiddenKey, reason: clerkauth.ReasonTokenInvalid, says: []string{"does not know the credential"}},
	{
		name: "the machine's key is refused", fault: clerktest.Status(http.StatusUnauthorized, nil), config: func(c *clerkauth.Config) { c.MachineSecretKey = "ak_hiddenmachinekey" },
		credential: func(in *clerktest.Instance) string { return in.M2M(clerktest.MachineClaims{}) }, reason: clerkauth.ReasonSecretKeyInvalid,
		says: []string{"/m2m_tokens/verify answered 401", "MachineSecretKey (CLERK_MACHINE_SECRET_KEY)"}, field: "MachineSecretKey",
	},

	{name: "an unknown kid", credential: hiddenJWT(header("kid", "ins_another")), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{`kid "ins_another"`}, field: "SecretKey"},
	{name: "another algorithm", credential: hiddenJWT(header("alg", "HS256")), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{`alg is "HS256"`}},
	{name: "another category", credential: hiddenM2M(header("cat", "cl_B7d4PD111AAA")), reason: clerkauth.ReasonTokenInvalid, says: []string{"the claim cat"}},
	{name: "scopes of another form", credential: hiddenM2M(extra("scopes", 7)), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{"scopes"}},
	{name: "no sub", credential: hiddenJWT(extra("sub", clerktest.Absent)), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{"claim sub"}},
	{name: "another issuer", credential: hiddenJWT(extra("iss", "https://clerk.other.example")), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{`iss is "https://clerk.other.example"`}, field: "Issuers"},
	{name: "no exp", credential: hiddenJWT(extra("exp", clerktest.Absent)), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{"claim exp"}},
	{name: "a JWT that expired", credential: hiddenJWT(clerktest.MachineClaims{ExpiresAt: harness.Noon.Add(-45 * time.Second)}), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{"45s ago", "ClockSkew is 5s"}, field: "ClockSkew"},
	{name: "not active yet", credential: hiddenJWT(extra("nbf", harness.At(8))), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{"nbf is 8s ahead"}, field: "ClockSkew"},
	{name: "from the future", credential: hiddenJWT(extra("iat", harness.At(8))), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{"iat is 8s ahead"}, field: "ClockSkew"},
	{name: "an iat that is no number", credential: hiddenJWT(extra("iat", "x")), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{"iat"}},
	{name: "another audience", config: func(c *clerkauth.Config) { c.MachineAudience = []string{"mine"} }, credential: hiddenJWT(extra("aud", "other")), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{"claim aud", "1 in MachineAudience"}, field: "MachineAudience"},
	{name: "for another machine", credential: hiddenM2M(clerktest.MachineClaims{Scopes: []string{"mch_2hiddenother"}}), reason: clerkauth.ReasonTokenVerificationFailed, says: []string{"MachineID"}, field: "MachineID"},
}

// Every refusal of a machine has a detail of one line, which the event has too, and with test keys
// also the response. None of them shows anything of a credential or its holder.
func TestEveryRefusalOfAMachineHasADetail(t *testing.T) {
	for _, d := range machineDiagnoses {
		for _, development := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, test keys %t", d.name, development), func(t *testing.T) { d.try(t, development) })
		}
	}
}

func (d *machineDiagnosis) try(t *testing.T, development bool) {
	t.Helper()
	clerk := clerktest.New(t, clerktest.Options{Development: development, Origins: []string{harness.Origin}, Now: harness.AtNoon})
	for _, endpoint := range []clerktest.Endpoint{clerktest.BackendVerifyAPIKey, clerktest.BackendVerifyM2M, clerktest.BackendVerifyOAuth} {
		clerk.Fault(endpoint, d.fault)
	}
	var log harness.Log
	var refusal *clerkauth.Error
	a := harness.NewAppOf(t, clerk, func(c *clerkauth.Config) {
		c.Logger = log.Logger()
		c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
			refusal = err
			clerkauth.DefaultErrorHandler(w, r, err)
		}
		if d.config != nil {
			d.config(c)
		}
	})
	credential := d.credential(clerk)
	edit := harness.All()
	if credential != "" {
		edit = harness.WithBearer(credential)
	}
	h := a.Accept(clerkauth.APIKeys("read"), clerkauth.OAuthTokens(), clerkauth.M2MTokens())(harness.Greet)
	w := harness.Serve(h, harness.Request("GET", "https://any.example/api", edit))
	if refusal == nil || refusal.Reason != d.reason {
		t.Fatalf("got %d %s, want %s", w.Code, w.Body, d.reason)
	}
	detail := errors.Unwrap(refusal)
	if detail == nil || strings.ContainsAny(detail.Error(), "\r\n") {
		t.Fatalf("got the detail %v, want one line", detail)
	}
	for _, want := range d.says {
		if !strings.Contains(detail.Error(), want) {
			t.Errorf("got the detail %q, want %q in it", detail, want)
		}
	}
	events := a.Events()
	if len(events) != 1 || events[0].Err == nil || events[0].Err == error(refusal) || errors.Unwrap(events[0].Err) == nil || //nolint:errorlint // whether it is the same one
		errors.Unwrap(events[0].Err).Error() != detail.Error() || events[0].Reason != d.reason {
		t.Errorf("got events %+v, want one with an error of its own that says the same", events)
	}
	var answer struct {
		Errors []struct {
			Detail string
			Field  string `json:"config_field"`
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || len(answer.Errors) != 1 {
		t.Fatalf("got %s (%v), want one error in JSON", w.Body, err)
	}
	if got := answer.Errors[0]; development && (got.Detail != detail.Error() || got.Field != d.field) || !development && got.Detail+got.Field != "" {
		t.Errorf("got %+v for the detail %q and the field %q, want both only with test keys", got, detail, d.field)
	}
	everything := fmt.Sprintf("%v %+v %#v %v %+v %#v %+v %s", refusal, refusal, refusal, detail, detail, detail, w.Header(), w.Body) + log.String() + fmt.Sprintf("%+v", events)
	secrets := append(harness.Pieces(clerk.SecretKey()[8:]), "hidden")
	if len(credential) > 4 {
		secrets = append(secrets, harness.Pieces(credential[4:])...)
	}
	if secret, ok := harness.Leaks(everything, secrets); ok {
		t.Errorf("the secret %q is shown in\n%s", secret, everything)
	}
}

// Two Authorization headers are refused, by one decision with one event.
func TestTwoHeadersOfMachines(t *testing.T) {
	a := harness.NewApp(t)
	w := harness.Serve(a.Accept(clerkauth.APIKeys())(harness.Greet), harness.Request("GET", "/", harness.With("Authorization", "Bearer ak_a", "Bearer ak_b")))
	if w.Code != http.StatusBadRequest {
		t.Errorf("got %d %s, want 400", w.Code, w.Body)
	}
	if events := a.Events(); len(events) != 1 || events[0].Reason != clerkauth.ReasonMultipleAuthorization || fmt.Sprint(errors.Unwrap(events[0].Err)) != "2 Authorization headers in the request; send one" {
		t.Errorf("got the events %+v, want one of %s with its detail", events, clerkauth.ReasonMultipleAuthorization)
	}
}

// A route for machines needs no listed host, and has no sign-in page.
func TestPageOfARouteForMachines(t *testing.T) {
	a := harness.NewApp(t, harness.SignIn)
	w := harness.Serve(a.Accept(clerkauth.APIKeys())(harness.Greet), navigating("https://any.example/", harness.Headers("Accept: text/html")))
	if w.Code != http.StatusUnauthorized || w.Header().Get("Location") != "" || !strings.Contains(w.Body.String(), "No machine credential was sent.") {
		t.Errorf("got %d %v %s, want 401 without a redirect: No machine credential was sent.", w.Code, w.Header(), w.Body)
	}
}

// The detail of a mismatch names the kind that was sent and those that are accepted.
func TestMismatchIsExplained(t *testing.T) {
	a := harness.NewApp(t)
	_, err := a.VerifyMachine(t.Context(), a.Clerk.M2M(clerktest.MachineClaims{}), clerkauth.APIKeys("a"), clerkauth.APIKeys("b"), clerkauth.OAuthTokens())
	const want = "the credential is of type m2m_token; accepted here: api_key or oauth_token"
	if detail := errors.Unwrap(err); harness.ReasonOf(t, err) != clerkauth.ReasonTokenTypeMismatch || fmt.Sprint(detail) != want {
		t.Errorf("got %v with %v, want %q", err, detail, want)
	}
	if events := a.Events(); len(events) != 1 || events[0].Type != clerkauth.M2MToken || events[0].TokenSource != clerkauth.TokenSourceBearer {
		t.Errorf("got events %+v, want one that names the credential's type", events)
	}
}

// repeating is a transport whose errors, of requests or of bodies, contain what was sent.
type repeating struct{ body bool }

func (t repeating) RoundTrip(r *http.Request) (*http.Response, error) {
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	failure := fmt.Errorf("%s was not sent", sent)
	if !t.body {
		return nil, failure
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(iotest.ErrReader(failure)), Request: r}, nil
}

// Errors of an application's own transport get into details and logs without the credential.
func TestTransportThatRepeatsACredential(t *testing.T) {
	const credential = "oat_hidden"
	for _, body := range []bool{false, true} {
		var log harness.Log
		a := harness.NewApp(t, func(c *clerkauth.Config) {
			c.Logger, c.HTTPClient = log.Logger(), &http.Client{Transport: repeating{body}}
		})
		_, err := a.VerifyMachine(t.Context(), credential, clerkauth.OAuthTokens())
		if harness.ReasonOf(t, err) != clerkauth.ReasonCredentialUnverifiable {
			t.Errorf("got %v, want %s", err, clerkauth.ReasonCredentialUnverifiable)
		}
		if said := fmt.Sprint(errors.Unwrap(err), log.String()); !strings.Contains(said, "was not sent") || strings.Contains(said, "hidden") {
			t.Errorf("body %t: got %s, want \"was not sent\" without the credential", body, said)
		}
	}
}

// While a failing server is not called, the detail is its last answer.
func TestDetailOfAPause(t *testing.T) {
	a := harness.NewApp(t)
	a.Clerk.Fault(clerktest.BackendVerifyAPIKey, clerktest.Status(http.StatusBadGateway, nil))
	for range 5 {
		_, err := a.VerifyMachine(t.Context(), hiddenKey(a.Clerk), clerkauth.APIKeys())
		if detail := fmt.Sprint(errors.Unwrap(err)); !strings.Contains(detail, "/api_keys/verify answered 502") {
			t.Errorf("got the detail %q, want the address and the status", detail)
		}
	}
}

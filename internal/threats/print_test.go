package threats_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// Secrets, tokens and cookies are never printed, by any verb, encoder or logger, alone or inside
// another value.

// samples have one value, full of secrets, of each exported type.
type samples struct {
	secrets []string
	values  map[string][]any
}

// newSamples makes them in a synctest bubble, which ends when every fetch of keys has: printing
// must not race with one.
func newSamples(t *testing.T) *samples {
	t.Helper()
	var s *samples
	synctest.Test(t, func(t *testing.T) { s = takeSamples(t) })
	return s
}

func takeSamples(t *testing.T) *samples {
	t.Helper()
	v := newRenewing(t)
	const email = "victim@secret.example"
	extra := map[string]any{"email": email}
	good, pending := v.Clerk.Token(clerktest.Claims{Extra: extra}), v.Clerk.Token(clerktest.Claims{Pending: true, Extra: extra})
	cfg := v.Clerk.Config()
	cfg.StateKey = []byte("a state key that nobody may ever see")
	cfg.MachineSecretKey = "ak_" + strings.Repeat("machinekey", 3)
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	apiKey, machines := v.Clerk.APIKey(clerktest.MachineClaims{Claims: extra}), []any{clerkauth.Machine{}}
	accepted := clerkauth.APIKeys("read")
	for _, credential := range []string{apiKey, v.Clerk.OAuthJWT(clerktest.MachineClaims{Claims: extra})} {
		m, err := auth.VerifyMachine(t.Context(), credential, clerkauth.APIKeys(), clerkauth.OAuthTokens())
		if err != nil {
			t.Fatal(err)
		}
		machines = append(machines, *m)
	}
	state := func(r *http.Request) *clerkauth.RequestState { return auth.AuthenticateRequest(r) }
	in := state(v.Script(good))
	refreshed := state(v.Script(v.Expired(clerktest.Claims{}), v.RefreshCookie()))
	sent := state(v.Page(v.Expired(clerktest.Claims{})))
	harness.WantState(t, in, clerkauth.StatusSignedIn, "")
	harness.WantState(t, refreshed, clerkauth.StatusSignedIn, "")
	harness.WantState(t, sent, clerkauth.StatusHandshake, clerkauth.ReasonTokenExpired)
	out := state(harness.Request("GET", "/", harness.WithBearer(good+"x")))
	refusal, ok := errors.AsType[*clerkauth.Error](sent.Err)
	if !ok {
		t.Fatal("the request is not refused, so that there is no *Error")
	}
	var ctx context.Context
	harness.Serve(auth.Optional(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ctx = r.Context() })), v.Script(v.Expired(clerktest.Claims{}), v.RefreshCookie()))
	s := &samples{values: map[string][]any{
		"Config":           {cfg, clerkauth.Config{}},
		"Authenticator":    {auth},
		"RequestState":     {*in, *refreshed, *sent, *out, *state(v.Script(pending)), clerkauth.RequestState{}},
		"Session":          {*in.Session, *state(v.Script(pending)).Pending},
		"Error":            {*refusal, clerkauth.Error{Reason: clerkauth.ReasonCheckFailed, Check: clerkauth.Role("org:admin")}},
		"Event":            {clerkauth.Event{Status: clerkauth.StatusSignedIn}},
		"Machine":          machines,
		"Credential":       {accepted, clerkauth.Credential{}},
		"TokenType":        {clerkauth.APIKey},
		"Check":            {clerkauth.AnyOf(clerkauth.Role("org:admin"))},
		"Organization":     {in.Session.Organization},
		"Actor":            {in.Session.Actor},
		"Satellite":        {clerkauth.Satellite{Domain: "satellite.example"}},
		"OrganizationSync": {clerkauth.OrganizationSync{OrganizationPatterns: []string{"/orgs/:slug"}}},
		"ErrorHandler":     {clerkauth.ErrorHandler(clerkauth.DefaultErrorHandler)},
		"TokenSource":      {clerkauth.TokenSourceCookie},
		"Reason":           {clerkauth.ReasonTokenExpired},
		"Reverification":   {clerkauth.ReverifyLax},
		"Factors":          {clerkauth.FirstFactor},
		"Status":           {clerkauth.StatusSignedIn},
		"context":          {ctx},
	}}
	for _, secret := range harness.Pieces(string(cfg.StateKey)) {
		for _, verb := range []string{"%d", "%o", "%b", "%c", "%q", "%U", "%#o", "%#x", "%#v"} {
			s.secrets = append(s.secrets, strings.Trim(fmt.Sprintf(verb, []byte(secret)), "[]"))
		}
		s.secrets = append(s.secrets, base64.StdEncoding.EncodeToString([]byte(secret)))
	}
	texts := []string{v.Clerk.SecretKey()[len("sk_live_"):], string(cfg.StateKey), cfg.MachineSecretKey, apiKey[len("ak_"):]}
	for _, raw := range []string{good, pending, v.fresh} {
		texts = append(texts, strings.Split(raw, ".")...)
	}
	for _, secret := range append(harness.Pieces(texts...), email) {
		s.secrets = append(s.secrets, secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprintf("% x", secret), fmt.Sprintf("% X", secret))
	}
	return s
}

// everyWay prints v in every way there is, and calls found with each output.
func everyWay(v any, found func(way, text string)) {
	t := reflect.TypeOf(v)
	slice := reflect.Append(reflect.MakeSlice(reflect.SliceOf(t), 0, 1), reflect.ValueOf(v))
	m := reflect.MakeMap(reflect.MapOf(reflect.TypeFor[string](), t))
	m.SetMapIndex(reflect.ValueOf("k"), reflect.ValueOf(v))
	field := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "Field", Type: t}})).Elem()
	field.Field(0).Set(reflect.ValueOf(v))
	forms := map[string]any{
		"": v, "slice": slice.Interface(), "map": m.Interface(), "struct": field.Interface(), "any": struct{ V any }{v}, "anys": []any{v},
		"error": fmt.Errorf("wrapped: %v, %+v", v, v),
	}
	for form, v := range forms {
		for verb := rune('A'); verb <= 'z'; verb++ {
			for _, flags := range []string{"", "+", "#", " ", "#+", "-30", "030", ".3"} {
				if verb >= '[' && verb <= '`' || verb == 'w' || verb == 'p' {
					continue // %w and %p call no method; go vet finds them
				}
				format := "%" + flags + string(verb)
				found(form+" "+format, fmt.Sprintf(format, v))
			}
		}
		found(form+" Println", fmt.Sprintln(v))
		for encoder, encode := range map[string]func(any) ([]byte, error){"json": json.Marshal, "xml": xml.Marshal} {
			text, err := encode(v)
			found(form+" "+encoder, fmt.Sprint(string(text), err))
		}
		var log bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
			slog.New(h).With("with", v).WithGroup("g").Info("m", "v", v, slog.Group("g", "v", v))
			slog.New(h).Info(fmt.Sprint(v), "v", slog.AnyValue(v))
		}
		found(form+" slog", log.String())
	}
}

func TestNothingPrintsASecret(t *testing.T) {
	harness.Long(t)
	s := newSamples(t)
	for name, values := range s.values {
		for _, v := range values {
			pointer := reflect.New(reflect.TypeOf(v))
			pointer.Elem().Set(reflect.ValueOf(v))
			for form, v := range map[string]any{"value": v, "pointer": pointer.Interface()} {
				seen := map[string]bool{}
				everyWay(v, func(way, text string) {
					if seen[text] {
						return
					}
					seen[text] = true
					if secret, ok := harness.Leaks(text, s.secrets); ok {
						t.Errorf("%s as a %s, %s, shows %q", name, form, way, secret)
					}
				})
			}
		}
	}
}

// If the search cannot find the secrets in the samples, the test shows nothing.
func TestSamplesHoldTheirSecrets(t *testing.T) {
	s := newSamples(t)
	cfg := s.values["Config"][0].(clerkauth.Config)
	state := s.values["RequestState"][1].(clerkauth.RequestState)
	for name, text := range map[string]string{
		"SecretKey": cfg.SecretKey, "StateKey": fmt.Sprintf("%d", cfg.StateKey), "StateKey in hex": fmt.Sprintf("%x", cfg.StateKey),
		"StateKey in base64": base64.StdEncoding.EncodeToString(cfg.StateKey), "Set-Cookie": fmt.Sprint(state.Header), "Token": state.Token(),
	} {
		if _, ok := harness.Leaks(text, s.secrets); !ok {
			t.Errorf("the search does not find the secrets of %s", name)
		}
	}
}

// Every exported type must have a sample.
func TestEveryExportedTypeIsPrinted(t *testing.T) {
	s := newSamples(t)
	sources, err := filepath.Glob("../../*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() {
				found++
				if len(s.values[spec.Name.Name]) == 0 {
					t.Errorf("there is no sample of the exported type %s", spec.Name.Name)
				}
			}
			return true
		})
	}
	if found != len(s.values)-1 {
		t.Errorf("%d exported types but %d samples", found, len(s.values)-1)
	}
}

func TestConfigPrintsWhatIsSet(t *testing.T) {
	cfg := clerkauth.Config{PublishableKey: "pk_live_x", SecretKey: "sk_live_x", AuthorizedParties: []string{"sk_live_y"}}
	const want = "clerkauth.Config{PublishableKey, SecretKey, AuthorizedParties}"
	says(t, cfg, want)
	says(t, &cfg, want)
	says(t, clerkauth.RequestState{Status: clerkauth.StatusSignedIn}, "signed-in")
	says(t, &clerkauth.RequestState{}, "signed-out")
}

// says checks how v logs itself.
func says(t *testing.T, v slog.LogValuer, want string) {
	t.Helper()
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Error(err)
	}
	for who, got := range map[string]string{
		"fmt": fmt.Sprintf("%+v", v), "slog": v.LogValue().String(), "json": strings.Trim(string(encoded), `"`),
	} {
		if got != want {
			t.Errorf("%s: got %s, want %s", who, got, want)
		}
	}
}

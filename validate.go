package clerkauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/decision"
	"github.com/clerkauth/clerkauth/internal/jwks"
	"github.com/clerkauth/clerkauth/internal/machine"
	"github.com/clerkauth/clerkauth/internal/origin"
	"github.com/clerkauth/clerkauth/internal/publishable"
	"github.com/clerkauth/clerkauth/internal/redact"
	"github.com/clerkauth/clerkauth/internal/transport"
	"github.com/clerkauth/clerkauth/internal/warnings"
)

// settings is a Config that New has understood. It never changes.
type settings struct {
	decision decision.Settings
	machine  machine.Settings
	frontend string // where the instance's keys are, with neither SecretKey nor JWTKey
	backend  string

	proxyUpstream  string            // where FrontendAPIProxy forwards to
	proxyTransport http.RoundTripper // by this; nil: by its own

	secretKey string
	jwtKey    *jwks.Set // nil: keys are fetched

	client         *http.Client
	keyMaxAge      time.Duration
	tokenCacheSize int
	warnings       *warnings.Log
	log            *slog.Logger
	observe        func(context.Context, Event)
	errorHandler   ErrorHandler
	now            func() time.Time
}

const (
	defaultSkew           = 5 * time.Second
	maxSkew               = time.Minute
	defaultKeyMaxAge      = 24 * time.Hour
	defaultTokenCacheSize = 1 << 16
	defaultBackend        = "https://api.clerk.com"
)

// validate turns a Config into settings and reports every mistake in it.
func validate(c Config) (*settings, error) {
	c.PublishableKey, c.SecretKey, c.JWTKey = trim(c.PublishableKey), trim(c.SecretKey), trim(c.JWTKey)
	s := &settings{
		decision:  decision.Settings{AllowPending: c.AllowPending, SkipOriginCheck: c.InsecureSkipOriginCheck, Secret: c.SecretKey != ""},
		secretKey: c.SecretKey, keyMaxAge: c.KeyMaxAge, log: c.Logger, errorHandler: c.ErrorHandler, now: c.Now, observe: c.Observe,
	}
	s.decision.Forwarded, s.decision.ClockOff, s.decision.TooLarge = c.TrustForwardedHeaders, s.warnOfClock, s.warnOfSize
	var problems []error
	note := func(errs ...error) { problems = append(problems, errs...) }

	key, errs := s.readKeys(c)
	note(errs...)
	note(s.readAddresses(c, key)...)
	note(s.readParties(c, key)...)
	note(s.readPolicy(c, key)...)
	note(s.readBrowser(c, key)...)
	note(s.readPlumbing(c)...)
	note(s.readMachines(c)...)
	if len(problems) == 0 {
		return s, nil
	}
	for i, err := range problems {
		problems[i] = errors.New(redact.Text(err.Error(), c.SecretKey, c.MachineSecretKey, string(c.StateKey)))
	}
	return nil, fmt.Errorf("clerkauth: %w", errors.Join(problems...))
}

// readKeys settles whether the instance is live. Nothing but a test key says that it is not.
func (s *settings) readKeys(c Config) (publishable.Key, []error) {
	var problems []error
	if c.PublishableKey == "" && (len(c.Issuers) == 0 || c.SecretKey == "" && c.JWTKey == "") {
		problems = append(problems, errors.New("PublishableKey (CLERK_PUBLISHABLE_KEY) is empty; set pk_… from Clerk's Dashboard, API keys (or else Issuers, and SecretKey or JWTKey)"))
	}
	var key publishable.Key
	if c.PublishableKey != "" {
		var err error
		if key, err = publishable.Parse(c.PublishableKey); err != nil {
			problems = append(problems, fmt.Errorf("PublishableKey: %q is malformed: %w", cut(c.PublishableKey), err))
		}
	}
	problems = append(problems, s.readSecret(c, key)...)
	if c.JWTKey != "" {
		var err error
		if s.jwtKey, err = jwks.ParsePEM(c.JWTKey); err != nil {
			problems = append(problems, fmt.Errorf("JWTKey: %q %w", cut(c.JWTKey), err))
		}
	}
	return key, problems
}

func (s *settings) readSecret(c Config, key publishable.Key) []error {
	var problems []error
	secretLive, secretTest := strings.HasPrefix(c.SecretKey, "sk_live_"), strings.HasPrefix(c.SecretKey, "sk_test_")
	if c.SecretKey != "" && (!secretLive && !secretTest || len(c.SecretKey) == len("sk_live_") || !token68(c.SecretKey)) {
		problems = append(problems, fmt.Errorf("SecretKey: %q is malformed; copy the whole key, sk_live_… or sk_test_…", cut(c.SecretKey)))
	}
	if key.Host != "" && (secretLive || secretTest) && key.Live != secretLive {
		problems = append(problems, fmt.Errorf("PublishableKey %q and SecretKey %q: one is a live key and one a test key; take both from the same instance", cut(c.PublishableKey), cut(c.SecretKey)))
	}
	s.decision.Live = key.Live || secretLive || key.Host == "" && !secretTest
	return problems
}

// token68 reports whether s can stand in an Authorization header as it is (RFC 9110 section 11.2).
func token68(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// cut is how much of a key may be shown.
func cut(key string) string { return key[:min(len(key), 8)] }

func (s *settings) readAddresses(c Config, key publishable.Key) []error {
	var problems []error
	address := func(field, value, fallback string) string {
		if value == "" {
			return fallback
		}
		u, err := url.Parse(value)
		switch {
		case err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(value, "#"):
			problems = append(problems, fmt.Errorf("%s: %q is not a plain absolute URL; write https, a host and at most a path", field, value))
		case u.Scheme != "https" && (u.Scheme != "http" || !origin.Loopback(u.Hostname())):
			problems = append(problems, fmt.Errorf("%s: %q is not https; only this machine may be spoken to without", field, value))
		}
		return strings.TrimRight(value, "/")
	}
	s.frontend = address("FrontendAPIURL", c.FrontendAPIURL, key.FrontendAPI)
	s.backend = address("BackendAPIURL", c.BackendAPIURL, defaultBackend)
	if s.proxyUpstream = s.frontend; c.FrontendAPIURL == "" && !origin.Loopback(origin.Hostname(key.Host)) {
		s.proxyUpstream = sharedFrontend
	}
	return append(problems, s.readSignIn(c)...)
}

// readSignIn takes an absolute URL, or a path of whichever of the origins a request came to.
func (s *settings) readSignIn(c Config) []error {
	u, err := url.Parse(c.SignInURL)
	switch {
	case c.SignInURL == "":
		return nil
	case err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(u.Path, "/") && cleanPath(u.Path):
	case err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http":
		return []error{fmt.Errorf("SignInURL: %q is neither an absolute http or https URL nor a path of this site; write one, such as \"https://accounts.example.com/sign-in\" or \"/sign-in\"", c.SignInURL)}
	case u.Scheme == "http" && s.decision.Live && !origin.Loopback(u.Hostname()):
		return []error{fmt.Errorf("SignInURL: %q is http on a host that is not this machine, with live keys; write https", c.SignInURL)}
	}
	s.decision.SignIn = u
	return nil
}

func (s *settings) readParties(c Config, key publishable.Key) []error {
	rules := partyRules{live: s.decision.Live}
	if u, err := url.Parse(key.FrontendAPI); err == nil {
		_, rules.root, _ = strings.Cut(u.Hostname(), ".")
	}
	list, problems := parseParties("AuthorizedParties", c.AuthorizedParties, rules)
	trusted, more := parseParties("TrustedOrigins", c.TrustedOrigins, rules)
	problems = append(problems, more...)
	listed := len(c.AuthorizedParties) > 0 || c.AllowParty != nil
	switch {
	case !listed && !c.InsecureAllowAnyParty:
		problems = append(problems, errors.New(`AuthorizedParties (CLERK_AUTHORIZED_PARTIES) is empty: any subdomain that can obtain a token could act as your users; list your own origins, such as "https://example.com" (or, knowing that, set InsecureAllowAnyParty)`))
	case listed && c.InsecureAllowAnyParty:
		problems = append(problems, errors.New("InsecureAllowAnyParty is set beside AuthorizedParties or AllowParty, which it would switch off; remove one of them"))
	}
	s.decision.Trusted = trusted
	p := &s.decision.Policy
	p.List, p.Allow, p.Any = list, c.AllowParty, c.InsecureAllowAnyParty
	p.BearerWithout = c.InsecureAllowBearerWithoutParty || c.InsecureAllowAnyParty
	p.CookieWithout = c.InsecureAllowCookieWithoutParty || c.InsecureAllowAnyParty
	return problems
}

func (s *settings) readPolicy(c Config, key publishable.Key) []error {
	var problems []error
	p := &s.decision.Policy
	p.Audience = slices.Clone(c.Audience)
	p.Issuers = slices.Clone(c.Issuers)
	if len(c.Issuers) == 0 {
		p.Issuers = []string{key.FrontendAPI}
	}
	if slices.Contains(c.Issuers, "") || slices.Contains(c.Audience, "") {
		problems = append(problems, errors.New("an entry of Issuers or Audience is empty, which would match a token without the claim; remove it"))
	}
	switch {
	case c.ClockSkew == 0:
		p.Skew = defaultSkew
	case c.ClockSkew > maxSkew:
		problems = append(problems, fmt.Errorf("ClockSkew: %q is more than a minute, as long as a token lives; mend the clock instead", c.ClockSkew))
	case c.ClockSkew > 0:
		p.Skew = c.ClockSkew
	}
	return problems
}

func (s *settings) readPlumbing(c Config) []error {
	var problems []error
	if s.tokenCacheSize = c.TokenCacheSize; c.TokenCacheSize == 0 {
		s.tokenCacheSize = defaultTokenCacheSize
	}
	if s.keyMaxAge == 0 {
		s.keyMaxAge = defaultKeyMaxAge
	}
	if s.keyMaxAge < jwks.FreshFor {
		problems = append(problems, fmt.Errorf("KeyMaxAge: %q is less than %q, how long keys count as fresh; leave it empty for 24 h", c.KeyMaxAge, jwks.FreshFor))
	}
	secret := c.StateKey
	if secret == nil {
		secret = []byte(c.SecretKey)
	} else if len(secret) < decision.MinStateKey {
		problems = append(problems, fmt.Errorf("StateKey has %d bytes; make at least %d random ones, the same on every replica", len(secret), decision.MinStateKey))
	}
	party, err := decision.NewPartyKey(secret)
	if err != nil {
		problems = append(problems, err)
	}
	s.decision.Policy.Party = party
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.errorHandler == nil {
		s.errorHandler = DefaultErrorHandler
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.warnings = warnings.New(s.log, time.Now) // not Config.Now: fetches warn on goroutines of their own
	s.client = transport.Client(c.HTTPClient)
	if c.HTTPClient != nil && c.HTTPClient.Transport != nil {
		s.proxyTransport = s.client.Transport
	}
	return problems
}

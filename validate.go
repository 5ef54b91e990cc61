package clerkauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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

// settings is a Config that New has checked. It never changes.
type settings struct {
	decision decision.Settings
	machine  machine.Settings
	frontend string // where the keys are fetched without SecretKey and JWTKey
	backend  string

	proxyUpstream  string            // where FrontendAPIProxy forwards requests
	proxyTransport http.RoundTripper // with which it does; nil: its own

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
	spoiled := tidy(&c)
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
	problems = slices.Concat(spoiled, unspoiled(spoiled, problems))
	if len(problems) == 0 {
		return s, nil
	}
	for i, err := range problems {
		problems[i] = errors.New(redact.Text(err.Error(), c.SecretKey, c.MachineSecretKey, string(c.StateKey)))
	}
	return nil, fmt.Errorf("clerkauth: %w", errors.Join(problems...))
}

// readKeys reads the keys. The instance counts as live unless a test key shows that it is not.
func (s *settings) readKeys(c Config) (publishable.Key, []error) {
	var problems []error
	if strings.HasPrefix(c.PublishableKey, "sk_") && strings.HasPrefix(c.SecretKey, "pk_") {
		c.PublishableKey, c.SecretKey = c.SecretKey, c.PublishableKey
		problems = append(problems, wrong("PublishableKey", " and %s are swapped: the first is %q and the second %q", called("SecretKey"), cut(c.SecretKey), cut(c.PublishableKey)))
	}
	if c.PublishableKey == "" && (len(c.Issuers) == 0 || c.SecretKey == "" && c.JWTKey == "") {
		problems = append(problems, wrong("PublishableKey", " is empty; set pk_… from Clerk's Dashboard, API keys (or else Issuers, and SecretKey or JWTKey)"))
	}
	var key publishable.Key
	if c.PublishableKey != "" {
		var err error
		if key, err = publishable.Parse(c.PublishableKey); err != nil {
			problems = append(problems, wrong("PublishableKey", ": %q %w; copy the whole publishable key from Clerk's Dashboard, API keys", cut(c.PublishableKey), err))
		}
	}
	problems = append(problems, s.readSecret(c, key)...)
	if c.JWTKey != "" {
		var err error
		if s.jwtKey, err = jwks.ParsePEM(c.JWTKey); err != nil {
			problems = append(problems, wrong("JWTKey", ": %q %w", cut(c.JWTKey), err))
		}
	}
	return key, problems
}

func (s *settings) readSecret(c Config, key publishable.Key) []error {
	var problems []error
	secretLive, secretTest := strings.HasPrefix(c.SecretKey, "sk_live_"), strings.HasPrefix(c.SecretKey, "sk_test_")
	if fault := notSecret(c.SecretKey); c.SecretKey != "" && fault != "" {
		problems = append(problems, wrong("SecretKey", ": %q %s; copy the whole secret key, sk_live_… or sk_test_…, from Clerk's Dashboard, API keys", cut(c.SecretKey), fault))
	}
	if key.Host != "" && (secretLive || secretTest) && key.Live != secretLive {
		problems = append(problems, wrong("PublishableKey", " %q and %s %q: one is a live key and one a test key; take both from the same instance", cut(c.PublishableKey), called("SecretKey"), cut(c.SecretKey)))
	}
	s.decision.Live = key.Live || secretLive || key.Host == "" && !secretTest
	if key.Host == "" && strings.Contains(c.PublishableKey, "pk_test_") {
		s.decision.Live = false // New fails anyway: report nothing that only live keys forbid
	}
	return problems
}

// notSecret is why a key cannot be an instance's secret key; empty: it can.
func notSecret(key string) string {
	rest, live := strings.CutPrefix(key, "sk_live_")
	if !live {
		rest, live = strings.CutPrefix(key, "sk_test_")
	}
	switch {
	case strings.HasPrefix(key, "pk_"):
		return "is a publishable key"
	case strings.HasPrefix(key, "ak_"):
		return "is the secret key of a machine, which belongs into " + called("MachineSecretKey")
	case !live:
		return "is no secret key"
	case rest == "" || strings.Contains(rest, "..."):
		return "is a beginning without the rest"
	}
	return ""
}

func (s *settings) readAddresses(c Config, key publishable.Key) []error {
	var problems []error
	address := func(field, value, fallback string) string {
		if value == "" {
			return fallback
		}
		u, err := url.Parse(value)
		switch {
		case err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(value, "#"):
			problems = append(problems, wrong(field, ": %q is not a plain absolute URL; write https, a host and at most a path, such as %s", value, proposal(value, `"https://example.com/path"`)))
		case u.Scheme != "https" && (u.Scheme != "http" || !origin.Loopback(u.Hostname())):
			problems = append(problems, wrong(field, ": %q is not https; only this machine may be spoken to without", value))
		case field == "BackendAPIURL" && strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/v1"):
			problems = append(problems, wrong(field, ": %q ends in /v1, which is added to it; leave that out", value))
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

// readSignIn accepts an absolute URL, or a path on the origin of each request.
func (s *settings) readSignIn(c Config) []error {
	u, err := url.Parse(c.SignInURL)
	switch {
	case c.SignInURL == "":
		return nil
	case err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(u.Path, "/") && cleanPath(u.Path):
	case err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http":
		return []error{wrong("SignInURL", ": %q is neither an absolute http or https URL nor a path of this site; write %s", c.SignInURL, proposal(c.SignInURL, `one, such as "https://accounts.example.com/sign-in" or "/sign-in"`))}
	case u.Scheme == "http" && s.decision.Live && !origin.Loopback(u.Hostname()):
		return []error{wrong("SignInURL", ": %q is http on a host that is not this machine, with live keys; write https", c.SignInURL)}
	}
	s.decision.SignIn = u
	return nil
}

func (s *settings) readParties(c Config, key publishable.Key) []error {
	rules := partyRules{live: s.decision.Live, unread: c.PublishableKey != "" && key.Host == ""}
	if u, err := url.Parse(key.FrontendAPI); err == nil {
		_, rules.root, _ = strings.Cut(u.Hostname(), ".")
	}
	list, problems := parseParties("AuthorizedParties", c.AuthorizedParties, rules)
	trusted, more := parseParties("TrustedOrigins", c.TrustedOrigins, rules)
	problems = append(problems, more...)
	listed := len(c.AuthorizedParties) > 0 || c.AllowParty != nil
	switch {
	case !listed && !c.InsecureAllowAnyParty:
		problems = append(problems, wrong("AuthorizedParties", ` is empty: any subdomain that can obtain a token could act as your users; list your own origins, such as "https://example.com" (or, knowing that, set InsecureAllowAnyParty)`))
	case listed && c.InsecureAllowAnyParty:
		problems = append(problems, wrong("InsecureAllowAnyParty", " is set beside AuthorizedParties or AllowParty, which it would switch off; remove one of them"))
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
	for i, issuer := range c.Issuers {
		if issuer != "" && !strings.Contains(issuer, "://") {
			problems = append(problems, wrong("Issuers["+strconv.Itoa(i)+"]", ": %q is no URL, and the claim iss is always one; write %s", issuer, proposal(issuer, `one, such as "https://clerk.example.com"`)))
		}
	}
	problems = append(problems, emptyEntries("Issuers", c.Issuers)...)
	problems = append(problems, emptyEntries("Audience", c.Audience)...)
	switch {
	case c.ClockSkew == 0:
		p.Skew = defaultSkew
	case c.ClockSkew > maxSkew:
		problems = append(problems, wrong("ClockSkew", ": %q is more than a minute, as long as a token lives; set the clock of this machine instead", c.ClockSkew))
	case withoutUnit("ClockSkew", c.ClockSkew) != nil:
		problems = append(problems, withoutUnit("ClockSkew", c.ClockSkew))
	case c.ClockSkew > 0:
		p.Skew = c.ClockSkew
	}
	return problems
}

func emptyEntries(field string, list []string) []error {
	i := slices.Index(list, "")
	if i < 0 {
		return nil
	}
	return []error{wrong(field+"["+strconv.Itoa(i)+"]", " is empty, which would match a token without the claim; remove it")}
}

func (s *settings) readPlumbing(c Config) []error {
	var problems []error
	if s.tokenCacheSize = c.TokenCacheSize; c.TokenCacheSize == 0 {
		s.tokenCacheSize = defaultTokenCacheSize
	}
	if s.keyMaxAge == 0 {
		s.keyMaxAge = defaultKeyMaxAge
	}
	if err := withoutUnit("KeyMaxAge", c.KeyMaxAge); err != nil {
		problems = append(problems, err)
	} else if s.keyMaxAge < jwks.FreshFor {
		problems = append(problems, wrong("KeyMaxAge", ": %q is less than %q, how long keys count as fresh; leave it empty for 24 h", c.KeyMaxAge, jwks.FreshFor))
	}
	secret := c.StateKey
	if secret == nil {
		secret = []byte(c.SecretKey)
	} else if len(secret) < decision.MinStateKey {
		problems = append(problems, wrong("StateKey", " has %d bytes; make at least %d random ones, the same on every replica", len(secret), decision.MinStateKey))
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
	s.warnings = warnings.New(s.log, time.Now) // not Config.Now: fetches warn on their own goroutines
	s.client = transport.Client(c.HTTPClient)
	if c.HTTPClient != nil && c.HTTPClient.Transport != nil {
		s.proxyTransport = s.client.Transport
	}
	return problems
}

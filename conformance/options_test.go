package conformance_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
)

// options are the reference's options, by their JavaScript names. Options with a wrong type on purpose keep it in the raw
// value.
type options map[string]json.RawMessage

// given reports whether an option was there and not null.
func (o options) given(name string) bool {
	return len(o[name]) > 0 && string(o[name]) != "null"
}

// text is a string option; false if it has another type.
func (o options) text(name string) (string, bool) {
	if !o.given(name) {
		return "", true
	}
	var s string
	return s, json.Unmarshal(o[name], &s) == nil
}

// texts is an option that may be a string or a list of strings. A list with
// something else in it, null included, has another type.
func (o options) texts(name string) ([]string, bool) {
	if !o.given(name) {
		return nil, true
	}
	if s, ok := o.text(name); ok {
		return []string{s}, true
	}
	return o.list(name)
}

// list is an option that is a list of strings.
func (o options) list(name string) ([]string, bool) {
	if !o.given(name) {
		return nil, true
	}
	var entries []*string
	if json.Unmarshal(o[name], &entries) != nil || slices.Contains(entries, nil) {
		return nil, false
	}
	values := make([]string, len(entries))
	for i, e := range entries {
		values[i] = *e
	}
	return values, true
}

// skew is clockSkewInMs, whose zero is our "none".
func (o options) skew() (time.Duration, bool) {
	if !o.given("clockSkewInMs") {
		return 0, true
	}
	var ms int64
	if json.Unmarshal(o["clockSkewInMs"], &ms) != nil || ms < 0 {
		return 0, false
	}
	if ms == 0 {
		return -1, true
	}
	return time.Duration(ms) * time.Millisecond, true
}

// config translates the case's options into a Config. It is called only for cases that are not skipped, so every option has
// a matching type.
func (c *recorded) config(tb testing.TB, transport http.RoundTripper, parties []string) clerkauth.Config {
	tb.Helper()
	text := func(name string) string {
		s, ok := c.Options.text(name)
		if !ok {
			tb.Fatalf("option %s is not a string and no skip says so", name)
		}
		return s
	}
	skew, ok := c.Options.skew()
	if !ok {
		tb.Fatal("clockSkewInMs cannot be said in our words and no skip says so")
	}
	cfg := clerkauth.Config{
		PublishableKey:        text("publishableKey"),
		SecretKey:             text("secretKey"),
		JWTKey:                text("jwtKey"),
		BackendAPIURL:         text("apiUrl"),
		AuthorizedParties:     parties,
		InsecureAllowAnyParty: len(parties) == 0,
		Audience:              meaningful(c.Options, "audience"),
		Issuers:               meaningful(c.Options, "issuer"),
		MachineSecretKey:      text("machineSecretKey"),
		MachineAudience:       meaningful(c.Options, "audience"),
		ClockSkew:             skew,
		TrustForwardedHeaders: true,
		HTTPClient:            &http.Client{Transport: transport},
		Now:                   func() time.Time { return time.Unix(c.Now, 0) },
		Logger:                silent,
		ProxyURL:              text("proxyUrl"),
		SignInURL:             text("signInUrl"),

		InsecureAllowAnyMachine: true, // as the reference, which asks for no machine
	}
	cfg.OrganizationSync.OrganizationPatterns, cfg.OrganizationSync.PersonalAccountPatterns = c.organizationPatterns()
	if c.satellite() {
		cfg.Satellite = &clerkauth.Satellite{Domain: text("domain"), AutoSync: c.Options.yes("satelliteAutoSync")}
	}
	return cfg
}

// yes is an option that is the boolean true.
func (o options) yes(name string) bool { return string(o[name]) == "true" }

// meaningful is a list without the empty entries the reference ignores.
func meaningful(o options, name string) []string {
	values, _ := o.texts(name)
	return slices.DeleteFunc(values, func(s string) bool { return s == "" })
}

// parties is the case's own allowlist, if it gave one.
func (c *recorded) parties() []string {
	values, _ := c.Options.list("authorizedParties")
	trimmed := slices.Clone(values)
	for i := range trimmed {
		trimmed[i] = strings.TrimSpace(trimmed[i])
	}
	return trimmed
}

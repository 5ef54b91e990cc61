package clerkauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/machine"
)

// TokenType is what a credential is, in Clerk's words.
type TokenType string

// The types.
const (
	SessionToken TokenType = "session_token"
	APIKey       TokenType = "api_key"
	M2MToken     TokenType = "m2m_token"
	OAuthToken   TokenType = "oauth_token" //nolint:gosec // G101: the name of a kind
)

var typeOf = map[machine.Kind]TokenType{machine.APIKey: APIKey, machine.M2M: M2MToken, machine.OAuth: OAuthToken}

// Machine is who a machine's credential says it is. Each request has its own copy. See
// https://clerk.com/docs/guides/development/machine-auth/overview.
type Machine struct {
	Type           TokenType
	ID             string // of the credential, as far as it has one; never the credential
	Subject        string // user_…, org_… or, for an M2M token, the machine that sends it, mch_…
	Name           string // of an API key
	ClientID       string // of the OAuth application
	UserID         string // Subject, if that is a user
	OrganizationID string // Subject, if that is an organization
	Scopes         []string
	CreatedAt      time.Time // zero: not said
	ExpiresAt      time.Time // zero: never
	claims         *machine.Claims
}

// Claims decodes the custom claims into v, as json.Unmarshal does; of a JWT, the whole payload. Without any, v is left as it
// is. A payload with names that differ only in case is refused, see Session.Claims.
func (m *Machine) Claims(v any) error {
	switch {
	case m == nil || m.claims == nil:
		return errNoMachineClaims
	case m.claims.Payload == nil:
		return nil
	case foldable(strings.TrimSpace(*m.claims.Payload)):
		return errAmbiguous
	}
	if err := json.Unmarshal([]byte(*m.claims.Payload), v); err != nil {
		return fmt.Errorf("clerkauth: claims: %w", err)
	}
	return nil
}

var errNoMachineClaims = errors.New("clerkauth: this machine was not made from a credential and has no claims")

func newMachine(c *machine.Claims) *Machine {
	m := &Machine{
		Type: typeOf[c.Kind], ID: c.ID, Subject: c.Subject, Name: c.Name, ClientID: c.ClientID, Scopes: slices.Clone(c.Scopes),
		CreatedAt: c.CreatedAt, ExpiresAt: c.ExpiresAt, claims: c,
	}
	switch {
	case strings.HasPrefix(c.Subject, "user_"):
		m.UserID = c.Subject
	case strings.HasPrefix(c.Subject, "org_"):
		m.OrganizationID = c.Subject
	}
	return m
}

type machineKey struct{}

// MachineFromContext returns the machine that Accept let in. It reports false when a person was let in, or Accept has not
// run. FromContext never finds a machine.
func MachineFromContext(ctx context.Context) (*Machine, bool) {
	m, _ := ctx.Value(machineKey{}).(*Machine)
	return m, m != nil
}

// withMachine returns ctx with m in it, and nobody signed in beside it. nil: neither.
func withMachine(ctx context.Context, m *Machine) context.Context {
	d := &boundState{}
	d.Err = refused(ReasonTokenTypeMismatch)
	return context.WithValue(d.in(ctx), machineKey{}, m)
}

// VerifyMachine judges a machine's bare credential (gRPC, queue) as Accept does. A non-nil error is always an *Error. It
// panics with a Credential that Accept panics with, and with Sessions: for those there is VerifyToken.
func (a *Authenticator) VerifyMachine(ctx context.Context, credential string, c Credential, more ...Credential) (*Machine, error) {
	accepted := a.accepted("VerifyMachine", c, more)
	if slices.ContainsFunc(accepted, Credential.sessions) {
		panic("clerkauth: VerifyMachine: Sessions are no machines; use VerifyToken")
	}
	begin := a.settings.now()
	read := a.machines.Read(credential, begin)
	m, err := a.verifyMachine(ctx, read, credential != "", accepted, begin)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// verifyMachine judges a credential that was read at begin. sent: there was one.
func (a *Authenticator) verifyMachine(ctx context.Context, read machine.Credential, sent bool, accepted []Credential, begin time.Time) (*Machine, *Error) {
	event := Event{Type: typeOf[read.Kind]}
	if sent {
		event.Carrier = CarrierBearer
	}
	m, err := (*Machine)(nil), (*Error)(nil)
	switch {
	case !sent:
		err = &Error{Reason: ReasonCredentialMissing, detail: errNoCredential}
	case read.Kind == machine.None, !slices.ContainsFunc(accepted, func(c Credential) bool { return c.kind == event.Type }):
		err = &Error{Reason: ReasonTokenTypeMismatch, detail: mismatch(event.Type, accepted)}
	default:
		verdict := a.machines.Verify(ctx, read, begin)
		event.CacheHit = verdict.Hit
		m, err = admit(verdict, accepted)
	}
	if err != nil {
		event.Reason = err.Reason
		a.settings.warnOfMachines(err)
	} else {
		event.Status = SignedIn
	}
	if a.settings.observe != nil {
		event.Elapsed = a.settings.now().Sub(begin)
		a.settings.observe(ctx, event)
	}
	return m, err
}

var errNoCredential = errors.New("no bearer token came in Authorization")

// mismatch says what came, and what is accepted.
func mismatch(came TokenType, accepted []Credential) error {
	var types []string
	for _, c := range accepted {
		if name := string(c.kind); !slices.Contains(types, name) {
			types = append(types, name)
		}
	}
	what := "the token is no machine's"
	if came != "" {
		what = "the credential is of type " + string(came)
	}
	return fmt.Errorf("%s; accepted: %s", what, strings.Join(types, ", "))
}

// warnOfMachines logs why a credential could not be verified, with the fields of Config to look at.
func (s *settings) warnOfMachines(err *Error) {
	switch err.Reason {
	case ReasonSecretKeyInvalid:
		s.warnings.Warn("machine key", "the Backend API refuses the secret key: are Config.SecretKey and MachineSecretKey this instance's, and not revoked?")
	case ReasonCredentialUnverifiable:
		s.warnings.Warn("machines", "credentials of machines cannot be verified", "cause", err.detail)
	}
}

// admit returns the machine of a verdict, if it has the scopes that one of the accepted credentials asks for.
func admit(verdict machine.Verdict, accepted []Credential) (*Machine, *Error) {
	if verdict.Reason != "" {
		return nil, &Error{Reason: Reason(verdict.Reason), detail: verdict.Detail}
	}
	m := newMachine(verdict.Claims)
	lacking := ""
	for _, c := range accepted {
		if c.kind != m.Type {
			continue
		}
		if c.holds(m.Scopes) {
			return m, nil
		}
		if lacking == "" {
			lacking = strings.Join(*c.scopes, " ")
		}
	}
	return nil, &Error{Reason: ReasonInsufficientScope, Scope: lacking, detail: fmt.Errorf("the credential's scopes are not all of: %s", lacking)}
}

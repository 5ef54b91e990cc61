package clerkauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/machine"
	"github.com/clerkauth/clerkauth/internal/redact"
)

// TokenType is the kind of a credential, in Clerk's words.
type TokenType string

// The types.
const (
	SessionToken TokenType = "session_token"
	APIKey       TokenType = "api_key"
	M2MToken     TokenType = "m2m_token"
	OAuthToken   TokenType = "oauth_token" //nolint:gosec // G101: the name of a kind
)

var typeOf = map[machine.Kind]TokenType{machine.APIKey: APIKey, machine.M2M: M2MToken, machine.OAuth: OAuthToken}

// Machine says who the credential of a machine belongs to. Each request gets its own copy. See
// https://clerk.com/docs/guides/development/machine-auth/overview.
type Machine struct {
	Type           TokenType
	ID             string // of the credential, if it has one; never the credential itself
	Subject        string // user_…, org_… or, for an M2M token, the machine that sent it, mch_…
	Name           string // of an API key
	ClientID       string // of the OAuth application
	UserID         string // Subject, if it is a user
	OrganizationID string // Subject, if it is an organization
	Scopes         []string
	Audience       []string  // aud, of JWTs and OAuth tokens; nil: there is none
	CreatedAt      time.Time // zero: unknown
	ExpiresAt      time.Time // zero: never
	claims         *machine.Claims
}

// Claims decodes the custom claims into v, as json.Unmarshal does; for a JWT, the whole payload. If there are none, v is
// not changed. A payload with names that differ only in case is refused, see Session.Claims.
func (m *Machine) Claims(v any) error {
	switch {
	case m == nil || m.claims == nil:
		return errNoMachineClaims
	case m.claims.Payload == nil:
		return nil
	case sameButCase(strings.TrimSpace(*m.claims.Payload)):
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
		Type: typeOf[c.Kind], ID: c.ID, Subject: c.Subject, Name: c.Name, ClientID: c.ClientID,
		Scopes: slices.Clone(c.Scopes), Audience: slices.Clone(c.Audience),
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

// acceptance is the result of Accept, and the Authenticator that decided it.
type acceptance struct {
	machine *Machine // nil: none
	by      *Authenticator
}

// MachineFromContext returns the machine that Accept let in, or that NewMachineContext put into ctx. It reports false when
// a person was let in, when Accept has not run, and when a person was signed in after it. FromContext never returns a
// machine.
func MachineFromContext(ctx context.Context) (*Machine, bool) {
	d, _ := ctx.Value(machineKey{}).(acceptance)
	if _, person := FromContext(ctx); d.machine == nil || person { // a person who was signed in later takes precedence
		return nil, false
	}
	return d.machine, true
}

// NewMachineContext is for tests of handlers, and for interceptors that call VerifyMachine: MachineFromContext will return
// m, and FromContext nobody. Accept ignores it and decides anew. With nil, MachineFromContext finds no machine.
func NewMachineContext(ctx context.Context, m *Machine) context.Context {
	var none *Authenticator
	return none.withMachine(ctx, m)
}

// withMachine returns ctx with m in it, and with nobody signed in. nil: no machine either.
func (a *Authenticator) withMachine(ctx context.Context, m *Machine) context.Context {
	d := &boundState{}
	d.shown.Err = &Error{Reason: ReasonTokenTypeMismatch, detail: errOfMachine}
	return context.WithValue(d.in(ctx), machineKey{}, acceptance{m, a})
}

// deciderIn is the Authenticator that decided last; nil: there is none, or its decision is not to be trusted.
func deciderIn(ctx context.Context) *Authenticator {
	if d, ok := decisionIn(ctx); ok && d.by != nil {
		return d.by
	}
	d, _ := ctx.Value(machineKey{}).(acceptance)
	return d.by
}

// VerifyMachine checks a machine's credential that did not come with an http.Request (gRPC, a queue), as Accept does. A
// non-nil error is always an *Error. It panics where Accept does, and for Sessions: use VerifyToken for those.
func (a *Authenticator) VerifyMachine(ctx context.Context, credential string, c Credential, more ...Credential) (*Machine, error) {
	accepted := a.accepted("VerifyMachine", c, more)
	if slices.ContainsFunc(accepted, Credential.sessions) {
		panic("clerkauth: VerifyMachine: Sessions are for people, not machines; use VerifyToken")
	}
	begin := a.settings.now()
	read := a.machines.Read(credential, begin)
	m, err := a.verifyMachine(ctx, credential, read, accepted, begin)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// verifyMachine checks a credential that was read at begin. raw is empty where none was sent.
func (a *Authenticator) verifyMachine(ctx context.Context, raw string, read machine.Credential, accepted []Credential, begin time.Time) (*Machine, *Error) {
	event := Event{Type: typeOf[read.Kind]}
	if raw != "" {
		event.TokenSource = TokenSourceBearer
	}
	m, err := (*Machine)(nil), (*Error)(nil)
	switch {
	case raw == "":
		err = &Error{Reason: ReasonCredentialMissing, detail: errNoCredential}
	case read.Kind == machine.None, !slices.ContainsFunc(accepted, func(c Credential) bool { return c.kind == event.Type }):
		err = &Error{Reason: ReasonTokenTypeMismatch, detail: kindError{event.Type, redact.Begin(raw), accepted}}
	default:
		result := a.machines.Verify(ctx, read, begin)
		event.CacheHit = result.Hit
		m, err = admit(result, accepted)
	}
	a.observedMachine(ctx, event, err, begin)
	return m, err
}

// observedMachine reports a decision that began at that time to Config.Observe. err: the refusal, if it is one.
func (a *Authenticator) observedMachine(ctx context.Context, e Event, err *Error, began time.Time) {
	if a.settings.observe == nil {
		return
	}
	if e.Status = StatusSignedIn; err != nil {
		own := *err
		e.Status, e.Reason, e.Err = StatusSignedOut, err.Reason, &own
	}
	e.Elapsed = a.settings.now().Sub(began)
	a.settings.observe(ctx, e)
}

// admit returns the machine that was verified, if it has the scopes of one of the accepted credentials.
func admit(result machine.Result, accepted []Credential) (*Machine, *Error) {
	if result.Reason != "" {
		return nil, &Error{Reason: Reason(result.Reason), detail: result.Detail}
	}
	m := newMachine(result.Claims)
	var lacking []string
	for _, c := range accepted {
		if c.kind != m.Type {
			continue
		}
		if c.holds(m.Scopes) {
			return m, nil
		}
		if lacking == nil {
			lacking = *c.scopes
		}
	}
	return nil, &Error{Reason: ReasonInsufficientScope, Scope: strings.Join(lacking, " "), detail: lacks(lacking, m.Scopes)}
}

// Why a machine is refused before its credential is verified.
var (
	errNoCredential = errors.New("there is no credential; a request's is read from Authorization alone, as a bearer token")
	errOfMachine    = errors.New("the request is authenticated as a machine, so no person is signed in")
)

// kindError is the detail of a kind of credential that is not accepted.
type kindError struct {
	kind     TokenType // empty: not a machine's
	begin    string
	accepted []Credential
}

func (e kindError) Error() string {
	kinds := make([]string, 0, len(e.accepted))
	for _, c := range e.accepted {
		if !slices.Contains(kinds, string(c.kind)) {
			kinds = append(kinds, string(c.kind))
		}
	}
	text := e.begin + " is not a machine credential"
	if e.kind != "" {
		text = "the credential is of type " + string(e.kind)
	}
	return text + "; accepted here: " + strings.Join(kinds, " or ")
}

type headersError int

func (n headersError) Error() string {
	return strconv.Itoa(int(n)) + " Authorization headers in the request; send one"
}

// scopeError is the detail of a credential that lacks a scope.
type scopeError string

func (scope scopeError) Error() string {
	return "the credential does not have the scope " + strconv.Quote(string(scope))
}

// lacks names the first needed scope that is missing.
func lacks(needed, scopes []string) error {
	for _, s := range needed {
		if !slices.Contains(scopes, s) {
			return scopeError(s)
		}
	}
	return nil
}

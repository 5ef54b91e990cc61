package clerkauth

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/machine"
	"github.com/clerkauth/clerkauth/internal/reasons"
)

// Credential is one kind of credential and what it must fulfil. The zero Credential accepts nothing.
type Credential struct {
	kind   TokenType
	checks *[]Check  // the checks of Sessions; a pointer, so that credentials can be compared
	scopes *[]string // the scopes of machines
}

// Sessions accepts people who are signed in, as Require does, and for whom all checks pass, as with Authorize.
func Sessions(checks ...Check) Credential { return Credential{kind: SessionToken, checks: &checks} }

// APIKeys accepts API keys of users and organizations that have all of the scopes. They are verified with Config.SecretKey.
func APIKeys(scopes ...string) Credential { return Credential{kind: APIKey, scopes: &scopes} }

// OAuthTokens accepts access tokens of OAuth applications, issued for a user, that have all of the scopes.
func OAuthTokens(scopes ...string) Credential { return Credential{kind: OAuthToken, scopes: &scopes} }

// M2MTokens accepts tokens that other machines obtained for this machine: see Config.MachineID.
func M2MTokens() Credential { return Credential{kind: M2MToken, scopes: &[]string{}} }

func (c Credential) sessions() bool { return c.kind == SessionToken }

// holds reports whether a machine with these scopes has all that are needed.
func (c Credential) holds(scopes []string) bool {
	return !slices.ContainsFunc(*c.scopes, func(s string) bool { return !slices.Contains(scopes, s) })
}

// Accept lets a request through when it carries one of these credentials and fulfils its scopes or checks. Others are
// refused with 400, 401, 403 or 503. If one of the credentials is Sessions, a request without a machine's is answered as by
// Require. Handlers call MachineFromContext, and FromContext for people.
//
// A machine's credential is read from the Authorization header alone, never from cookies or the URL. Where there is one,
// cookies do not count. It has no authorized party and no origin: its instance, kind and scopes are checked, and
// Config.MachineID or MachineAudience. Only Accept and VerifyMachine accept machines.
//
// Accept panics on the zero Credential, on a check that can never pass, on a scope with characters that RFC 6749 section
// 3.3 does not allow, and on a kind of credential that the Config cannot verify or never accepts.
func (a *Authenticator) Accept(c Credential, more ...Credential) func(http.Handler) http.Handler {
	accepted := a.accepted("Accept", c, more)
	people := slices.ContainsFunc(accepted, Credential.sessions)
	return func(next http.Handler) http.Handler {
		sessions := a.Require(a.acceptSessions(accepted, next))
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			begin := a.settings.now()
			raw, reason := bearerCredential(r.Header)
			read := machine.Credential{}
			if raw != "" {
				read = a.machines.Read(raw, begin)
			}
			if people && read.Kind == machine.None { // or it contradicts itself, which is refused there
				sessions.ServeHTTP(w, r)
				return
			}
			if reason != "" {
				err := &Error{Reason: Reason(reason), detail: headersError(len(r.Header["Authorization"]))}
				a.observedMachine(r.Context(), Event{}, err, begin)
				a.refuseMachine(w, r, err)
				return
			}
			m, err := a.verifyMachine(r.Context(), raw, read, accepted, begin)
			if err != nil {
				a.refuseMachine(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(a.withMachine(r.Context(), m)))
		})
	}
}

// bearerCredential returns the credential in Authorization; empty: there is none, or only the scheme.
func bearerCredential(h http.Header) (raw string, reason reasons.Reason) {
	raw, reason = inbound.Bearer(h)
	if strings.EqualFold(raw, "Bearer") {
		raw = ""
	}
	return raw, reason
}

// refuseMachine refuses a request, whatever its host is. It never redirects to the sign-in page: after signing in, a person
// would get the same refusal.
func (a *Authenticator) refuseMachine(w http.ResponseWriter, r *http.Request, err *Error) {
	a.settings.errorHandler(w, r.WithContext(a.withMachine(r.Context(), nil)), err)
}

// acceptSessions lets people through for whom the checks of one of the accepted credentials pass.
func (a *Authenticator) acceptSessions(accepted []Credential, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.settings.decision.Passes(r) {
			next.ServeHTTP(w, r) // as with Require
			return
		}
		session, _ := FromContext(r.Context())
		var failed []Check
		for _, c := range accepted {
			if !c.sessions() {
				continue
			}
			i := slices.IndexFunc(*c.checks, func(check Check) bool { return !session.Has(check) })
			if i < 0 {
				next.ServeHTTP(w, r)
				return
			}
			failed = append(failed, (*c.checks)[i])
		}
		i, _ := easiest(failed)
		a.refuseCheck(w, r, session, failed[max(i, 0)]) // as with AnyOf
	})
}

// accepted copies a list of credentials. It panics when one can never be accepted.
func (a *Authenticator) accepted(by string, c Credential, more []Credential) []Credential {
	list := append([]Credential{c}, more...)
	for i, c := range list {
		if err := a.possible(c); err != nil {
			panic("clerkauth: " + by + ": " + err.Error())
		}
		if c.sessions() {
			checks := slices.Clone(*c.checks)
			list[i].checks = &checks
			continue
		}
		scopes := slices.Clone(*c.scopes)
		list[i].scopes = &scopes
	}
	return list
}

func (a *Authenticator) possible(c Credential) error {
	s := &a.settings.machine
	switch {
	case c.kind == "":
		return errors.New("the zero Credential accepts nothing; make one with Sessions, APIKeys, OAuthTokens or M2MTokens")
	case c.sessions():
		for _, check := range *c.checks {
			if err := check.possible(); err != nil {
				return err
			}
		}
		return nil
	case c.kind == APIKey && s.SecretKey == "":
		return errors.New("API keys are verified with Config.SecretKey, which is empty; set it")
	case c.kind == M2MToken && s.ID == "" && !s.AnyMachine:
		return errors.New("M2M tokens must be for this machine; set Config.MachineID (or, knowing that they may be for any, InsecureAllowAnyMachine)")
	}
	for _, scope := range *c.scopes {
		if scope == "" || strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			return fmt.Errorf("%q is not a scope (RFC 6749 section 3.3); write each as an argument of its own", scope)
		}
	}
	return nil
}

// readMachines reads the fields of Config that concern machines.
func (s *settings) readMachines(c Config) []error {
	var problems []error
	if rest, ok := strings.CutPrefix(c.MachineSecretKey, "ak_"); c.MachineSecretKey != "" && (!ok || rest == "") {
		problems = append(problems, wrong("MachineSecretKey", ": %q is not the secret key of a machine; copy the whole key, ak_…, from Clerk's Dashboard, Machines", cut(c.MachineSecretKey)))
	}
	switch {
	case c.MachineID != "" && c.InsecureAllowAnyMachine:
		problems = append(problems, wrong("InsecureAllowAnyMachine", " is set beside MachineID, which it would switch off; remove one of them"))
	case c.MachineID != "" && (!strings.HasPrefix(c.MachineID, "mch_") || c.MachineID == "mch_"):
		problems = append(problems, wrong("MachineID", ": %q is not the ID of a machine; copy it, mch_…, from Clerk's Dashboard, Machines", c.MachineID))
	}
	problems = append(problems, emptyEntries("MachineAudience", c.MachineAudience)...)
	if err := withoutUnit("MachineCacheTTL", c.MachineCacheTTL); err != nil {
		problems = append(problems, err)
	}
	if c.MachineCacheTTL < 0 || c.MachineCacheTTL > maxMachineCacheTTL {
		problems = append(problems, wrong("MachineCacheTTL", ": %q is not between 0 and %q; write at most that, as a revoked credential is accepted for so long", c.MachineCacheTTL, maxMachineCacheTTL))
	}
	p := &s.decision.Policy
	s.machine = machine.Settings{
		Base: s.backend, SecretKey: c.SecretKey, MachineKey: c.MachineSecretKey,
		Issues: p.Issues, Issuers: p.Issuers, Audience: slices.Clone(c.MachineAudience), ID: c.MachineID, AnyMachine: c.InsecureAllowAnyMachine,
		Skew: p.Skew, TTL: c.MachineCacheTTL, CacheSize: s.tokenCacheSize, Now: s.now, Warn: s.warnOfBackend,
	}
	return problems
}

// maxMachineCacheTTL is the longest time for which a revoked credential may still be accepted.
const maxMachineCacheTTL = 5 * time.Minute

// scopeChallenge is the WWW-Authenticate value for a credential that lacks a scope (RFC 6750 section 3.1).
func scopeChallenge(err *Error) string {
	return `Bearer realm="clerk", error="insufficient_scope", error_description="` + table[err.Reason].message + `", scope="` + err.Scope + `"`
}

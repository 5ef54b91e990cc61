package clerkauth

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Authorize is Require plus checks that must all pass. The first that does not pass is in Error.Check, with status 403.
// Authorize panics when a check can never pass: that is a mistake in the program, not in a request.
func (a *Authenticator) Authorize(check Check, more ...Check) func(http.Handler) http.Handler {
	checks := append([]Check{check}, more...)
	for _, c := range checks {
		if err := c.possible(); err != nil {
			panic("clerkauth: Authorize: " + err.Error())
		}
	}
	return func(next http.Handler) http.Handler {
		return a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			session, _ := FromContext(r.Context())
			if i := slices.IndexFunc(checks, func(c Check) bool { return !session.Has(c) }); i >= 0 && !a.settings.decision.Passes(r) {
				a.refuseCheck(w, r, session, checks[i])
				return
			}
			next.ServeHTTP(w, r)
		}))
	}
}

// refuseCheck refuses a request because a check does not pass. The decision before it was observed as signed in.
func (a *Authenticator) refuseCheck(w http.ResponseWriter, r *http.Request, session *Session, check Check) {
	err := Error{Reason: ReasonCheckFailed, Check: check, detail: checkError{check, session.Organization.ID != ""}}
	if a.settings.observe != nil {
		own := err
		a.settings.observe(r.Context(), Event{Status: StatusSignedIn, Reason: err.Reason, Err: &own, Type: SessionToken})
	}
	a.refuse(w, r, &err, false)
}

// checkError is the detail of a check that does not pass.
type checkError struct {
	check  Check
	active bool // an organization is active
}

func (e checkError) Error() string {
	text := "the check failed: " + e.check.String()
	switch {
	case e.check.kind == kindActor, e.check.kind == kindReverification, e.check.kind == kindWithin:
		return text
	case e.active:
		return text + "; an organization is active"
	}
	return text + "; no organization is active"
}

// Check is a condition on a session. The zero Check never passes.
type Check struct {
	kind, value  string
	within       time.Duration // of ReverifiedWithin
	alternatives *[]Check      // of AnyOf; a pointer, so that checks can be compared
}

const (
	kindRole           = "role"
	kindPermission     = "permission"
	kindFeature        = "feature"
	kindPlan           = "plan"
	kindActor          = "not impersonated"
	kindReverification = "reverification"
	kindWithin         = "reverification of"
	kindAnyOf          = "any of"
)

// Role passes if the person has this role in the active organization: "org:admin", or "admin". Without an active
// organization it does not pass. Clerk allows small letters, digits and _ in roles, so Role("Admin") can never pass.
func Role(role string) Check { return Check{kind: kindRole, value: role} }

// Permission passes if the person has a custom permission in the active organization, a feature and an action:
// "org:invoices:create", or "invoices:create". Without a feature, as in Permission("read"), or with capital letters it can
// never pass. Neither can a system permission, "org:sys_…": session tokens do not contain them.
func Permission(permission string) Check { return Check{kind: kindPermission, value: permission} }

// Feature passes if a billing feature is available: "user:x" to the user, "org:x" to the active organization, "x" to either.
func Feature(feature string) Check { return Check{kind: kindFeature, value: feature} }

// Plan passes if a billing plan is active. It has the same prefixes as Feature.
func Plan(plan string) Check { return Check{kind: kindPlan, value: plan} }

// NotImpersonated passes unless an actor, such as support staff, is using the session of the user.
func NotImpersonated() Check { return Check{kind: kindActor} }

// AnyOf passes when one of the checks does. If none does, and one of them is Reverified or ReverifiedWithin, the request is
// refused with that check's response: it is the one that the person can do something about. Of several, the least demanding
// one counts. A check that can never pass is a mistake here too: Authorize panics, and Has reports false.
func AnyOf(check Check, more ...Check) Check {
	alternatives := append([]Check{check}, more...)
	return Check{kind: kindAnyOf, alternatives: &alternatives}
}

// String describes the check: "permission org:invoices:create".
func (c Check) String() string {
	if c.kind == kindWithin {
		return fmt.Sprintf("%s %s within %s", c.kind, c.value, c.within)
	}
	if c.alternatives == nil {
		return strings.TrimSpace(c.kind + " " + c.value)
	}
	names := make([]string, 0, len(*c.alternatives))
	for _, alternative := range *c.alternatives {
		names = append(names, alternative.String())
	}
	return c.kind + " (" + strings.Join(names, ", ") + ")"
}

// possible says why a check can never pass.
func (c Check) possible() error {
	switch c.kind {
	case kindRole, kindPermission:
		return c.possibleName()
	case kindFeature, kindPlan:
		if _, name, ok := splitScope(c.value); !ok || name == "" || strings.TrimSpace(name) != name || strings.ContainsAny(name, ",:") {
			return fmt.Errorf("%q is not a %s; write \"user:x\", \"org:x\" or \"x\"", c.value, c.kind)
		}
	case kindReverification, kindWithin:
		return c.possibleReverification()
	case kindActor:
	case kindAnyOf:
		for _, alternative := range *c.alternatives {
			if err := alternative.possible(); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("the zero Check never passes; make one with Role, Permission or another function")
	}
	return nil
}

// possibleName checks a role or permission against Clerk's rules for their keys. See the Backend API's
// https://clerk.com/docs/reference/backend-api, "Create an organization role" and "Create a new organization permission".
func (c Check) possibleName() error {
	name := strings.TrimPrefix(organizationName(c.value), "org:")
	if c.kind == kindRole {
		if !isKey(name) {
			return fmt.Errorf("%q is not a role of an organization, which has small letters, digits and _ only; write it as Clerk's Dashboard does, such as \"org:admin\"", c.value)
		}
		return nil
	}
	if strings.HasPrefix(name, "sys_") {
		return fmt.Errorf("permission %q is a system permission, which no session token contains; check a role or a custom permission", c.value)
	}
	if feature, action, _ := strings.Cut(name, ":"); !isKey(feature) || !isKey(action) {
		return fmt.Errorf("%q is not a permission of an organization, which is a feature and an action, each of small letters, digits and _ only; write it such as \"org:invoices:create\"", c.value)
	}
	return nil
}

// isKey reports whether s can be a role's key, or a part of a permission's, without its prefix.
func isKey(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// Has reports whether every check passes. A check that can never pass makes it false.
func (s *Session) Has(check Check, more ...Check) bool {
	return s.holds(check) && !slices.ContainsFunc(more, func(c Check) bool { return !s.holds(c) })
}

func (s *Session) holds(c Check) bool {
	if s == nil || s.UserID == "" || c.possible() != nil {
		return false // without a session, not even NotImpersonated passes
	}
	switch c.kind {
	case kindRole:
		return s.Organization.ID != "" && organizationName(s.Organization.Role) == organizationName(c.value)
	case kindPermission:
		return s.Organization.ID != "" && s.claims != nil && slices.Contains(s.claims.Permissions, organizationName(c.value))
	case kindFeature:
		return s.claims != nil && s.billed(s.claims.Features, c.value)
	case kindPlan:
		return s.claims != nil && s.billed(s.claims.Plans, c.value)
	case kindActor:
		return s.Actor == Actor{}
	case kindReverification, kindWithin:
		return c.factors().verified(s)
	case kindAnyOf:
		return slices.ContainsFunc(*c.alternatives, s.holds)
	}
	return false
}

// organizationName is a role or permission with its prefix. A second prefix is part of the name: of a feature called "org".
func organizationName(name string) string { return "org:" + strings.TrimPrefix(name, "org:") }

// splitScope splits a feature or plan into scope and name. scope is empty when either scope will do.
func splitScope(name string) (scope, rest string, ok bool) {
	scope, rest, found := strings.Cut(name, ":")
	if !found {
		return "", name, true
	}
	switch scope {
	case "o", "org", "organization":
		return "o", rest, true
	case "u", "user":
		return "u", rest, true
	}
	return "", "", false
}

// billed reports whether a list of Clerk's, such as "o:reports,u:search", contains what is wanted. Entries of an
// organization count only while one is active.
func (s *Session) billed(list []string, wanted string) bool {
	scope, name, ok := splitScope(wanted)
	return ok && slices.ContainsFunc(list, func(entry string) bool {
		if mine, ok := scoped(entry, "u"); ok && mine == name && scope != "o" {
			return true
		}
		ours, ok := scoped(entry, "o")
		return ok && ours == name && scope != "u" && s.Organization.ID != ""
	})
}

// scoped returns the name of an entry, and whether the entry is of the scope, "o" or "u". Clerk writes "ou" or "uo" for
// both.
func scoped(entry, scope string) (name string, ok bool) {
	scopes, name, found := strings.Cut(strings.TrimSpace(entry), ":")
	if !found || name == "" {
		return "", false
	}
	switch scopes {
	case "o", "u":
		return name, scopes == scope
	case "ou", "uo":
		return name, true
	}
	return "", false
}

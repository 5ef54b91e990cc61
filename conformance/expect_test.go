package conformance_test

import (
	"encoding/json"
	"slices"
	"time"
)

// expired is the one reason of every expired token.
const expired = "session-token-expired"

// reference is the recorded decision as an outcome.
func (c *recorded) reference() outcome {
	e := c.Expect
	want := outcome{
		Status:   e.Status,
		Reason:   e.Reason,
		Location: e.Location,
		Cookies:  slices.Clone(e.SetCookies),
		Headers:  map[string]string{},
		Token:    e.Token,
		Pending:  e.PendingSignedOut,
		Calls:    slices.DeleteFunc(slices.Clone(e.Calls), call.forKeys),
	}
	for name, value := range e.Headers {
		if name != "x-clerk-auth-message" {
			want.Headers[name] = value
		}
	}
	if want.Status == signedIn && want.Token == "" {
		want.Token = c.sessionIn(e.SetCookies) // the recording names only a token that is not the cookie's as well
	}
	if want.Status == signedIn {
		want.Auth = recordedIdentity(e.Auth)
	}
	return want
}

// recordedIdentity reads a recorded auth object. Null and absent are the zero value; values of
// types that do not fit in a Session are only recorded.
func recordedIdentity(auth map[string]any) *identity {
	if auth == nil {
		return nil
	}
	who := &identity{FirstFactorAge: never, SecondFactorAge: never}
	text := func(name string) string {
		s, ok := auth[name].(string)
		if !ok && auth[name] != nil {
			who.Mistyped = append(who.Mistyped, name)
		}
		return s
	}
	who.UserID, who.SessionID = text("userId"), text("sessionId")
	who.Pending = text("sessionStatus") == "pending"
	who.OrgID, who.OrgRole, who.OrgSlug = text("orgId"), text("orgRole"), text("orgSlug")
	who.readPermissions(auth["orgPermissions"])
	who.readAges(auth["factorVerificationAge"])
	actor, ok := auth["actor"].(map[string]any)
	if !ok && auth["actor"] != nil {
		who.Mistyped = append(who.Mistyped, "actor")
	}
	who.ActorSubject, _ = actor["sub"].(string)
	who.ActorSession, _ = actor["sid"].(string)
	who.readMachine(auth)
	return who
}

func (who *identity) readPermissions(v any) {
	list, ok := v.([]any)
	for _, entry := range list {
		var s string
		if s, ok = entry.(string); !ok {
			break
		}
		who.OrgPermissions = append(who.OrgPermissions, s)
	}
	if v != nil && !ok && (list == nil || len(list) > 0) {
		who.Mistyped = append(who.Mistyped, "orgPermissions")
	}
	slices.Sort(who.OrgPermissions)
}

// never is the age of a factor that was not verified.
const never = -1

// readAges reads fva: two whole numbers of minutes, -1 for never. Anything else is no age.
func (who *identity) readAges(v any) {
	if v == nil {
		return
	}
	list, _ := v.([]any)
	ages := make([]int, 0, 2)
	for _, entry := range list {
		n, _ := entry.(json.Number)
		if age, err := n.Int64(); err == nil && age >= never {
			ages = append(ages, int(age))
		}
	}
	if len(list) != 2 || len(ages) != 2 {
		who.Mistyped = append(who.Mistyped, "factorVerificationAge")
		return
	}
	who.FirstFactorAge, who.SecondFactorAge = ages[0], ages[1]
}

// minutes is how long before its token was issued a factor was verified.
func minutes(issued, verified time.Time) int {
	if verified.IsZero() {
		return never
	}
	return int(issued.Sub(verified) / time.Minute)
}

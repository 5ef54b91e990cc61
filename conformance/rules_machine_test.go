package conformance_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// machineRules are about credentials of machines. No other rule applies to them, and they apply to nothing else.
var machineRules = []rule{
	{
		name:    "options that New refuses",
		why:     "what is found at the start is found whatever is accepted",
		when:    func(c *recorded, _ outcome) bool { return c.refusedAtStart() },
		refuses: true, change: refuseOptions, last: true,
	},
	{
		name:   "several Authorization headers before a machine's credential",
		why:    "two credentials are an attack or a mistake, and readers differ on which one counts",
		when:   func(c *recorded, _ outcome) bool { return len(c.Request.values("Authorization")) > 1 },
		change: func(_ *recorded, want *outcome) { *want = refusal("multiple-authorization-headers") },
		last:   true,
	},
	{
		name: "scheme in any case before a machine's credential",
		why: "RFC 9110 11.1: the name of a scheme is case-insensitive, and clients write the token_type that they were given (RFC 6749 5.1), which has any case; " +
			"the credential is judged all the same, as a session token is",
		kinder: true,
		when: func(c *recorded, want outcome) bool {
			line := strings.Join(c.Request.values("Authorization"), ", ")
			plain := strings.HasPrefix(line, "Bearer ") && !strings.HasPrefix(line, "Bearer  ")
			return !plain && want.Status != signedIn && want.Status != refused && c.acceptsCredential() && opaqueForm.MatchString(c.credential())
		},
		change: decideOpaque,
	},
	{
		name:   "null payload beside a machine's credential",
		why:    "the reference stops with an exception, by a cookie that anybody can plant; it takes nothing away from a good credential",
		kinder: true,
		when: func(c *recorded, want outcome) bool {
			return want.Status == refused && c.nullPayload() && c.acceptsCredential() && opaqueForm.MatchString(c.credential())
		},
		change: decideOpaque,
	},
	{
		name:   "no credential",
		why:    "that there is none has a reason of its own, for one kind and for a list: it is no mismatch, and no prose",
		when:   func(c *recorded, want outcome) bool { return want.Status != signedIn && c.credential() == "" },
		change: func(_ *recorded, want *outcome) { *want = refusal("credential-missing") },
		last:   true,
	},
	{
		name: "kind of a credential",
		why:  "a credential of a kind that is not accepted is refused for that, whatever its kind would need",
		when: func(c *recorded, want outcome) bool {
			return want.Status != signedIn && !c.acceptsCredential()
		},
		change: func(_ *recorded, want *outcome) { *want = refusal("token-type-mismatch") },
		last:   true,
	},
	{
		name: "form of a credential",
		why:  "what has not the form of a credential is not looked up",
		when: func(c *recorded, want outcome) bool {
			return c.acceptsCredential() && c.opaque() && !opaqueForm.MatchString(c.credential())
		},
		change: func(_ *recorded, want *outcome) { *want = refusal("token-invalid") },
		last:   true,
	},
	{
		name: "category of a machine's token",
		why:  "a token of another category was made for something else, which is seen before its keys are needed",
		when: func(c *recorded, want outcome) bool {
			category, given := c.bearerToken().head["cat"]
			wrong := given && (c.machineKind() == oauth || category != "cl_B7d4PD333AAA")
			return want.Reason != "token-type-mismatch" && c.machineKind() != "" && !c.opaque() && wrong
		},
		change: func(_ *recorded, want *outcome) { refuseAfterCalls(want, "token-invalid") },
		last:   true,
	},
	{
		name:   "machine secret in a list",
		why:    "the reference verifies M2M tokens with the machine's own secret key where they alone are accepted; in Go that, and a list of one, are the same call",
		kinder: true,
		when: func(c *recorded, want outcome) bool {
			return want.Status == refused && c.opaque() && c.machineKind() == m2m && c.Options.given("machineSecretKey")
		},
		change: admitVerified,
	},
	{
		name:   "key of a machine's JWT",
		why:    "a JWT is verified with JWTKey, in any spelling of it, and no secret key is needed for that; a planted cookie takes nothing away from it",
		kinder: true,
		when: func(c *recorded, want outcome) bool {
			t := c.bearerToken()
			typ, typed := t.head["typ"]
			keys, ok := c.keysFor(t)
			return want.Status != signedIn && !c.opaque() && (c.machineKind() == oauth || !typed || typ == "JWT") &&
				t.namesMachine() && ok && len(keys) == 1 && t.signedBy(keys[0]) && c.timely(t, c.skew()) == "" &&
				text(t.claims["iss"]) == "https://"+frontendHost(c) && !c.Options.given("audience")
		},
		change: admitJWT,
		last:   true,
	},
	{
		name: "no secret key",
		why:  "an opaque credential that cannot be verified is one that cannot be told, and so is a JWT whose keys cannot be fetched",
		when: func(c *recorded, want outcome) bool {
			return want.Status == refused && c.secret() == "" && (!c.pins() || c.opaque() || !c.bearerToken().signedBy(c.pinnedKey()))
		},
		change: func(c *recorded, want *outcome) {
			switch {
			case c.opaque():
				unverifiable(c, want)
			case c.pins():
				refuseAfterCalls(want, "token-verification-failed")
			default:
				refuseAfterCalls(want, "jwk-remote-failed-to-load")
			}
		},
		last: true,
	},
	{
		name: "a refused secret key",
		why:  "403 speaks of the secret key that was sent, as 401 does: it is not known whether the credential is valid",
		when: func(c *recorded, want outcome) bool {
			return want.Reason == "unexpected-error" && (c.verifyStatus() == http.StatusForbidden || c.verifyStatus() == http.StatusUnauthorized)
		},
		change: func(_ *recorded, want *outcome) { refuseAfterCalls(want, "secret-key-invalid") },
	},
	{
		name: "a refused credential",
		why:  "what Clerk calls a bad request, or gone, is the credential, of which alone the question is made: it is as invalid as one that is not found",
		when: func(c *recorded, want outcome) bool {
			refuses := []int{http.StatusBadRequest, http.StatusGone, http.StatusUnprocessableEntity}
			return want.Reason == "unexpected-error" && slices.Contains(refuses, c.verifyStatus()) && c.verifyErrors()
		},
		change: func(_ *recorded, want *outcome) { refuseAfterCalls(want, "token-invalid") },
	},
	{
		name: "a question without an answer",
		why:  "it is not known whether the credential is valid: 503, for the client to try again, in words of the closed set",
		when: func(c *recorded, want outcome) bool {
			return want.Reason == "unexpected-error" || want.Reason == "token-invalid" && c.verifyStatus() == http.StatusNotFound && !c.verifyErrors()
		},
		change: unverifiable,
	},
	{
		name: "incomplete answer",
		why:  "an answer that is empty, incomplete or of another object says nothing, and lets nobody in",
		when: func(c *recorded, want outcome) bool {
			return (want.Status == signedIn || want.Reason == "token-verification-failed") && c.opaque() && !c.wholeAnswer()
		},
		change: unverifiable,
	},
	{
		name: "revoked or expired",
		why:  "the Backend API says that the credential is not valid any more",
		when: func(c *recorded, want outcome) bool {
			said := c.verified()
			return (want.Status == signedIn || want.Reason == "token-verification-failed") && c.opaque() && (said["revoked"] == true || said["expired"] == true)
		},
		change: func(_ *recorded, want *outcome) { refuseAfterCalls(want, "token-invalid") },
	},
	{
		name:   "Content-Type of an answer",
		kinder: true,
		why:    "application/json with a charset is JSON as well",
		when: func(c *recorded, want outcome) bool {
			unread := want.Reason == "token-verification-failed" && aimedAt(c.verified()["aud"], meaningful(c.Options, "audience"))
			return c.opaque() && (unread && c.wholeAnswer() || want.Status == signedIn && (want.Auth == nil || want.Auth.Machine.ID == ""))
		},
		change: admitVerified,
	},
	{
		name: "keys of machines",
		why:  "where the keys are out of reach it is not known whether the credential is valid: 503",
		when: func(c *recorded, want outcome) bool {
			status, _, ok := c.reply(http.MethodGet, "/v1/jwks", nil)
			set, _ := c.keySet()
			return (want.Reason == "token-verification-failed" || want.Status == signedIn) && !c.opaque() && !c.pins() &&
				(c.secret() == "" || !ok || status >= http.StatusBadRequest || !set.hasKey())
		},
		change: func(_ *recorded, want *outcome) { refuseAfterCalls(want, "jwk-remote-failed-to-load") },
	},
	{
		name: "issuer of a machine's token",
		why:  "a token of another issuer is another instance's",
		when: func(c *recorded, want outcome) bool {
			return want.Status == signedIn && !c.opaque() && text(c.bearerToken().claims["iss"]) != "https://"+frontendHost(c)
		},
		change: func(_ *recorded, want *outcome) { refuseAfterCalls(want, "token-verification-failed") },
	},
	{
		name: "audience of a machine's token",
		why:  "an audience that is configured must be there",
		when: func(c *recorded, want outcome) bool {
			aud := c.bearerToken().claims["aud"]
			list, _ := textsIn(aud)
			return want.Status == signedIn && !c.opaque() && c.Options.given("audience") && text(aud) == "" && len(list) == 0
		},
		change: func(_ *recorded, want *outcome) { refuseAfterCalls(want, "token-verification-failed") },
	},
	{
		name: "scopes of another form",
		why:  "scopes that are not what RFC 6749 3.3 and Clerk write are not read, and not guessed at",
		when: func(c *recorded, want outcome) bool {
			return !c.opaque() && (want.Status == refused && c.hasBearer() || want.Auth != nil && len(want.Auth.Mistyped) > 0)
		},
		change: func(_ *recorded, want *outcome) { refuseAfterCalls(want, "token-verification-failed") },
	},
	{
		name: "blanks between scopes",
		why:  "the empty string is no scope",
		when: func(_ *recorded, want outcome) bool {
			return want.Status == signedIn && slices.Contains(want.Auth.Machine.Scopes, "")
		},
		change: func(_ *recorded, want *outcome) {
			want.Auth.Machine.Scopes = slices.DeleteFunc(slices.Clone(want.Auth.Machine.Scopes), func(s string) bool { return s == "" })
		},
	},
}

func isMachineRule(name string) bool {
	return slices.ContainsFunc(machineRules, func(r rule) bool { return r.name == name })
}

var opaqueForm = regexp.MustCompile(`^(ak|mt|oat)_[A-Za-z0-9_~+/=-]+$`)

func (c *recorded) bearerToken() *token {
	return parseToken(c.credential())
}

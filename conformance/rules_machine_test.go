package conformance_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// machineRules are about credentials of machines. No other rule applies to them, and they apply to nothing else.
var machineRules = []rule{
	{
		name:    "machines need an issuer",
		why:     "without a publishable key nothing says whose tokens are the instance's, and New refuses",
		when:    func(c *recorded, _ outcome) bool { return frontendHost(c) == "" },
		refuses: true, change: refuseOptions,
	},
	{
		name: "satellites of machines have a domain",
		why:  "a satellite without a domain or a proxy is refused at the start, whatever it accepts",
		when: func(c *recorded, _ outcome) bool {
			return c.satellite() && !c.Options.given("domain") && !c.Options.given("proxyUrl")
		},
		refuses: true, change: refuseOptions,
	},
	{
		name: "scheme in any case before a machine's credential",
		why: "RFC 9110 11.1: the name of a scheme is case-insensitive, and clients write the token_type that they were given (RFC 6749 5.1), which has any case; " +
			"the credential is judged all the same, as a session token is",
		kinder: true,
		when: func(c *recorded, want outcome) bool {
			scheme, _, found := strings.Cut(strings.Join(c.Request.values("Authorization"), ", "), " ")
			return found && scheme != "Bearer" && strings.EqualFold(scheme, "Bearer") && want.Status == signedOut && c.verified() != nil
		},
		change: admitVerified,
	},
	{
		name:   "null payload beside a machine's credential",
		why:    "the reference stops with an exception, by a cookie that anybody can plant; it takes nothing away from a good credential",
		kinder: true,
		when: func(c *recorded, want outcome) bool {
			return want.Status == refused && c.nullPayload() && c.verified() != nil
		},
		change: admitVerified,
	},
	{
		name:   "no credential",
		why:    "that there is none has a reason of its own, for one kind and for a list: it is no mismatch, and no prose",
		when:   func(c *recorded, want outcome) bool { return want.Status == signedOut && c.credential() == "" },
		change: func(_ *recorded, want *outcome) { *want = refusal("credential-missing") },
	},
	{
		name: "form of a credential",
		why:  "what has not the form of a credential is not looked up",
		when: func(c *recorded, want outcome) bool {
			raw := c.credential()
			return want.Status == signedIn && c.opaque() && !opaqueForm.MatchString(raw)
		},
		change: func(_ *recorded, want *outcome) { *want = refusal("token-invalid") },
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
		name: "no secret key",
		why:  "an opaque credential that cannot be verified is one that cannot be told",
		when: func(c *recorded, want outcome) bool {
			return want.Status == refused && c.opaque() && c.machineKind() == m2m && frontendHost(c) != "" && c.secret() == ""
		},
		change: unverifiable,
	},
	{
		name: "a refused secret key",
		why:  "403 speaks of the secret key that was sent, as 401 does: it is not known whether the credential is valid",
		when: func(c *recorded, want outcome) bool {
			return want.Reason == "unexpected-error" && c.verifyStatus() == http.StatusForbidden
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
		name:   "a question without an answer",
		why:    "it is not known whether the credential is valid: 503, for the client to try again, in words of the closed set",
		when:   func(_ *recorded, want outcome) bool { return want.Reason == "unexpected-error" },
		change: unverifiable,
	},
	{
		name: "incomplete answer",
		why:  "an answer that is empty, incomplete or of another object says nothing, and lets nobody in",
		when: func(c *recorded, want outcome) bool {
			return want.Status == signedIn && c.opaque() && !c.wholeAnswer()
		},
		change: unverifiable,
	},
	{
		name: "revoked or expired",
		why:  "the Backend API says that the credential is not valid any more",
		when: func(c *recorded, want outcome) bool {
			said := c.verified()
			return want.Status == signedIn && (said["revoked"] == true || said["expired"] == true)
		},
		change: func(_ *recorded, want *outcome) { refuseAfterCalls(want, "token-invalid") },
	},
	{
		name: "Content-Type of an answer",
		why:  "application/json with a charset is JSON as well",
		when: func(c *recorded, want outcome) bool {
			return want.Status == signedIn && c.opaque() && (want.Auth == nil || want.Auth.Machine.ID == "")
		},
		change: admitVerified,
	},
	{
		name: "keys of machines",
		why:  "where the keys are out of reach it is not known whether the credential is valid: 503",
		when: func(c *recorded, want outcome) bool {
			status, _, ok := c.reply(http.MethodGet, "/v1/jwks", nil)
			return want.Reason == "token-verification-failed" && !c.Options.given("jwtKey") && (c.secret() == "" || !ok || status >= http.StatusInternalServerError)
		},
		change: func(_ *recorded, want *outcome) { refuseAfterCalls(want, "jwk-remote-failed-to-load") },
	},
	{
		name: "category of an OAuth token",
		why:  "a token of another category was made for something else",
		when: func(c *recorded, want outcome) bool {
			return want.Status == signedIn && c.machineKind() == oauth && !c.opaque() && c.bearerToken().head["cat"] != nil
		},
		change: func(_ *recorded, want *outcome) { refuseAfterCalls(want, "token-invalid") },
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

// refuseAfterCalls refuses, after the requests made.
func refuseAfterCalls(want *outcome, reason string) {
	calls := want.Calls
	*want = refusal(reason)
	want.Calls = calls
}

func unverifiable(_ *recorded, want *outcome) { refuseAfterCalls(want, "credential-unverifiable") }

// admitVerified expects that a machine is let in with the identity that the Backend API returned.
func admitVerified(c *recorded, want *outcome) {
	said, kind := c.verified(), c.machineKind()
	raw := c.credential()
	key, _ := c.Options.text("machineSecretKey")
	if kind != m2m || key == "" {
		key = c.secret()
	}
	auth := map[string]any{"tokenType": kind, "clientId": said["client_id"]}
	for _, name := range []string{"id", "subject", "name", "scopes", "claims"} {
		auth[name] = said[name]
	}
	if subject := text(said["subject"]); strings.HasPrefix(subject, "user_") {
		auth["userId"] = subject
	}
	*want = outcome{Status: signedIn, Headers: map[string]string{}, Auth: recordedIdentity(auth), Calls: []call{{
		Method: http.MethodPost, URL: c.backendAt() + verifyPaths[kind][0], Query: [][2]string{}, Authorization: "Bearer " + key,
		Body: map[string]any{verifyPaths[kind][1]: raw},
	}}}
}

// verifyStatus is what the Backend API answers about the bearer token; 0: nothing.
func (c *recorded) verifyStatus() int {
	status, _, ok := c.reply(http.MethodPost, verifyPaths[c.machineKind()][0], nil)
	if !ok || !c.opaque() {
		return 0
	}
	return status
}

// verifyErrors reports whether it names errors, as Clerk does.
func (c *recorded) verifyErrors() bool {
	_, body, _ := c.reply(http.MethodPost, verifyPaths[c.machineKind()][0], nil)
	var said struct{ Errors []struct{ Code string } }
	return json.Unmarshal(body, &said) == nil && len(said.Errors) > 0 && said.Errors[0].Code != ""
}

// wholeAnswer reports an answer that has every member of a valid credential, and nothing that contradicts it.
func (c *recorded) wholeAnswer() bool {
	said, kind := c.verified(), c.machineKind()
	objects := map[string]string{apiKey: "api_key", m2m: "machine_to_machine_token", oauth: "clerk_idp_oauth_access_token"}
	prefixes := map[string]string{apiKey: "ak_", m2m: "mt_", oauth: "oat_"}
	types := map[string][]any{apiKey: {"api_key"}, m2m: {nil}, oauth: {"oauth:access_token", nil}}
	_, revoked := said["revoked"].(bool)
	_, expired := said["expired"].(bool)
	_, errors := said["errors"]
	id := text(said["id"])
	return said["object"] == objects[kind] && slices.Contains(types[kind], said["type"]) && strings.HasPrefix(id, prefixes[kind]) && id != prefixes[kind] &&
		text(said["subject"]) != "" && revoked && expired && !errors
}

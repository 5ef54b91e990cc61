package conformance_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

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

// namesMachine reports the claims of a machine's JWT that are read, in the types that Clerk writes.
func (t *token) namesMachine() bool {
	return text(t.claims["sub"]) != "" && !slices.ContainsFunc([]string{"jti", "client_id", "scope", "scopes"}, func(name string) bool {
		_, isText := t.claims[name].(string)
		return t.claims[name] != nil && !isText
	})
}

// admitJWT expects that a machine is let in as its JWT says.
func admitJWT(c *recorded, want *outcome) {
	claims, kind := maps.Clone(c.bearerToken().claims), c.machineKind()
	auth := map[string]any{"tokenType": kind, "id": claims["jti"], "subject": claims["sub"], "clientId": claims["client_id"]}
	scopes := []any{}
	for scope := range strings.FieldsSeq(text(claims["scope"]) + text(claims["scopes"])) {
		scopes = append(scopes, scope)
	}
	auth["scopes"] = scopes
	if subject := text(claims["sub"]); kind == oauth && strings.HasPrefix(subject, "user_") {
		auth["userId"] = subject
	}
	if kind == m2m {
		for _, name := range []string{"exp", "iat", "iss", "jti", "nbf", "sub"} {
			delete(claims, name)
		}
		auth["claims"] = claims
	}
	*want = outcome{Status: signedIn, Headers: map[string]string{}, Auth: recordedIdentity(auth)}
}

// decideOpaque expects what the Backend API says of an opaque credential, as the reference puts it.
func decideOpaque(c *recorded, want *outcome) {
	admitVerified(c, want)
	switch status := c.verifyStatus(); {
	case c.verified() != nil:
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		refuseAfterCalls(want, "secret-key-invalid")
	case status == http.StatusNotFound:
		refuseAfterCalls(want, "token-invalid")
	default:
		refuseAfterCalls(want, "unexpected-error")
	}
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
	_, ends := said["expiration"].(float64)
	_, scopes := textsIn(said["scopes"])
	typed := (ends || said["expiration"] == nil) && (scopes || said["scopes"] == nil)
	id := text(said["id"])
	return typed && said["object"] == objects[kind] && slices.Contains(types[kind], said["type"]) && strings.HasPrefix(id, prefixes[kind]) && id != prefixes[kind] &&
		text(said["subject"]) != "" && revoked && expired && !errors
}

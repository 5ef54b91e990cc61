package clerkauth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// FuzzSignedPayload signs any payload as the instance would. An accepted payload is one that
// golang-jwt accepts too, and its values are those that encoding/json finds under exactly the same
// names, none of them twice.
func FuzzSignedPayload(f *testing.F) {
	clerk, auth := harness.Offline(f, clerktest.Options{Now: harness.AtNoon})
	key, err := jwt.ParseRSAPublicKeyFromPEM([]byte(clerk.JWTKey()))
	if err != nil {
		f.Fatal(err)
	}
	const good = `{"azp":"https://example.com","exp":1772625660,"iat":1772625600,"iss":"https://clerk.example.com","nbf":1772625590,"sid":"sess_1","sub":"user_1","v":2,"fva":[0,-1]}`
	for _, replace := range [][]string{
		nil,
		{`"sub"`, `"SUB":"user_2","sub"`},
		{`"sub"`, `"sub":"user_2","sub"`},
		{`"sub"`, `"\u0073ub"`},
		{`1772625660`, `1772625660.5`},
		{`1772625660`, `1.77262566e9`},
		{`1772625660`, `"1772625660"`},
		{`1772625660`, `-1772625660`},
		{`1772625660`, `99999999999999999999`},
		{`"v":2`, `"x":1e400`},
		{`"v":2`, `"sts":"pending"`},
		{`"v":2`, `"act":{"sub":"user_3","SUB":"user_4"}`},
		{`"v":2`, `"o":{"id":"org_1","rol":"admin","slg":"a","per":"read","fpm":"3"},"fea":"o:x"`},
		{`"v":2`, `"org_id":"org_1","org_role":"org:admin"`},
		{`"user_1"`, `"\ud800"`},
		{`"user_1"`, `["user_1"]`},
		{`"azp":"https://example.com",`, ``},
		{`1772625590`, `null`},
		{`{`, "\ufeff{"},
		{`}`, `}{}`},
	} {
		f.Add(strings.NewReplacer(replace...).Replace(good))
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(harness.AtNoon), jwt.WithLeeway(6*time.Second), jwt.WithIssuedAt(), jwt.WithIssuer(clerk.Issuer()),
		jwt.WithJSONNumber()) // a claim that nobody reads may be a number too large for a float64
	f.Fuzz(func(t *testing.T, payload string) {
		token := clerk.Token(clerktest.Claims{RawPayload: []byte(payload)})
		session, err := auth.VerifyToken(t.Context(), token)
		if err != nil {
			return
		}
		if _, err := parser.Parse(token, func(*jwt.Token) (any, error) { return key, nil }); err != nil {
			t.Errorf("%q: golang-jwt refuses it: %v", payload, err)
		}
		claims, err := exact(payload)
		if err != nil {
			t.Fatalf("VerifyToken with the payload %q: %v", payload, err)
		}
		for _, c := range []struct{ name, got, want string }{
			{"sub", session.UserID, text(claims["sub"])},
			{"sid", session.ID, text(claims["sid"])},
			{"azp", session.AuthorizedParty, text(claims["azp"])},
			{"iss", clerk.Issuer(), text(claims["iss"])},
			{"act.sub", session.Actor.Subject, actor(claims["act"], session.Actor.Subject)},
			{"exp", session.ExpiresAt.UTC().Format(time.RFC3339), date(claims["exp"])},
		} {
			if c.got != c.want {
				t.Errorf("%q: %s: got %q, want %q as encoding/json reads it", payload, c.name, c.got, c.want)
			}
		}
		if status := text(claims["sts"]); status == "pending" || session.AuthorizedParty != harness.Origin || session.UserID == "" {
			t.Errorf("%q: signed in with status %q, for %q, as %q; want it refused", payload, status, session.AuthorizedParty, session.UserID)
		}
	})
}

// exact are the members of an object under exactly their names. It fails if one occurs twice.
func exact(object string) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(strings.NewReader(object))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil, fmt.Errorf("no object: %w", err)
	}
	members := map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err == nil {
			err = d.Decode(&value)
		}
		s, _ := name.(string)
		if _, twice := members[s]; twice || err != nil {
			return nil, fmt.Errorf("%q occurs twice, or %w", s, err)
		}
		members[s] = value
	}
	if !json.Valid([]byte(object)) {
		return nil, errors.New("no JSON")
	}
	return members, nil
}

// actor is the expected subject of act: an act that cannot be read is still an actor. encoding/json
// puts U+FFFD for half of a surrogate pair, so such a subject is possible.
func actor(act json.RawMessage, got string) string {
	if act == nil || string(act) == "null" {
		return ""
	}
	members, err := exact(string(act))
	switch subject := text(members["sub"]); {
	case strings.ContainsRune(subject, utf8.RuneError):
		return got
	case err == nil && subject != "":
		return subject
	}
	return "unknown"
}

// text is a JSON string; empty: it is not one.
func text(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s)
	return s
}

// date is a NumericDate in whole seconds.
func date(raw json.RawMessage) string {
	var seconds float64
	_ = json.Unmarshal(raw, &seconds)
	return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339)
}

package clerkauth_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestSessionClaimsDecodesTheWholePayload(t *testing.T) {
	s, err := session(t, map[string]any{"email": "a@example.com", "metadata": map[string]any{"tier": "gold", "limits": []int{1, 2}}, "big": json.Number("9007199254740993")})
	if err != nil {
		t.Fatal(err)
	}
	type custom struct {
		Subject  string `json:"sub"`
		Email    string `json:"email"`
		Big      int64  `json:"big"`
		Missing  *int   `json:"missing"`
		Metadata struct {
			Tier   string `json:"tier"`
			Limits []int  `json:"limits"`
		} `json:"metadata"`
	}
	for range 2 { // what one caller changes in the claims, the next does not see
		var got custom
		if err := s.Claims(&got); err != nil {
			t.Fatal(err)
		}
		if got.Subject != s.UserID || got.Email != "a@example.com" || got.Big != 9007199254740993 || got.Missing != nil ||
			got.Metadata.Tier != "gold" || len(got.Metadata.Limits) != 2 || got.Metadata.Limits[1] != 2 {
			t.Errorf("Claims read %+v, want the claims of the token", got)
		}
		got.Metadata.Limits[1] = 7
	}
	var everything map[string]any
	if err := s.Claims(&everything); err != nil || everything["sid"] != s.ID || everything["azp"] != "https://example.com" {
		t.Errorf("got %v, %v; want every claim", everything, err)
	}
	var raw json.RawMessage
	if err := s.Claims(&raw); err != nil {
		t.Fatal(err)
	}
	raw[0] = 'x'
	if err := s.Claims(&everything); err != nil {
		t.Errorf("a caller changed the payload for others: %v", err)
	}
}

// A copy of a session has its claims too, as does a pending session and the session of a request.
func TestSessionClaimsByEveryWay(t *testing.T) {
	a := harness.NewApp(t)
	for name, c := range map[string]clerktest.Claims{"signed in": {}, "pending": {Pending: true}} {
		c.Extra = map[string]any{"tier": "gold"}
		state := a.AuthenticateRequest(harness.Request("GET", "/", a.WithCookies(a.Clerk.Token(c))))
		for _, s := range []*clerkauth.Session{state.Session, state.Pending, a.Clerk.Session(c)} {
			var claims struct{ Tier string }
			if s == nil {
				continue
			}
			shallow := *s
			if err := shallow.Claims(&claims); err != nil || claims.Tier != "gold" {
				t.Errorf("%s: got tier %q, %v; want gold", name, claims.Tier, err)
			}
		}
		if (state.Session == nil) == (state.Pending == nil) {
			t.Errorf("%s: got session %v, pending %v; want one of them", name, state.Session, state.Pending)
		}
	}
}

func TestSessionClaimsErrors(t *testing.T) {
	s, err := session(t, map[string]any{"metadata": map[string]any{"tier": 5}})
	if err != nil {
		t.Fatal(err)
	}
	var wrong struct {
		Metadata struct{ Tier string }
	}
	if _, ok := errors.AsType[*json.UnmarshalTypeError](s.Claims(&wrong)); !ok {
		t.Errorf("a claim of another type: got %v, want what encoding/json says", s.Claims(&wrong))
	}
	for name, v := range map[string]any{"nil": nil, "no pointer": wrong} {
		if _, ok := errors.AsType[*json.InvalidUnmarshalError](s.Claims(v)); !ok {
			t.Errorf("%s: got %v, want what encoding/json says", name, s.Claims(v))
		}
	}
	// A session that a test wrote by hand was not read from a token: it has no claims to decode.
	ctx := clerkauth.NewContext(t.Context(), &clerkauth.Session{UserID: "user_1"})
	byHand, _ := clerkauth.FromContext(ctx)
	var claims map[string]any
	if err := byHand.Claims(&claims); err == nil || claims != nil {
		t.Errorf("a session written by hand: got %v, %v; want an error", claims, err)
	}
}

// encoding/json treats names that differ only in case (Unicode case folding) as equal, and the last
// one wins: an attacker who may write one claim would overwrite another.
func TestSessionClaimsRefusesNamesThatFold(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{Now: harness.AtNoon})
	var honest json.RawMessage
	if err := clerk.Session(clerktest.Claims{}).Claims(&honest); err != nil {
		t.Fatal(err)
	}
	for claims, refused := range map[string]bool{
		`"email":"a","name":"b"`:                   false,
		`"email":"a","Email":"b"`:                  true,
		`"email":"a","EMAIL":"b"`:                  true,
		`"email":"a","\u0045mail":"b"`:             true,
		`"Sub":"user_evil"`:                        true,
		`"SID":"sess_evil"`:                        true,
		`"task":1,"ta` + "\u017f" + `k":2`:         true, // the long s
		`"ta\u017fk":1,"TASK":2`:                   true,
		`"task":1,"tas` + "\u212a" + `":2`:         true, // the sign of kelvin
		`"tas\u212A":1,"tasK":2`:                   true,
		`"stra\u00dfe":1,"strasse":2`:              false, // no single letters
		`"\u00e9":1,"\u00c9":2`:                    true,
		`"\u00e9":1,"e\u0301":2`:                   false, // two spellings, and encoding/json knows them apart
		`"a":{"b":1,"c":2},"B":{"A":1}`:            false,
		`"metadata":{"role":"a","Role":"b"}`:       true,
		`"metadata": { "role": "a" , "Role": "b"}`: true,
		`"a":{"b":{"c":{"d":1,"D":2}}}`:            true,
		`"a":[{"b":1},{"B":2}]`:                    false,
		`"a":[{"b":1,"B":2}]`:                      true,
		`"a":[1,[[{"b":1,"B":2}]]]`:                true,
		`"a": [ 1 , [ { "b":1, "B":2 } ] ]`:        true,
		`"a":{"b":1,"b":2}`:                        true, // twice is ambiguous, too
		`"a":"{\"b\":1,\"B\":2}"`:                  false,
	} {
		raw := " " + strings.TrimSuffix(string(honest), "}") + "," + claims + "}\n"
		s, err := auth.VerifyToken(t.Context(), clerk.Token(clerktest.Claims{RawPayload: []byte(raw)}))
		if err != nil {
			t.Fatalf("a token with the claims %s: %v", claims, err)
		}
		if s.UserID != "user_2clerktest" || s.ID != "sess_2clerktest" {
			t.Errorf("%s: got %s in %s, want the token's own user and session", claims, s.UserID, s.ID)
		}
		var got map[string]any
		err = s.Claims(&got)
		if (err != nil) != refused || (got == nil) != refused {
			t.Errorf("%s: got %v, %v; want refused %t", claims, got, err, refused)
		}
		if err != nil && strings.Contains(strings.ToLower(err.Error()), "evil") {
			t.Errorf("%s: the error shows a claim: %v", claims, err)
		}
	}
}

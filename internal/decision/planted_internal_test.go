package decision

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// withHeader is a session token of noon's minute with these members in its header, and x in its payload.
func withHeader(t *testing.T, header map[string]any, sid, x string) string {
	t.Helper()
	j := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": issuer, "sub": "user_1", "sid": sid, "azp": appOrigin, "iat": noon.Unix(), "exp": noon.Unix() + 50, "x": x,
	})
	j.Header["kid"] = "k1"
	maps.Copy(j.Header, header)
	signed, err := j.SignedString(signing())
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// A sibling subdomain fills the cookie jar with values that cannot be session tokens. None takes the place of the visitor's
// own, wherever it is.
func TestPlantedValuesThatCannotBeTokens(t *testing.T) {
	const many = 70 // more than are read
	good := token(t, nil)
	input := good[:strings.LastIndexByte(good, '.')]
	signature := strings.Repeat("A", 342)
	for name, planted := range map[string]func(i int) string{
		"too long":              func(i int) string { return fmt.Sprintf("%s%0*d.%s", input, sessiontoken.MaxSize, i, signature) },
		"two parts":             func(i int) string { return fmt.Sprintf("a%d.%s", i, signature) },
		"four parts":            func(i int) string { return fmt.Sprintf("a%d.b.c.%s", i, signature) },
		"a signature too short": func(i int) string { return fmt.Sprintf("%s%d.%s", input, i, signature[1:]) },
	} {
		var cookies []string
		for i := range many {
			cookies = append(cookies, "__session="+planted(i))
		}
		flood := strings.Join(cookies, "; ")
		for at, cookie := range map[string]string{"first": "__session=" + good + "; " + flood, "last": flood + "; __session=" + good} {
			var e Evidence
			o := decider(t).outcome(request(http.MethodGet, appOrigin+"/", asScript, "Cookie: __client_uat=1; "+cookie), &e, noon)
			if o.Reason != "" || o.Token != good {
				t.Errorf("%s, the visitor's own is %s: got %q, want signed in by it", name, at, o.Reason)
			}
		}
	}
}

// The largest session token that is read counts beside planted values, too.
func TestLargestTokenBesidePlantedValues(t *testing.T) {
	padded := map[string]any{"pad": "x"} // base64url has no length for every size
	left := sessiontoken.MaxSize - len(withHeader(t, padded, "sess_1", ""))
	largest := withHeader(t, padded, "sess_1", strings.Repeat("x", left*3/4))
	if len(largest) != sessiontoken.MaxSize {
		t.Fatalf("the token has %d bytes, want %d", len(largest), sessiontoken.MaxSize)
	}
	var e Evidence
	o := decider(t).outcome(request(http.MethodGet, appOrigin+"/", asScript, "Cookie: __client_uat=1; __session=planted; __session="+largest), &e, noon)
	if o.Reason != "" || o.Token != largest {
		t.Errorf("a token of %d bytes: got %q, want signed in by it", len(largest), o.Reason)
	}
}

// A sibling subdomain plants copies of the visitor's own claims whose header is not that of Clerk's session tokens. They use
// up none of the signatures that are verified for a request.
func TestPlantedHeaders(t *testing.T) {
	good := token(t, nil)
	for name, header := range map[string]map[string]any{"another type": {"typ": "JWS"}, "another algorithm": {"alg": "RS512"}} {
		var cookies []string
		for i := range 10 {
			cookies = append(cookies, "__session="+withHeader(t, header, fmt.Sprint("sess_", i), ""))
		}
		var e Evidence
		o := decider(t).outcome(request(http.MethodGet, appOrigin+"/", asScript, "Cookie: __client_uat=1; "+strings.Join(cookies, "; ")+"; __session="+good), &e, noon)
		if o.Reason != "" || o.Token != good {
			t.Errorf("%s: got %q, want signed in by the visitor's own", name, o.Reason)
		}
	}
}

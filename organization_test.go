package clerkauth_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// session returns the session of a token with these claims added.
func session(t *testing.T, extra map[string]any) (*clerkauth.Session, error) {
	t.Helper()
	clerk, auth := harness.Offline(t, clerktest.Options{Now: harness.AtNoon})
	defer clerk.Close() // the next takes its key
	return auth.VerifyToken(t.Context(), clerk.Token(clerktest.Claims{Extra: extra}))
}

func TestSessionOfEveryClaim(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{Now: harness.AtNoon}, func(c *clerkauth.Config) { c.AllowPending = true })
	for version := 1; version <= 2; version++ {
		s, err := auth.VerifyToken(t.Context(), clerk.Token(clerktest.Claims{
			Version: version, Subject: "user_alice", SessionID: "sess_alice", Pending: true,
			IssuedAt: harness.Noon.Add(-2 * time.Second), NotBefore: harness.Noon.Add(-7 * time.Second), ExpiresAt: harness.Noon.Add(50 * time.Second),
			FirstFactorAt: harness.Noon.Add(-3*time.Minute - 2*time.Second), SecondFactorAt: harness.Noon.Add(-90*time.Minute - 2*time.Second),
			Organization: clerkauth.Organization{ID: "org_acme", Slug: "acme", Role: "admin"},
			Permissions:  []string{"org:invoices:create", "org:reports:read"},
			Actor:        clerkauth.Actor{Subject: "user_support", SessionID: "sess_support"},
		}))
		if err != nil {
			t.Fatalf("a token of version %d: %v", version, err)
		}
		got := fmt.Sprintf("%s %s %v %v %v %s %v %v %v %v", s.ID, s.UserID, s.Organization, s.Actor, s.Pending, s.AuthorizedParty,
			s.IssuedAt.UTC().Format(time.TimeOnly), s.NotBefore.UTC().Format(time.TimeOnly), s.ExpiresAt.UTC().Format(time.TimeOnly),
			[]string{s.FirstFactorAt.UTC().Format(time.TimeOnly), s.SecondFactorAt.UTC().Format(time.TimeOnly)})
		want := "sess_alice user_alice {org_acme acme org:admin} {user_support sess_support} true https://example.com 11:59:58 11:59:53 12:00:50 [11:56:58 10:29:58]"
		if got != want {
			t.Errorf("version %d:\ngot  %s\nwant %s", version, got, want)
		}
		if got := s.Permissions(); !slices.Equal(got, []string{"org:invoices:create", "org:reports:read"}) {
			t.Errorf("version %d: got the permissions %q, want org:invoices:create and org:reports:read", version, got)
		}
	}
}

func TestSessionOfFewClaims(t *testing.T) {
	s, err := session(t, map[string]any{"nbf": clerktest.Absent, "iat": clerktest.Absent, "fva": clerktest.Absent, "sts": clerktest.Absent, "v": clerktest.Absent})
	if err != nil {
		t.Fatal(err)
	}
	if !s.NotBefore.IsZero() || !s.IssuedAt.IsZero() || !s.FirstFactorAt.IsZero() || !s.SecondFactorAt.IsZero() || s.Pending ||
		s.Organization != (clerkauth.Organization{}) || s.Actor != (clerkauth.Actor{}) || len(s.Permissions()) != 0 {
		t.Errorf("got %+v with permissions %q, want nothing that the token does not say", s, s.Permissions())
	}
}

func TestOrganizationOfVersion2(t *testing.T) {
	type o = map[string]any
	acme := clerkauth.Organization{ID: "org_acme", Slug: "acme", Role: "org:admin"}
	for name, c := range map[string]struct {
		claims      map[string]any
		want        clerkauth.Organization
		permissions []string
	}{
		"none":           {o{}, clerkauth.Organization{}, nil},
		"whole":          {o{"o": o{"id": "org_acme", "slg": "acme", "rol": "admin"}}, acme, nil},
		"role prefixed":  {o{"o": o{"id": "org_acme", "slg": "acme", "rol": "org:admin"}}, acme, nil},
		"no role":        {o{"o": o{"id": "org_acme"}}, clerkauth.Organization{ID: "org_acme"}, nil},
		"no id":          {o{"o": o{"slg": "acme", "rol": "admin", "per": "read", "fpm": "1"}, "fea": "o:x"}, clerkauth.Organization{}, nil},
		"id of a number": {o{"o": o{"id": 5, "slg": "acme", "rol": "admin"}}, clerkauth.Organization{}, nil},
		"role of a list": {o{"o": o{"id": "org_acme", "slg": "acme", "rol": []string{"admin"}}}, clerkauth.Organization{ID: "org_acme", Slug: "acme"}, nil},
		"null":           {o{"o": nil}, clerkauth.Organization{}, nil},
		"false":          {o{"o": false}, clerkauth.Organization{}, nil},
		"zero":           {o{"o": 0}, clerkauth.Organization{}, nil},
		"empty text":     {o{"o": ""}, clerkauth.Organization{}, nil},
		"text":           {o{"o": "org_acme"}, clerkauth.Organization{}, nil},
		"a list":         {o{"o": []any{o{"id": "org_acme"}}}, clerkauth.Organization{}, nil},
		"id twice":       {o{"o": json.RawMessage(`{"id":"org_acme","id":"org_evil"}`)}, clerkauth.Organization{}, nil},
		"ID":             {o{"o": json.RawMessage(`{"ID":"org_evil","id":"org_acme","Rol":"admin"}`)}, clerkauth.Organization{ID: "org_acme"}, nil},
		"of version 1 beside it": {
			o{"o": o{"id": "org_acme", "slg": "acme", "rol": "admin"}, "org_id": "org_evil", "org_role": "org:owner", "org_permissions": []string{"org:x:y"}}, acme, nil,
		},
		"version 1 alone": {o{"org_id": "org_evil", "org_role": "org:owner", "org_permissions": []string{"org:x:y"}}, clerkauth.Organization{}, nil},
		"a version that is 2": {
			o{"v": json.Number("2.0"), "o": o{"id": "org_acme", "slg": "acme", "rol": "admin"}}, acme, nil,
		},
		"a version that is text": {o{"v": "2", "o": o{"id": "org_acme"}}, clerkauth.Organization{}, nil},
		"a version to come":      {o{"v": 3, "o": o{"id": "org_acme"}}, clerkauth.Organization{}, nil},
		"no version":             {o{"v": clerktest.Absent, "o": o{"id": "org_acme"}}, clerkauth.Organization{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := session(t, c.claims)
			if err != nil {
				t.Fatal(err)
			}
			if s.Organization != c.want || !slices.Equal(s.Permissions(), c.permissions) {
				t.Errorf("got %+v with %q, want %+v with %q", s.Organization, s.Permissions(), c.want, c.permissions)
			}
		})
	}
}

func TestOrganizationOfVersion1(t *testing.T) {
	for name, c := range map[string]struct {
		claims      map[string]any
		want        clerkauth.Organization
		permissions []string
	}{
		"whole": {
			map[string]any{"org_id": "org_acme", "org_slug": "acme", "org_role": "org:admin", "org_permissions": []string{"org:a:b", "org:c:d"}},
			clerkauth.Organization{ID: "org_acme", Slug: "acme", Role: "org:admin"},
			[]string{"org:a:b", "org:c:d"},
		},
		"no id":          {map[string]any{"org_slug": "acme", "org_role": "org:admin", "org_permissions": []string{"org:a:b"}}, clerkauth.Organization{}, nil},
		"id of a number": {map[string]any{"org_id": 5, "org_role": "org:admin"}, clerkauth.Organization{}, nil},
		"permissions of other types": {
			map[string]any{"org_id": "org_acme", "org_permissions": []any{"org:a:b", 5, nil, []string{"org:c:d"}}}, clerkauth.Organization{ID: "org_acme"}, []string{"org:a:b"},
		},
		"permissions that are text": {map[string]any{"org_id": "org_acme", "org_permissions": "org:a:b"}, clerkauth.Organization{ID: "org_acme"}, nil},
		"of version 2 beside it": {
			map[string]any{"org_id": "org_acme", "o": map[string]any{"id": "org_evil", "per": "read", "fpm": "1"}, "fea": "o:x"}, clerkauth.Organization{ID: "org_acme"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.claims["v"] = clerktest.Absent
			s, err := session(t, c.claims)
			if err != nil {
				t.Fatal(err)
			}
			if s.Organization != c.want || !slices.Equal(s.Permissions(), c.permissions) {
				t.Errorf("got %+v with %q, want %+v with %q", s.Organization, s.Permissions(), c.want, c.permissions)
			}
		})
	}
}

// fpm has a number for each feature of the organization, in the order of fea, whose lowest bit
// stands for the first name in per.
func TestPermissionMap(t *testing.T) {
	names := make([]string, 70)
	for i := range names {
		names[i] = fmt.Sprintf("p%d", i)
	}
	for name, c := range map[string]struct {
		fea, per, fpm string
		want          []string
	}{
		"one":                             {"o:a", "read", "1", []string{"org:a:read"}},
		"lowest bit first":                {"o:a", "read,create,manage", "5", []string{"org:a:read", "org:a:manage"}},
		"two features":                    {"o:a,o:b", "read,create", "2,3", []string{"org:a:create", "org:b:read", "org:b:create"}},
		"the user's have no number":       {"u:x,o:a,u:y,o:b", "read,create", "1,2", []string{"org:a:read", "org:b:create"}},
		"of both":                         {"ou:a,uo:b", "read", "1,1", []string{"org:a:read", "org:b:read"}},
		"none":                            {"o:a", "read", "0", nil},
		"bits without a name":             {"o:a", "read", "255", []string{"org:a:read"}},
		"numbers without a feature":       {"o:a", "read", "1,1,1", []string{"org:a:read"}},
		"features without a number":       {"o:a,o:b", "read", "1", []string{"org:a:read"}},
		"white space":                     {" o:a , o:b ", " read , create ", " 1 , 2 ", []string{"org:a:read", "org:b:create"}},
		"no names":                        {"o:a", "", "1", nil},
		"an empty name":                   {"o:a", "read,,create", "7", []string{"org:a:read", "org:a:create"}},
		"no numbers":                      {"o:a", "read", "", nil},
		"no features":                     {"", "read", "1", nil},
		"a feature without a name":        {"o:,o:b", "read", "1,1", []string{"org:b:read"}},
		"a scope of its own":              {"x:a,o:b", "read", "1,1", []string{"org:b:read"}},
		"colons in a feature":             {"o:a:b", "read", "1", []string{"org:a:b:read"}},
		"a number that is none":           {"o:a,o:b,o:c", "read", "x,1,1x", []string{"org:b:read"}},
		"a negative number":               {"o:a", "read", "-1", nil},
		"a sign":                          {"o:a", "read", "+1", nil},
		"hexadecimal":                     {"o:a", "read", "0x1", nil},
		"underscores":                     {"o:a", "read,b,c,d", "1_1", nil},
		"a fraction":                      {"o:a", "read", "1.0", nil},
		"leading zeros":                   {"o:a", "read,create", "002", []string{"org:a:create"}},
		"more names than an integer bits": {"o:a", strings.Join(names, ","), "590295810358705651713", []string{"org:a:p0", "org:a:p69"}},
		"the longest number":              {"o:a", "read", strings.Repeat("1", 128), []string{"org:a:read"}},
		"a number that never ends":        {"o:a,o:b", "read", strings.Repeat("1", 129) + ",1", []string{"org:b:read"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := session(t, map[string]any{"fea": c.fea, "o": map[string]any{"id": "org_acme", "per": c.per, "fpm": c.fpm}})
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Permissions(); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// To read half of an organization's permissions would be a guess.
func TestPermissionsOfAnotherFormAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		fea, per, fpm any
		want          clerkauth.Reason
	}{
		"as Clerk writes them":    {"o:a", "read", "1", ""},
		"left out":                {clerktest.Absent, clerktest.Absent, clerktest.Absent, ""},
		"null":                    {nil, nil, nil, ""},
		"features in a list":      {[]string{"o:a"}, "read", "1", clerkauth.ReasonTokenVerificationFailed},
		"a feature without scope": {"o:a,b", "read", "1", clerkauth.ReasonTokenVerificationFailed},
		"names in a list":         {"o:a", []string{"read"}, "1", clerkauth.ReasonTokenVerificationFailed},
		"a bare number":           {"o:a", "read", 1, clerkauth.ReasonTokenVerificationFailed},
	} {
		t.Run(name, func(t *testing.T) {
			clerk, auth := harness.Offline(t, clerktest.Options{})
			o := map[string]any{"id": "org_acme"}
			for name, value := range map[string]any{"per": c.per, "fpm": c.fpm} {
				if value != any(clerktest.Absent) {
					o[name] = value
				}
			}
			if got := harness.Judge(t, auth, clerk.Token(clerktest.Claims{Extra: map[string]any{"fea": c.fea, "o": o}})); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Each request has its own copy of the permissions.
func TestPermissionsAreANewSlice(t *testing.T) {
	s, err := session(t, map[string]any{"fea": "o:a", "o": map[string]any{"id": "org_acme", "per": "read", "fpm": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	s.Permissions()[0] = "org:a:manage"
	if got := s.Permissions()[0]; got != "org:a:read" {
		t.Errorf("got %q after a copy was changed, want org:a:read", got)
	}
}

// An actor who acts for the user is never overlooked, whatever the form of act.
func TestActor(t *testing.T) {
	unknown := clerkauth.Actor{Subject: "unknown"}
	for _, c := range []struct {
		act  any
		want clerkauth.Actor
	}{
		{clerktest.Absent, clerkauth.Actor{}},
		{nil, clerkauth.Actor{}},
		{map[string]any{"sub": "user_support", "sid": "sess_support", "iss": "https://dashboard.clerk.com"}, clerkauth.Actor{Subject: "user_support", SessionID: "sess_support"}},
		{map[string]any{"sub": "user_support"}, clerkauth.Actor{Subject: "user_support"}},
		{map[string]any{"sid": "sess_support"}, clerkauth.Actor{Subject: "unknown", SessionID: "sess_support"}},
		{map[string]any{"sub": 5}, unknown},
		{map[string]any{"sub": ""}, unknown},
		{map[string]any{"SUB": "user_support"}, unknown},
		{json.RawMessage(`{"sub":"user_1","sub":"user_2"}`), unknown},
		{map[string]any{}, unknown},
		{[]any{}, unknown},
		{"user_support", unknown},
		{"", unknown},
		{0, unknown},
		{false, unknown},
	} {
		s, err := session(t, map[string]any{"act": c.act})
		if err != nil {
			t.Fatal(err)
		}
		if s.Actor != c.want {
			t.Errorf("act %v: got %+v, want %+v", c.act, s.Actor, c.want)
		}
	}
}

// Only "pending" means a task to complete: it refuses a session unless the configuration says otherwise.
func TestPendingSessions(t *testing.T) {
	for _, allow := range []bool{false, true} {
		clerk, auth := harness.Offline(t, clerktest.Options{}, func(c *clerkauth.Config) { c.AllowPending = allow })
		for _, sts := range []any{"active", "pending", clerktest.Absent, nil, "", "PENDING", 5} {
			token := clerk.Token(clerktest.Claims{Extra: map[string]any{"sts": sts}})
			want, pending := clerkauth.Reason(""), sts == "pending"
			if pending && !allow {
				want = clerkauth.ReasonSessionPending
			}
			if got := harness.Judge(t, auth, token); got != want {
				t.Errorf("sts %v, allowed %v: got %q, want %q", sts, allow, got, want)
			}
			if s, err := auth.VerifyToken(t.Context(), token); err == nil && s.Pending != pending {
				t.Errorf("sts %v: got Pending %v, want %v", sts, s.Pending, pending)
			}
		}
	}
}

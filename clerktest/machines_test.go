package clerktest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

type verified struct {
	Object, ID, Subject, Secret string
	Scopes                      []string
	Revoked, Expired            bool
	Expiration                  *int64
}

func TestMachinesAreVerified(t *testing.T) {
	at := noon
	in := development(t, func(o *clerktest.Options) { o.Now = func() time.Time { return at } })
	for _, k := range []struct {
		mint                 func(clerktest.MachineClaims) string
		path, member, object string
	}{
		{in.APIKey, "/api_keys/verify", "secret", "api_key"},
		{in.M2M, "/m2m_tokens/verify", "token", "machine_to_machine_token"},
		{in.OAuth, "/oauth_applications/access_tokens/verify", "access_token", "clerk_idp_oauth_access_token"},
	} {
		ask := func(credential string, status int) verified {
			t.Helper()
			return server[verified](t, in, "POST", k.path, `{"`+k.member+`":"`+credential+`"}`, status)
		}
		credential := k.mint(clerktest.MachineClaims{Scopes: []string{"a", "b"}})
		if got := ask(credential, 200); got.Object != k.object || got.ID == "" || got.Subject == "" || strings.Join(got.Scopes, " ") != "a b" || got.Revoked || got.Expired || got.Expiration != nil {
			t.Errorf("%s: got %+v, want %s with an ID, a subject, the scopes a and b, and no end", k.path, got, k.object)
		}
		in.Revoke(credential)
		if got := ask(credential, 200); !got.Revoked || got.Expired {
			t.Errorf("%s, revoked: got %+v, want revoked and not expired", k.path, got)
		}
		ends := k.mint(clerktest.MachineClaims{ExpiresAt: noon.Add(time.Minute)})
		if got := ask(ends, 200); got.Expired || got.Expiration == nil || *got.Expiration != noon.Add(time.Minute).UnixMilli() {
			t.Errorf("%s, with an end: got %+v, want the end a minute after noon, not expired", k.path, got)
		}
		at = noon.Add(time.Minute)
		if got := ask(ends, 200); !got.Expired {
			t.Errorf("%s, after its end: got %+v, want expired", k.path, got)
		}
		at = noon
		in.Expire(ends)
		if got := ask(ends, 200); !got.Expired {
			t.Errorf("%s, minted as expired: got %+v, want expired", k.path, got)
		}
		ask(credential+"x", 404)
		ask("", 404)
		server[any](t, in, "POST", k.path, "{", 400)
		for _, other := range []func(clerktest.MachineClaims) string{in.APIKey, in.M2M, in.OAuth} {
			if c := other(clerktest.MachineClaims{}); c[:2] != credential[:2] {
				ask(c, 404)
			}
		}
	}
}

// The secret key of a machine verifies only M2M tokens; without a key nothing is verified.
func TestWhoMayVerify(t *testing.T) {
	in := development(t, nil)
	for path, machine := range map[string]int{"/m2m_tokens/verify": 404, "/api_keys/verify": 401, "/oauth_applications/access_tokens/verify": 401, "/api_keys": 401} {
		for key, want := range map[string]int{in.MachineSecretKey(): machine, "ak_x": 401, "": 401} {
			a := exchange(t, in, nil, "POST", "https://api.clerk.com"+path, `{}`, http.Header{"Authorization": {"Bearer " + key}})
			if a.status != want {
				t.Errorf("%s with %.4s: got %d %s, want %d", path, key, a.status, a.body, want)
			}
		}
	}
}

// A machine's own secret key verifies the tokens for that machine, as Clerk's document of the
// endpoint says.
func TestAMachineVerifiesTokensForItself(t *testing.T) {
	in := development(t, nil)
	for to, want := range map[string]int{clerktest.MachineID: 200, "mch_another": 404} {
		token := in.M2M(clerktest.MachineClaims{Scopes: []string{to}})
		for key, status := range map[string]int{in.MachineSecretKey(): want, in.SecretKey(): 200} {
			a := exchange(t, in, nil, "POST", "https://api.clerk.com/m2m_tokens/verify", `{"token":"`+token+`"}`, http.Header{"Authorization": {"Bearer " + key}})
			if a.status != status {
				t.Errorf("for %s with %.4s: got %d %s, want %d", to, key, a.status, a.body, status)
			}
		}
	}
}

func TestCredentialsOfOthersPanic(t *testing.T) {
	in, other := development(t, nil), development(t, nil)
	key := other.APIKey(clerktest.MachineClaims{})
	for name, f := range map[string]func(string){"Revoke": in.Revoke, "Expire": in.Expire} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic, want one", name)
				}
			}()
			f(key)
		}()
	}
}

// Config has the ID of a machine, and M2M tokens are for it.
func TestConfigIsOfAMachine(t *testing.T) {
	in := development(t, nil)
	auth, err := clerkauth.New(in.Config())
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{in.M2M(clerktest.MachineClaims{}), in.M2MJWT(clerktest.MachineClaims{})} {
		m, err := auth.VerifyMachine(t.Context(), token, clerkauth.M2MTokens())
		if err != nil || m.Subject != "mch_2sender" || len(m.Scopes) != 1 || m.Scopes[0] != clerktest.MachineID {
			t.Errorf("got %+v and %v, want mch_2sender for %s", m, err, clerktest.MachineID)
		}
	}
}

// An application's test looks like this.
func TestAnApplicationOfMachines(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	key := clerk.APIKey(clerktest.MachineClaims{Subject: "user_ada", Scopes: []string{"invoices:read"}})
	clerk.Revoke(key)
	clerk.Fault(clerktest.BackendVerifyAPIKey, clerktest.Down)

	auth := newAuthenticator(clerk)
	if _, err := auth.VerifyMachine(t.Context(), key, clerkauth.APIKeys()); !strings.Contains(err.Error(), string(clerkauth.ReasonCredentialUnverifiable)) {
		t.Errorf("while the Backend API is down: got %v, want %s", err, clerkauth.ReasonCredentialUnverifiable)
	}
}

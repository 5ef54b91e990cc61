package threats_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// TestThiefSpeaksHTTPDirectly sends requests of a thief who has a victim's token without azp, with
// any headers.
func TestThiefSpeaksHTTPDirectly(t *testing.T) {
	b := harness.NewApp(t)
	stolen := b.WithoutAZP(clerktest.Claims{Subject: "user_2victim", SessionID: "sess_2victim"})
	own := b.PartyCookie(clerktest.Claims{Subject: "user_2thief", SessionID: "sess_2thief"})
	until := strconv.FormatInt(b.Now.Add(time.Hour).Unix(), 10)
	name, _, _ := strings.Cut(own, "=")
	message := "v2\x00" + b.Clerk.Issuer() + "\x00https://example.com\x00sess_2victim\x00user_2victim\x00" + until
	hash := sha256.Sum256([]byte(message))
	guessed := hmac.New(sha256.New, []byte(b.Clerk.PublishableKey()))
	guessed.Write([]byte(message))
	for what, cookie := range map[string]string{
		"nothing":                    "",
		"their own cookie":           own,
		"a hash, which needs no key": name + "=v2." + until + "." + base64.RawURLEncoding.EncodeToString(hash[:]),
		"a MAC with what is public":  name + "=v2." + until + "." + base64.RawURLEncoding.EncodeToString(guessed.Sum(nil)),
		"an empty MAC":               name + "=v2." + until + ".",
		"a state of their own":       harness.TriedName + "=1; __clerk_redirect_count=3",
	} {
		t.Run(what, func(t *testing.T) {
			for _, r := range []*http.Request{b.Page(stolen, cookie), b.Script(stolen, cookie)} {
				if state := b.AuthenticateRequest(r); state.Status == clerkauth.StatusSignedIn {
					t.Error("the thief is signed in")
				}
			}
		})
	}
}

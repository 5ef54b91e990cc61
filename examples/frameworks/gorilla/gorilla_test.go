package gorilla_test

import (
	"net/http"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/examples/frameworks/gorilla"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
)

func sockets(auth *clerkauth.Authenticator, answer func(*clerkauth.Session, []byte) []byte, checks ...clerkauth.Check) http.Handler {
	return gorilla.Socket{Auth: auth, Checks: checks, Answer: answer}.Handler()
}

func TestUpgrades(t *testing.T) { contract.Upgrades(t, sockets) }

func TestConnectionEndsWithItsToken(t *testing.T) { contract.Ends(t, sockets) }

func TestRenewals(t *testing.T) { contract.Renewals(t, sockets) }

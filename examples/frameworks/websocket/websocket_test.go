package websocket_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
	"github.com/clerkauth/clerkauth/examples/frameworks/websocket"
)

func sockets(auth *clerkauth.Authenticator, answer func(*clerkauth.Session, []byte) []byte, checks ...clerkauth.Check) http.Handler {
	return websocket.Socket{Auth: auth, Checks: checks, Answer: func(_ context.Context, s *clerkauth.Session, m []byte) []byte {
		return answer(s, m)
	}}.Handler()
}

func TestUpgrades(t *testing.T) { contract.Upgrades(t, sockets) }

func TestConnectionEndsWithItsToken(t *testing.T) { contract.Ends(t, sockets) }

func TestRenewals(t *testing.T) { contract.Renewals(t, sockets) }

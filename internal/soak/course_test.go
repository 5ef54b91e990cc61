package soak_test

import (
	"net/http"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// happening is what changes before the requests of a tick.
type happening struct {
	name string
	do   func(s *soak)
}

const (
	ticks = 200

	// publishedAhead is how long a new key is published before it signs. Strangers with unknown
	// keys make the application fetch the keys at most every 10 s: within that it knows a new one,
	// too.
	publishedAhead = 15
	// recovery is how long the Backend API may get no call after an outage: 10 s from its last failure.
	recovery = 12 * time.Second
	// revocation is how long a revoked key may still be used: until the next fetch for an unknown one.
	revocation = 12 * time.Second
)

// course is what happens in a cycle, by tick. At its end nothing is out of order.
var course = func() [ticks]happening {
	var c [ticks]happening
	c[5] = happening{"a key is published", (*soak).publish}
	c[5+publishedAhead] = happening{"the new key signs", func(s *soak) { s.clerk.RotateKey() }}
	c[40] = happening{"the keys' endpoint fails", func(s *soak) {
		s.keysUntil = never
		s.clerk.Fault(clerktest.BackendJWKS, clerktest.Status(http.StatusInternalServerError, nil))
	}}
	c[45] = happening{"6 minutes pass meanwhile", jump(6 * time.Minute)}
	c[52] = happening{"it is back", func(s *soak) {
		s.keysUntil = s.clock.now().Add(recovery)
		s.clerk.Fault(clerktest.BackendJWKS, nil)
	}}

	c[60] = happening{"the Backend API refuses connections", (*soak).kill}
	c[66] = happening{"90 seconds pass meanwhile", jump(90 * time.Second)}
	c[75] = happening{"it is started again", (*soak).restart}

	c[90] = happening{"sessions and credentials are revoked", (*soak).revoke}

	c[100] = happening{"the Backend API hangs, keys included, and 6 minutes pass", (*soak).hang}
	c[102] = happening{"it answers again", (*soak).resume}

	c[120] = happening{"the old key is revoked", (*soak).revokeKey}
	c[140] = happening{"the clock goes back 4 seconds", jump(-4 * time.Second)}
	c[150] = happening{"26 hours pass", jump(26 * time.Hour)}
	c[170] = happening{"the clock goes back 10 minutes", jump(-10 * time.Minute)}
	return c
}()

func jump(d time.Duration) func(*soak) { return func(s *soak) { s.clock.jump(d) } }

// publish publishes the next key, and mints a token of the current one, which it will replace.
func (s *soak) publish() {
	s.old = s.clerk.Token(clerktest.Claims{Subject: "user_old", ExpiresAt: s.clock.now().Add(100 * 24 * time.Hour), IssuedAt: s.clock.now()})
	s.oldUntil, s.oldKey = time.Time{}, s.clerk.KeyID()
	s.clerk.PublishKey()
}

func (s *soak) revokeKey() {
	s.clerk.RevokeKey(s.oldKey)
	s.revoked[s.oldKey] = true
	s.oldUntil = s.clock.now().Add(revocation)
}

// never is later than any time in the soak.
var never = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *soak) kill() {
	s.backend.kill()
	s.outUntil, s.keysUntil = never, never
}

func (s *soak) restart() {
	s.backend.start()
	s.outUntil = s.clock.now().Add(recovery)
	s.keysUntil = s.outUntil
}

var backendEndpoints = []clerktest.Endpoint{
	clerktest.BackendJWKS, clerktest.BackendRefresh, clerktest.BackendHandshake,
	clerktest.BackendVerifyAPIKey, clerktest.BackendVerifyM2M, clerktest.BackendVerifyOAuth,
}

func (s *soak) hang() {
	for _, e := range backendEndpoints {
		s.clerk.Fault(e, clerktest.Hang)
	}
	s.clock.jump(6 * time.Minute)
	s.outUntil, s.keysUntil = never, never
}

func (s *soak) resume() {
	for _, e := range backendEndpoints {
		s.clerk.Fault(e, nil)
	}
	s.outUntil = s.clock.now().Add(recovery)
	s.keysUntil = s.outUntil
}

// revoke ends some sessions, and a credential of each kind.
func (s *soak) revoke() {
	for range 20 {
		s.anyBrowser().end()
	}
	for _, m := range s.machines {
		if m.opaque && !m.spare {
			s.clerk.Revoke(m.secret)
			s.withdrawn = append(s.withdrawn, m.secret)
			m.secret = m.mint()
		}
	}
	s.withdrawn = s.withdrawn[max(0, len(s.withdrawn)-30):]
}

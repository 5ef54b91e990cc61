package machine

import (
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/reasons"
)

// Without an ID of its own no machine is meant, not even by a token for the empty name.
func TestNoMachineIsMeant(t *testing.T) {
	v := &Verifier{Settings: &Settings{}}
	c := &Claims{Kind: M2M, Subject: "mch_1", Scopes: []string{""}, audience: []string{""}}
	if reason, err := v.judge(c, time.Now()); reason != reasons.TokenVerificationFailed || err == nil {
		t.Errorf("got %q, %v", reason, err)
	}
}

// What is remembered has a bound, and what has no meaning any more goes first.
func TestMemoryIsBounded(t *testing.T) {
	now := time.Now()
	m := map[digest]refusal{}
	for i := range byte(200) {
		at := now
		if i%2 == 0 {
			at = now.Add(-time.Hour)
		}
		m[digest{i}] = refusal{at: at}
	}
	fresh := func(r refusal) bool { return within(now, r.at, refusedFor) }
	makeRoom(m, 300, fresh)
	if len(m) != 200 {
		t.Errorf("%d are left where there is room", len(m))
	}
	makeRoom(m, 200, fresh)
	if len(m) != 100 {
		t.Errorf("%d are left, want the fresh ones", len(m))
	}
	makeRoom(m, 100, fresh)
	if len(m) != 75 {
		t.Errorf("%d are left, want three quarters", len(m))
	}

	a := newAsker(nil, &Settings{Now: time.Now, TTL: time.Minute})
	for i := range max(maxKnown, maxRefused) + 10 {
		key := digest{byte(i), byte(i >> 8), byte(i >> 16)}
		for n, reason := range []reasons.Reason{"", reasons.TokenInvalid} {
			key[31] = byte(n)
			a.end(key, &question{verdict: Verdict{Claims: &Claims{}, Reason: reason}}, now)
		}
	}
	if len(a.good) > maxKnown || len(a.refused) > maxRefused {
		t.Errorf("%d good and %d refused ones are remembered", len(a.good), len(a.refused))
	}
}

// Where answers are not used again, no more than a hash is remembered.
func TestOnlyAHashIsRemembered(t *testing.T) {
	for _, ttl := range []time.Duration{0, time.Minute} {
		a := newAsker(nil, &Settings{Now: time.Now, TTL: ttl})
		a.end(digest{1}, &question{verdict: Verdict{Claims: &Claims{Subject: "user_1"}}}, time.Now())
		if g, ok := a.good[digest{1}]; !ok || (g.claims != nil) != (ttl > 0) {
			t.Errorf("%s: %+v is remembered", ttl, g)
		}
	}
}

// An answer that leaves a question open is not remembered, whatever was known before.
func TestOpenQuestionsAreNotRemembered(t *testing.T) {
	a := newAsker(nil, &Settings{Now: time.Now})
	now := time.Now()
	a.end(digest{1}, &question{}, now)
	for _, reason := range []reasons.Reason{reasons.CredentialUnverifiable, reasons.SecretKeyInvalid} {
		a.end(digest{1}, &question{verdict: Verdict{Reason: reason}}, now)
		a.end(digest{2}, &question{verdict: Verdict{Reason: reason}}, now)
	}
	if _, ok := a.good[digest{1}]; !ok || len(a.good) != 1 || len(a.refused) != 0 {
		t.Errorf("%v and %v are remembered, want the one that was good", a.good, a.refused)
	}
	a.end(digest{1}, &question{verdict: Verdict{Reason: reasons.TokenInvalid}}, now)
	if len(a.good) != 0 || len(a.refused) != 1 {
		t.Errorf("%v and %v are remembered, want that it does not hold any more", a.good, a.refused)
	}
	a.end(digest{1}, &question{}, now)
	if len(a.good) != 1 || len(a.refused) != 0 {
		t.Errorf("%v and %v are remembered, want that it holds again", a.good, a.refused)
	}
}

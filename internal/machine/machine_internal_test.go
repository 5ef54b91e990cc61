package machine

import (
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/reasons"
)

// Without an ID in the configuration no machine matches, not even a token for the empty name.
func TestNoMachineIsMeant(t *testing.T) {
	v := &Verifier{Settings: &Settings{}}
	c := &Claims{Kind: M2M, Subject: "mch_1", Scopes: []string{""}, Audience: []string{""}}
	if reason, err := v.judge(c, time.Now()); reason != reasons.TokenVerificationFailed || err == nil {
		t.Errorf("got %q, %v, want %q and an error", reason, err, reasons.TokenVerificationFailed)
	}
}

// The cache is bounded, and outdated entries are dropped first.
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
		t.Errorf("%d are left where there is room, want all 200", len(m))
	}
	makeRoom(m, 200, fresh)
	if len(m) != 100 {
		t.Errorf("%d are left, want the fresh ones", len(m))
	}
	makeRoom(m, 100, fresh)
	if len(m) != 75 {
		t.Errorf("%d are left, want three quarters", len(m))
	}

	mem := newCache(time.Minute)
	for i := range max(maxKnown, maxRefused) + 10 {
		key := digest{byte(i), byte(i >> 8), byte(i >> 16)}
		for n, reason := range []reasons.Reason{"", reasons.TokenInvalid} {
			key[31] = byte(n)
			mem.file(key, Result{Claims: &Claims{}, Reason: reason}, 0, now)
		}
	}
	if len(mem.good) > maxKnown || len(mem.refused) > maxRefused {
		t.Errorf("%d good and %d refused ones are remembered, want at most %d and %d", len(mem.good), len(mem.refused), maxKnown, maxRefused)
	}
}

// If answers are not cached, and for long ones, only a hash is stored.
func TestOnlyAHashIsRemembered(t *testing.T) {
	for _, tc := range []struct {
		ttl  time.Duration
		size int
		kept bool
	}{{0, 100, false}, {time.Minute, 100, true}, {time.Minute, maxKept, true}, {time.Minute, maxKept + 1, false}} {
		mem := newCache(tc.ttl)
		mem.file(digest{1}, Result{Claims: &Claims{Subject: "user_1"}}, tc.size, time.Now())
		if g, ok := mem.good[digest{1}]; !ok || (g.claims != nil) != tc.kept {
			t.Errorf("%+v: %+v is remembered, want its claims too: %t", tc, g, tc.kept)
		}
	}
}

// An answer that decides nothing is not cached, whatever was known before.
func TestOpenQuestionsAreNotRemembered(t *testing.T) {
	mem, now := newCache(0), time.Now()
	file := func(key byte, reason reasons.Reason) { mem.file(digest{key}, Result{Reason: reason}, 0, now) }
	file(1, "")
	for _, reason := range []reasons.Reason{reasons.CredentialUnverifiable, reasons.SecretKeyInvalid} {
		file(1, reason)
		file(2, reason)
	}
	if _, ok := mem.good[digest{1}]; !ok || len(mem.good) != 1 || len(mem.refused) != 0 {
		t.Errorf("%v and %v are remembered, want the one that was good", mem.good, mem.refused)
	}
	file(1, reasons.TokenInvalid)
	if len(mem.good) != 0 || len(mem.refused) != 1 {
		t.Errorf("%v and %v are remembered, want the credential as refused", mem.good, mem.refused)
	}
	file(1, "")
	if len(mem.good) != 1 || len(mem.refused) != 0 {
		t.Errorf("%v and %v are remembered, want the credential as good", mem.good, mem.refused)
	}
}

package machine

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clerkauth/clerkauth/internal/limits"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/redact"
	"github.com/clerkauth/clerkauth/internal/transport"
)

const (
	maxCredential = 512 // bytes
	maxAnswer     = 256 << 10
	timeout       = 5 * time.Second

	knownPlaces = 256 // for credentials that were valid lately: there are no more of those than the instance issued
)

var errLong = errors.New("the answer is longer than the limit")

// asker calls the Backend API about credentials of one kind, with limits of its own: one kind does not affect the others.
// It sends the secret key.
type asker struct {
	*Settings
	endpoint

	kind   Kind
	secret string // empty: none that verifies this kind
	http   *http.Client

	strangers *limits.Lane // of unknown credentials
	allowance *limits.Allowance
	known     *limits.Lane // of those that were valid lately: a flood of made-up ones does not use their slots, or stop them

	last atomic.Pointer[transport.OutageError] // nil: none yet

	mu       sync.Mutex // guards what follows
	underWay map[digest]*question
	cache    cache
}

// question is a call in progress. Its goroutine closes done within timeout; after that, the other fields may be read.
type question struct {
	done   chan struct{}
	result Result
	size   int // of the answer, in bytes
}

func newAsker(client *http.Client, s *Settings, kind Kind) *asker {
	secret := s.SecretKey
	if kind == M2M && s.MachineKey != "" {
		secret = s.MachineKey
	}
	return &asker{
		Settings: s, endpoint: endpoints[kind], kind: kind, secret: secret, http: client,
		strangers: limits.NewLane(limits.Strangers, s.Now), allowance: limits.NewAllowance(s.Now), known: limits.NewLane(knownPlaces, s.Now),
		underWay: map[digest]*question{}, cache: newCache(s.TTL),
	}
}

// wellFormed reports whether the characters and the length of a credential after its prefix are as Clerk's (RFC 6750
// section 2.1, without the dot of a JWT).
func wellFormed(raw string) bool {
	_, rest, _ := strings.Cut(raw, "_")
	return rest != "" && len(raw) <= maxCredential && !strings.ContainsFunc(rest, func(r rune) bool { return !strings.ContainsRune(alphabet, r) })
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~+/="

// verify makes a call about a credential, or joins one in progress.
func (a *asker) verify(ctx context.Context, raw string, now time.Time) Result {
	if !wellFormed(raw) {
		return Result{Reason: reasons.TokenInvalid, Detail: formError(redact.Begin(raw))}
	}
	if a.secret == "" {
		return unverifiable(errNoSecret)
	}
	for waited := false; ; waited = true {
		q, mine, result := a.join(raw, now)
		if q == nil {
			return result
		}
		result = q.wait(ctx)
		// A call that was sent before this request could miss a revocation in between: if it says valid, another call is
		// made, once for all who wait. A call that is in progress then was sent later.
		if mine || waited || result.Reason != "" {
			return result
		}
	}
}

// wait returns the result of the call, or that it is unknown when ctx ends.
func (q *question) wait(ctx context.Context) Result {
	select {
	case <-q.done:
	case <-ctx.Done():
	}
	select {
	case <-q.done: // check this first: both may be ready
		return q.result
	default:
		return unverifiable(errLeft)
	}
}

func unverifiable(why error) Result {
	return Result{Reason: reasons.CredentialUnverifiable, Detail: why}
}

// join returns the call about a credential that is in progress, or starts one, which is then mine, or returns what is known
// already. A call continues after the request that started it.
func (a *asker) join(raw string, now time.Time) (q *question, mine bool, result Result) {
	key := digest(sha256.Sum256([]byte(raw)))
	a.mu.Lock()
	defer a.mu.Unlock()
	result, known, ok := a.cache.recall(key, now)
	if ok {
		return nil, false, result
	}
	if q, ok := a.underWay[key]; ok {
		return q, false, Result{}
	}
	lane := a.strangers
	if known {
		lane = a.known
	}
	leave, ok := lane.Enter()
	if !ok {
		return nil, false, unverifiable(a.notCalled())
	}
	if !known && !a.allowance.Take() {
		leave()
		return nil, false, unverifiable(errTooMany)
	}
	q = &question{done: make(chan struct{}), result: unverifiable(errLeft)}
	a.underWay[key] = q
	clock := limits.Start(now)
	go func() {
		defer close(q.done)
		defer leave()
		defer a.end(key, q, known, now)
		a.ask(raw, q, lane, clock)
	}()
	return q, true, Result{}
}

// end stores the result of a call that began at that time. known: the credential was valid lately, and used no allowance.
func (a *asker) end(key digest, q *question, known bool, began time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.underWay, key)
	if q.result.Reason == "" && !known {
		a.allowance.Return() // it was not made up
	}
	a.cache.file(key, q.result, q.size, began)
}

// notCalled says why the lanes allow no call.
func (a *asker) notCalled() error {
	if outage := a.last.Load(); outage != nil {
		return outage
	}
	return errTooMany
}

package machine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clerkauth/clerkauth/internal/limits"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/transport"
)

const (
	maxCredential = 512 // bytes
	maxAnswer     = 256 << 10
	timeout       = 5 * time.Second

	refusedFor = time.Minute // how long a credential is remembered that does not hold
	knownFor   = time.Hour   // and one that does, so that strangers cannot use up what it may ask
	maxRefused = 4096
	maxKnown   = 16384
)

var errLong = errors.New("the answer is longer than is read")

// asker asks the Backend API about credentials. It sends the secret key.
type asker struct {
	*Settings

	http      *http.Client
	strangers limits.Lane // of credentials that nothing is known of
	allowance limits.Allowance
	known     limits.Lane // of those that were good lately: no flood of made-up ones takes their places

	last atomic.Pointer[transport.OutageError] // nil in it: none yet

	mu       sync.Mutex // guards what follows
	underWay map[digest]*question
	good     map[digest]good
	refused  map[digest]refusal
}

// digest stands for a credential.
type digest [sha256.Size]byte

// good is a credential that held.
type good struct {
	at     time.Time
	claims *Claims
}

// refusal is a credential that did not.
type refusal struct {
	at  time.Time
	err error
}

// question is one under way. Its goroutine ends within timeout by closing done; after that the rest may be read.
type question struct {
	done    chan struct{}
	verdict Verdict
}

func newAsker(client *http.Client, s *Settings) *asker {
	breaker := limits.NewBreaker(s.Now)
	return &asker{
		Settings: s, http: client,
		strangers: limits.NewLane(breaker), allowance: limits.NewAllowance(s.Now), known: limits.NewLane(breaker),
		underWay: map[digest]*question{}, good: map[digest]good{}, refused: map[digest]refusal{},
	}
}

// secret is the key that a kind is verified with; empty: there is none.
func (a *asker) secret(kind Kind) string {
	if kind == M2M && a.MachineKey != "" {
		return a.MachineKey
	}
	return a.SecretKey
}

// wellFormed reports whether a credential behind its prefix has characters and a length as Clerk's (RFC 6750 section 2.1,
// without the dot of a JWT).
func wellFormed(raw string) bool {
	_, rest, _ := strings.Cut(raw, "_")
	return rest != "" && len(raw) <= maxCredential && !strings.ContainsFunc(rest, func(r rune) bool { return !strings.ContainsRune(alphabet, r) })
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~+/="

// verify asks about a credential, or joins who does.
func (a *asker) verify(ctx context.Context, c Credential, now time.Time) Verdict {
	if !wellFormed(c.raw) {
		return Verdict{Reason: reasons.TokenInvalid, Detail: errForm}
	}
	if a.secret(c.Kind) == "" {
		return unverifiable(errNoSecret)
	}
	q, verdict := a.join(c, now)
	if q == nil {
		return verdict
	}
	select {
	case <-q.done:
	case <-ctx.Done():
	}
	select {
	case <-q.done: // before anything else that ended the wait
		return q.verdict
	default:
		return unverifiable(errLeft)
	}
}

func unverifiable(why error) Verdict {
	return Verdict{Reason: reasons.CredentialUnverifiable, Detail: why}
}

// join returns the question about c, or asks it, or says what is known already. A question outlives the request that asked.
func (a *asker) join(c Credential, now time.Time) (*question, Verdict) {
	key := digest(sha256.Sum256([]byte(c.raw)))
	a.mu.Lock()
	defer a.mu.Unlock()
	g, known := a.good[key]
	known = known && within(now, g.at, knownFor)
	if known && g.claims != nil && within(now, g.at, a.TTL) {
		return nil, Verdict{Claims: g.claims, Hit: true}
	}
	if r, ok := a.refused[key]; ok && within(now, r.at, refusedFor) {
		return nil, Verdict{Reason: reasons.TokenInvalid, Detail: r.err, Hit: true}
	}
	if q, ok := a.underWay[key]; ok {
		return q, Verdict{}
	}
	lane := &a.strangers
	if known {
		lane = &a.known
	}
	leave, ok := lane.Enter()
	if !ok {
		return nil, unverifiable(a.notAsked())
	}
	if !known && !a.allowance.Take() {
		leave()
		return nil, unverifiable(errTooMany)
	}
	q := &question{done: make(chan struct{}), verdict: unverifiable(errLeft)}
	a.underWay[key] = q
	clock := limits.Start(now)
	go func() {
		defer close(q.done)
		defer leave()
		defer a.end(key, q, now)
		q.verdict = a.ask(c, lane, clock)
	}()
	return q, Verdict{}
}

// end files what a question that began then came to.
func (a *asker) end(key digest, q *question, began time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.underWay, key)
	switch q.verdict.Reason {
	case "":
		g := good{at: began}
		if a.TTL > 0 {
			g.claims = q.verdict.Claims
		}
		makeRoom(a.good, maxKnown, func(g good) bool { return within(began, g.at, knownFor) })
		a.good[key] = g
		delete(a.refused, key)
	case reasons.TokenInvalid:
		makeRoom(a.refused, maxRefused, func(r refusal) bool { return within(began, r.at, refusedFor) })
		a.refused[key] = refusal{began, q.verdict.Detail}
		delete(a.good, key)
	}
}

// makeRoom forgets what has no meaning any more, when there is much of it, and then any, so that a quarter is free.
func makeRoom[V any](m map[digest]V, most int, fresh func(V) bool) {
	if len(m) < most {
		return
	}
	maps.DeleteFunc(m, func(_ digest, v V) bool { return !fresh(v) })
	for key := range m {
		if len(m) <= most/4*3 {
			return
		}
		delete(m, key)
	}
}

// within reports whether now is less than d after t, and not before it: a clock that went back tells no age.
func within(now, t time.Time, d time.Duration) bool {
	age := now.Sub(t)
	return age >= 0 && age < d
}

// notAsked says why the lanes let no question through.
func (a *asker) notAsked() error {
	if outage := a.last.Load(); outage != nil {
		return outage
	}
	return errTooMany
}

func (a *asker) ask(c Credential, lane *limits.Lane, clock limits.Stopwatch) Verdict {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	status, content, err := a.send(ctx, c)
	lane.Record(err != nil || limits.Overloaded(status), clock.Now())
	if err != nil {
		return unverifiable(a.outage(c, status, err))
	}
	claims, reason, why := readAnswer(c.Kind, status, content)
	if reason.CannotTell() {
		why = a.outage(c, status, nil)
	}
	return Verdict{Claims: claims, Reason: reason, Detail: why}
}

// outage keeps and tells what came instead of an answer about c. What an application's own transport says of it may
// have the credential in it.
func (a *asker) outage(c Credential, status int, err error) error {
	o := transport.NewOutage(a.Base+endpoints[c.Kind].path, status, err)
	if o.Err != nil {
		o.Err = transport.WithoutSecret(o.Err, c.raw)
	}
	o.Machine = c.Kind == M2M && a.MachineKey != ""
	a.last.Store(o)
	a.Warn(o)
	return o
}

func (a *asker) send(ctx context.Context, c Credential) (status int, content string, err error) {
	e := endpoints[c.Kind]
	body, err := json.Marshal(map[string]string{e.member: c.raw})
	if err != nil {
		return 0, "", fmt.Errorf("machine: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Base+e.path, bytes.NewReader(body))
	if err != nil {
		return 0, "", fmt.Errorf("machine: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+a.secret(c.Kind))
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Clerk-Api-Version", transport.APIVersion)
	resp, err := a.http.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(read) > maxAnswer {
		err = errLong
	}
	return resp.StatusCode, string(read), err
}

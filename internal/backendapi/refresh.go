package backendapi

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/clerkauth/clerkauth/internal/limits"
	"github.com/clerkauth/clerkauth/internal/transport"
)

// RefreshRequest is what Refresh sends.
type RefreshRequest struct {
	Session  string `json:"-"` // sess_…, part of the address
	Suffixed bool   `json:"-"` // the cookies with the instance's suffix are asked for

	Format         string              `json:"format"`
	ExpiredToken   string              `json:"expired_token"`
	RefreshToken   string              `json:"refresh_token"`
	RequestOrigin  string              `json:"request_origin"`
	RequestHeaders map[string][]string `json:"request_headers"`
}

const (
	longestWait = 2 * time.Second  // of one request for a refresh, which goes on after it
	sharedFor   = 10 * time.Second // a success, with whoever asks the same
	failuresIn  = time.Minute      // failures of one session count for this long
	maxFailures = 5                // of one session, in that time
	maxKept     = 4096             // successes, and sessions with failures
)

// Refresh exchanges an expired session token for Set-Cookie values with a new one. Requests that ask the same at the same
// time, or up to ten seconds after it worked, share one question. Refresh waits two seconds at most; the question goes on
// without it, for the next request. Where the Backend API hangs, a session waits once: until an answer comes again, to
// whomever, its questions are asked without waiting for them.
func (c *Client) Refresh(ctx context.Context, q RefreshRequest) ([]string, error) {
	call, err := c.join(q)
	if err != nil {
		return nil, err
	}
	select {
	case <-call.done:
	case <-call.waitedFor:
	case <-ctx.Done():
	}
	select {
	case <-call.done: // before anything else that ended the wait
		return call.cookies, call.err
	default:
		return nil, unanswered{errFetch, &transport.OutageError{URL: c.refreshes.address, Err: errSlow}}
	}
}

var errSlow = errors.New("no answer within " + longestWait.String())

// renewals are the refreshes under way, and what is remembered of those that ended. Nothing of a request is kept but
// hashes of it.
type renewals struct {
	mu       sync.Mutex // guards what follows
	calls    map[digest]*refreshCall
	sessions map[digest]*failures
}

type digest [sha256.Size]byte

// refreshCall is one question. Its goroutine ends within timeout by closing done; after that the rest may be read.
type refreshCall struct {
	waitedFor <-chan struct{} // closed when nobody of its session waits any longer
	done      chan struct{}
	cookies   []string
	err       error
	began     time.Time
	worked    time.Time // began, once it has worked; guarded by renewals.mu
}

// joinable reports whether the call's outcome is of use at now. It must be called with renewals.mu held.
func (c *refreshCall) joinable(now time.Time) bool {
	if c.worked.IsZero() {
		return within(now, c.began, timeout)
	}
	return within(now, c.worked, sharedFor)
}

// failures are those of one session. Questions under way count: they may fail.
type failures struct {
	underWay int
	refused  []refusal
	pausedAt time.Time // when a question was asked that went unanswered; zero: none did

	hungAt    time.Time       // when one was asked that nobody waited for to the end; zero: none was
	askedAt   time.Time       // when the last was asked
	waitedFor <-chan struct{} // of the questions under way
}

// refusal is an answer to a question that says: no.
type refusal struct {
	at  time.Time
	key digest // of the question
	err error
}

// answer is what the same question was answered with the last time; nil: it was not asked lately, or nobody answered.
func (f *failures) answer(key digest) error {
	if f != nil {
		for _, r := range slices.Backward(f.refused) {
			if r.key == key {
				return r.err
			}
		}
	}
	return nil
}

// join returns the call for q, or makes it. The call outlives the request that made it.
func (c *Client) join(q RefreshRequest) (*refreshCall, error) {
	r := &c.renewals
	key := hash(q.Session, q.RefreshToken, q.RequestOrigin, strconv.FormatBool(q.Suffixed))
	session := hash(q.Session)
	r.mu.Lock()
	defer r.mu.Unlock()
	now := c.now()
	if call, ok := r.calls[key]; ok && call.joinable(now) {
		return call, nil
	}
	f := r.sessions[session]
	hangs := f != nil && !f.hungAt.IsZero() && !c.refreshes.answeredAfter(f.hungAt)
	if !f.allow(now) || f.stalled(now) {
		if err := f.answer(key); err != nil {
			return nil, err
		}
		return nil, unanswered{errTooMany, c.refreshes.last.Load()}
	}
	body, err := json.Marshal(q) //nolint:gosec // sending the refresh token is the purpose
	if err != nil {
		return nil, errMalformed
	}
	leave, ok := c.refreshes.Enter()
	if !ok {
		return nil, c.refreshes.notAsked()
	}
	call := &refreshCall{done: make(chan struct{}), err: ErrUnreachable, began: now}
	r.begin(key, session, call, hangs)
	path := "/v1/sessions/" + url.PathEscape(q.Session) + "/refresh"
	suffixed, w := q.Suffixed, limits.Start(now)
	go func() {
		defer close(call.done)
		defer leave()
		defer func() { r.end(key, session, call, w.Now()) }()
		call.cookies, call.err = c.askRefresh(w, path, suffixed, body)
	}()
	return call, nil
}

func (c *Client) askRefresh(w limits.Stopwatch, path string, suffixed bool, body []byte) ([]string, error) {
	query := url.Values{}
	if suffixed {
		query.Set("suffixed_cookies", "true")
	}
	var answer struct {
		Cookies []string `json:"cookies"`
	}
	if err := c.ask(context.Background(), &c.refreshes, w, http.MethodPost, path, query, body, &answer); err != nil {
		return nil, err
	}
	if len(answer.Cookies) == 0 {
		return nil, errMalformed
	}
	return answer.Cookies, nil
}

// begin must be called with mu held. hangs: nobody waits for the answer.
func (r *renewals) begin(key, session digest, call *refreshCall, hangs bool) {
	if r.calls == nil {
		r.calls, r.sessions = make(map[digest]*refreshCall), make(map[digest]*failures)
	}
	r.makeRoom(call.began)
	r.calls[key] = call
	f := r.sessions[session]
	if f == nil {
		f = &failures{}
		r.sessions[session] = f
	}
	if f.underWay == 0 {
		waitedFor := make(chan struct{})
		f.waitedFor = waitedFor
		if hangs {
			close(waitedFor)
		} else {
			time.AfterFunc(longestWait, func() { close(waitedFor) })
		}
	}
	call.waitedFor, f.askedAt = f.waitedFor, call.began
	f.underWay++
}

// end files the outcome of a call that ended then: a success to be shared, or a failure that counts.
func (r *renewals) end(key, session digest, call *refreshCall, ended time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, now := r.sessions[session], call.began // as the clock said, which another goroutine must not ask
	f.underWay--
	switch {
	case call.err == nil:
		call.worked = now
	case Unanswered(call.err):
		f.pausedAt = now
		if ended.Sub(now) >= longestWait {
			f.hungAt = now
		}
	default:
		f.refused = append(f.refused, refusal{now, key, call.err})
	}
	if call.err != nil && r.calls[key] == call {
		delete(r.calls, key)
	}
	if f.underWay == 0 && f.over(now) {
		delete(r.sessions, session)
	}
}

// makeRoom discards what has no meaning any more, when there is much of it, and then everything that may be forgotten.
// It must be called with mu held.
func (r *renewals) makeRoom(now time.Time) {
	for _, all := range []bool{false, true} {
		if len(r.calls) < maxKept && len(r.sessions) < maxKept {
			return
		}
		maps.DeleteFunc(r.calls, func(_ digest, call *refreshCall) bool {
			return !call.worked.IsZero() && (all || !call.joinable(now))
		})
		maps.DeleteFunc(r.sessions, func(_ digest, f *failures) bool {
			return f.underWay == 0 && (all || f.over(now))
		})
	}
}

// allow reports whether a session's refresh may be asked for once more. A nil failures allows it.
func (f *failures) allow(now time.Time) bool {
	if f == nil {
		return true
	}
	if f.paused(now) {
		return false
	}
	f.recent(now)
	return f.underWay+len(f.refused) < maxFailures
}

// stalled reports whether questions are under way that nobody waits for any longer: one more would get no other answer.
func (f *failures) stalled(now time.Time) bool {
	if f == nil || f.underWay == 0 || !within(now, f.askedAt, timeout) {
		return false
	}
	select {
	case <-f.waitedFor:
		return true
	default:
		return false
	}
}

func (f *failures) paused(now time.Time) bool {
	return !f.pausedAt.IsZero() && within(now, f.pausedAt, limits.Pause)
}

// recent takes out refusals that no longer count.
func (f *failures) recent(now time.Time) {
	f.refused = slices.DeleteFunc(f.refused, func(r refusal) bool { return !within(now, r.at, failuresIn) })
}

func (f *failures) over(now time.Time) bool {
	f.recent(now)
	return len(f.refused) == 0 && !f.paused(now)
}

// within reports whether now is less than d away from t. A clock that is put back a little changes nothing.
func within(now, t time.Time, d time.Duration) bool { return now.Sub(t).Abs() < d }

// hash is of parts that end where they say: no two lists have one hash.
func hash(parts ...string) digest {
	h := sha256.New()
	for _, part := range parts {
		h.Write(strconv.AppendInt(nil, int64(len(part)), 10))
		h.Write([]byte{':'})
		h.Write([]byte(part))
	}
	return digest(h.Sum(nil))
}

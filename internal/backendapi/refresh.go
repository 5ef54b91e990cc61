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
	Session  string `json:"-"` // sess_…, part of the URL
	Suffixed bool   `json:"-"` // request the cookies with the instance's suffix

	Format         string              `json:"format"`
	ExpiredToken   string              `json:"expired_token"`
	RefreshToken   string              `json:"refresh_token"`
	RequestOrigin  string              `json:"request_origin"`
	RequestHeaders map[string][]string `json:"request_headers"`
}

const (
	longestWait = 2 * time.Second  // of one request for a refresh, which continues after it
	sharedFor   = 10 * time.Second // a successful refresh is shared for this long
	failuresIn  = time.Minute      // failures of one session count for this long
	maxFailures = 5                // of one session, in that time
	maxKept     = 4096             // successful refreshes, and sessions with failures
)

// Refresh exchanges an expired session token for Set-Cookie values with a new one. Equal requests at the same time, or up
// to ten seconds after a success, share one call. Refresh waits two seconds at most; the call continues for the next
// request. While the Backend API hangs, each session waits only once: until it answers any call again, further calls are
// made without waiting.
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
	case <-call.done: // check this first: both may be ready
		return call.cookies, call.err
	default:
		return nil, unanswered{errFetch, &transport.OutageError{URL: c.refreshes.address, Err: errSlow}}
	}
}

var errSlow = errors.New("no answer within " + longestWait.String())

// renewals are the refreshes in progress, and the results of earlier ones. Of requests, only hashes are kept.
type renewals struct {
	mu       sync.Mutex // guards what follows
	calls    map[digest]*refreshCall
	sessions map[digest]*failures
}

type digest [sha256.Size]byte

// refreshCall is one call. Its goroutine closes done within timeout; after that, the other fields may be read.
type refreshCall struct {
	waitedFor <-chan struct{} // closed when no request of its session waits any longer
	done      chan struct{}
	cookies   []string
	err       error
	began     time.Time
	worked    time.Time // began, once it has worked; guarded by renewals.mu
}

// joinable reports whether the call's result can be used at now. It must be called with renewals.mu held.
func (c *refreshCall) joinable(now time.Time) bool {
	if c.worked.IsZero() {
		return within(now, c.began, timeout)
	}
	return within(now, c.worked, sharedFor)
}

// failures are those of one session. Calls in progress count, since they may fail.
type failures struct {
	underWay int
	refused  []refusal
	pausedAt time.Time // when a call was made that was not answered; zero: none

	hungAt    time.Time       // when a call was made for which nobody waited to the end; zero: none
	lastCall  time.Time       // when the last call was made
	waitedFor <-chan struct{} // of the calls in progress
}

// refusal is an answer that refuses a refresh.
type refusal struct {
	at  time.Time
	key digest // of the request
	err error
}

// answer is the last refusal of the same request; nil: there was none lately.
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

// join returns the call for q, or starts it. The call continues after the request that started it.
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
	hangs := f != nil && !f.hungAt.IsZero() && !c.refreshes.respondedAfter(f.hungAt)
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
		return nil, c.refreshes.notCalled()
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

// begin must be called with mu held. hangs: no request waits for the answer.
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
	call.waitedFor, f.lastCall = f.waitedFor, call.began
	f.underWay++
}

// end records the result of a call that ended at that time: a success to share, or a failure that counts.
func (r *renewals) end(key, session digest, call *refreshCall, ended time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, now := r.sessions[session], call.began // the clock's time then; another goroutine must not read the clock
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

// makeRoom discards what is outdated, when there is much of it, and then, if need be, everything that may be discarded. It
// must be called with mu held.
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

// allow reports whether a session may be refreshed once more. A nil failures allows it.
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

// stalled reports whether calls are in progress for which nobody waits any longer: another would not be answered either.
func (f *failures) stalled(now time.Time) bool {
	if f == nil || f.underWay == 0 || !within(now, f.lastCall, timeout) {
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

// recent removes refusals that no longer count.
func (f *failures) recent(now time.Time) {
	f.refused = slices.DeleteFunc(f.refused, func(r refusal) bool { return !within(now, r.at, failuresIn) })
}

func (f *failures) over(now time.Time) bool {
	f.recent(now)
	return len(f.refused) == 0 && !f.paused(now)
}

// within reports whether now is less than d away from t. It does not matter if a clock is set back a little.
func within(now, t time.Time, d time.Duration) bool { return now.Sub(t).Abs() < d }

// hash separates its parts: different lists have different hashes.
func hash(parts ...string) digest {
	h := sha256.New()
	for _, part := range parts {
		h.Write(strconv.AppendInt(nil, int64(len(part)), 10))
		h.Write([]byte{':'})
		h.Write([]byte(part))
	}
	return digest(h.Sum(nil))
}

package machine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/clerkauth/clerkauth/internal/limits"
	"github.com/clerkauth/clerkauth/internal/transport"
)

// ask makes a call about a credential, and puts the result into q.
func (a *asker) ask(raw string, q *question, lane *limits.Lane, clock limits.Stopwatch) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	status, content, err := a.send(ctx, raw)
	lane.Record(err != nil || limits.Overloaded(status), clock.Now())
	if err != nil {
		q.result = unverifiable(a.outage(raw, status, err))
		return
	}
	claims, reason, why := readAnswer(a.kind, status, content)
	if reason.CannotTell() {
		why = a.outage(raw, status, nil)
	}
	q.result, q.size = Result{Claims: claims, Reason: reason, Detail: why}, len(content)
}

// outage records and reports a call without an answer. The error of an application's own transport may contain the
// credential.
func (a *asker) outage(raw string, status int, err error) error {
	o := transport.NewOutage(a.Base+a.path, status, err)
	if o.Err != nil {
		o.Err = transport.WithoutSecret(o.Err, raw)
	}
	o.Machine = a.kind == M2M && a.MachineKey != ""
	a.last.Store(o)
	a.Warn(o)
	return o
}

func (a *asker) send(ctx context.Context, raw string) (status int, content string, err error) {
	body, err := json.Marshal(map[string]string{a.member: raw})
	if err != nil {
		return 0, "", fmt.Errorf("machine: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Base+a.path, bytes.NewReader(body))
	if err != nil {
		return 0, "", fmt.Errorf("machine: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+a.secret)
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

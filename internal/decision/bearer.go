package decision

import (
	"context"
	"net/http"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// decideBearer decides by a bearer token alone.
func (d *Decider) decideBearer(r *http.Request, e *Evidence, o *Outcome, now time.Time) {
	ctx := r.Context()
	read, ok := d.verifier.Verified(e.Credential, now)
	if !ok {
		read = d.verifier.Read(e.Bearer(), now)
	}
	if d.judgeBearer(ctx, &read, &e.Request, o, now); o.Reason == "" {
		return
	}
	e.ReadOthers(r, &d.Settings.Settings)
	if o.Reason == reasons.TokenExpired {
		o.Refresh = bearerObstacle(e.Method)
	}
	*o = d.startHandshake(ctx, e, *o, now)
}

// Verify judges a bearer token. in is the request that it was sent with, or zero if there is none. o must be zero, and gets
// the result.
func (d *Decider) Verify(ctx context.Context, token string, in *inbound.Request, o *Outcome, now time.Time) {
	read := d.verifier.Read(token, now)
	d.judgeBearer(ctx, &read, in, o, now)
}

func (d *Decider) judgeBearer(ctx context.Context, read *sessiontoken.Token, in *inbound.Request, o *Outcome, now time.Time) {
	o.Source, o.CacheHit = FromBearer, read.Verified
	if o.Reason = d.judgeToken(ctx, read, FromBearer, in, now); o.Reason == "" {
		o.Token, o.Claims, o.Reason = read.Raw, read.Claims, d.judgePending(read.Claims)
	}
	if o.Reason != "" {
		o.Detail = d.tokenDetail(o.Reason, read, now)
	}
}

// judgeToken verifies the signature of a token and then judges its claims.
func (d *Decider) judgeToken(ctx context.Context, read *sessiontoken.Token, from TokenSource, in *inbound.Request, now time.Time) reasons.Reason {
	if read.Reason != "" {
		return read.Reason
	}
	if reason := d.verifier.Verify(ctx, read, now); reason != "" {
		return reason
	}
	return d.Policy.judge(ctx, read.Claims, from, in, now)
}

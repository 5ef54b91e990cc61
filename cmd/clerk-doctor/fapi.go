package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clerkauth/clerkauth"
)

const (
	jwksPath      = "/.well-known/jwks.json"
	discoveryPath = "/.well-known/openid-configuration"

	clockTolerance = 5 * time.Second // the middleware's
	documentLimit  = 1 << 20
)

// config is the configuration of an application of this instance, as its middleware would have it. The secret key stays out of
// it: with one the keys would come from the Backend API, and it is the Frontend API that is to be seen working.
func (d *doctor) config() clerkauth.Config {
	issuers := []string{"https://clerk." + d.domain}
	if k, err := parseKey(d.publishableKey()); err == nil && d.satellite {
		issuers = append(issuers, "https://"+k.host)
	}
	if d.proxy != nil {
		issuers = append(issuers, strings.TrimRight(d.proxy.String(), "/"))
	}
	return clerkauth.Config{
		PublishableKey:        d.publishableKey(),
		FrontendAPIURL:        d.frontend(),
		Issuers:               issuers,
		AuthorizedParties:     d.parties,
		InsecureAllowAnyParty: len(d.parties) == 0,
		HTTPClient:            d.net.client(),
		Logger:                slog.New(slog.DiscardHandler),
		Now:                   d.net.now,
	}
}

// observed remembers the last answer that came through.
type observed struct {
	next http.RoundTripper
	now  func() time.Time

	mu   sync.Mutex // guards last
	last sample
}

// sample is an answer: what it said and when. The zero sample is none yet.
type sample struct {
	err    error // there was no answer
	status int
	date   string
	at     time.Time // half-way between request and answer
}

func (o *observed) RoundTrip(r *http.Request) (*http.Response, error) {
	before := o.now()
	resp, err := o.next.RoundTrip(r)
	got := sample{err: err, at: before.Add(o.now().Sub(before) / 2)}
	if err == nil {
		got.status, got.date = resp.StatusCode, resp.Header.Get("Date")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = got
	return resp, err
}

func (o *observed) sample() sample {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// checkFrontend loads the keys as the middleware does, and compares the clocks by the same answer.
func (d *doctor) checkFrontend(ctx context.Context) []check {
	address := d.frontend() + jwksPath
	keys := check{Group: groupAPI, Name: "keys", See: []string{"curl -sS " + address}}
	cfg := d.config()
	cfg.AuthorizedParties, cfg.InsecureAllowAnyParty = nil, true // judged elsewhere
	watched := &observed{next: cfg.HTTPClient.Transport, now: d.net.now}
	cfg.HTTPClient.Transport = watched
	auth, err := clerkauth.New(cfg)
	if err == nil {
		err = auth.Ready(ctx)
	}
	seen := watched.sample()
	switch {
	case err == nil:
		keys.Status, keys.Says = ok, "usable, at "+address
	case seen.status == 0:
		d.unreached(&keys, seen.err, err)
	default:
		keys.Status, keys.Says = fail, fmt.Sprintf("not usable (HTTP %d): %v", seen.status, detail(err))
		keys.Fix = []string{"nobody can sign in until this works; if DNS and certificates are fine, ask Clerk's support"}
	}
	return []check{keys, d.compareClocks(seen, address)}
}

// unreached tells whose fault it is that there was no answer.
func (d *doctor) unreached(c *check, cause, err error) {
	switch {
	case cause == nil:
		c.Status, c.Says = unknown, "no answer: "+plainly(detail(err))
	case outOfReach(cause):
		c.Status, c.Says = unknown, fmt.Sprintf("could not connect: %s", plainly(cause))
		c.Fix = []string{"check the network here, or allow more time with -timeout"}
	default:
		c.Status, c.Says = fail, fmt.Sprintf("not reachable: %s", plainly(cause))
		c.Fix = []string{"mend DNS, CAA and the certificate first"}
	}
}

// detail is what the reason of a refusal leaves out.
func detail(err error) error {
	var refusal *clerkauth.Error
	if errors.As(err, &refusal) && refusal.Unwrap() != nil {
		return refusal.Unwrap()
	}
	return err
}

// compareClocks reads the Date header, which is right to the second.
func (d *doctor) compareClocks(seen sample, address string) check {
	c := check{Group: groupAPI, Name: "clock", See: []string{"curl -sSI " + address + " | grep -i ^date; date -u"}}
	date, err := http.ParseTime(seen.date)
	if err != nil {
		c.Status, c.Says = unknown, "not compared: the Frontend API has not told the time"
		return c
	}
	ahead := seen.at.Sub(date.Add(time.Second / 2)).Round(time.Second)
	switch {
	case ahead.Abs() <= clockTolerance:
		c.Status, c.Says = ok, "within 5 seconds of Clerk's"
	case ahead < 0:
		c.Status, c.Says = fail, fmt.Sprintf("is about %v behind Clerk's: fresh tokens will be refused as issued in the future", -ahead)
	default:
		c.Status, c.Says = fail, fmt.Sprintf("is about %v ahead of Clerk's: tokens will be refused as expired", ahead)
	}
	if c.Status == fail {
		c.Fix = []string{"synchronise the clock of this machine (timedatectl set-ntp true); if it is not the server's, run this there"}
	}
	return c
}

// checkIssuer asks the Frontend API who it says it is. Tokens of any other issuer are refused.
func (d *doctor) checkIssuer(ctx context.Context, frontend string) check {
	address := frontend + discoveryPath
	c := check{Group: groupAPI, Name: "issuer", See: []string{"curl -sS " + address}}
	issuer, code, err := d.discover(ctx, address)
	expected := d.config().Issuers
	switch {
	case err != nil && code == 0:
		d.unreached(&c, err, err)
	case err != nil || issuer == "":
		c.Status, c.Says = warn, fmt.Sprintf("not compared: HTTP %d, and no issuer in the answer", code)
	case !slices.Contains(expected, issuer):
		c.Status, c.Says = fail, fmt.Sprintf("%q, but tokens must be of %s: all will be refused", issuer, strings.Join(expected, " or "))
		c.Fix = []string{"the host answers for another instance: compare its domain in Clerk's Dashboard, and -proxy-url if you use one"}
	default:
		c.Status, c.Says = ok, issuer
	}
	return c
}

func (d *doctor) discover(ctx context.Context, address string) (issuer string, code int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", 0, err
	}
	resp, err := d.net.client().Do(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", resp.StatusCode, nil
	}
	var document struct {
		Issuer string `json:"issuer"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, documentLimit)).Decode(&document)
	return document.Issuer, resp.StatusCode, err
}

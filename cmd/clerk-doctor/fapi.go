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

	clockTolerance = 5 * time.Second // that of the middleware
	documentLimit  = 1 << 20
)

// config is the configuration of an application of this instance. It has no secret key: with one, the keys would be fetched
// from the Backend API, and the Frontend API is to be tested.
func (d *doctor) config() clerkauth.Config {
	issuers := []string{"https://clerk." + d.domain}
	if k, err := parseKey(d.key); err == nil && d.domain == "" {
		issuers = []string{"https://" + k.host}
	}
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

// observed records the last answer.
type observed struct {
	next http.RoundTripper
	now  func() time.Time

	mu   sync.Mutex // guards last
	last sample
}

// sample is an answer and its time. The zero sample is none.
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

// checkFrontend loads the keys as the middleware does, and compares the clocks with the same answer.
func (d *doctor) checkFrontend(ctx context.Context) []check {
	keys, seen := d.fetchKeys(ctx)
	checks := []check{keys, d.compareClocks(seen, d.frontend()+jwksPath, keys), d.checkIssuer(ctx, d.frontend(), keys)}
	if d.proxy == nil {
		return checks
	}
	proxy := d.checkProxy(ctx, keys)
	if keys.code == apiKeysUnusable && (proxy[0].code == proxyNotKnown || proxy[0].code == proxyKeyRefused) {
		checks[0].cause = proxy[0].ref()
	}
	return append(checks, proxy...)
}

func (d *doctor) fetchKeys(ctx context.Context) (check, sample) {
	address := d.frontend() + jwksPath
	keys := check{code: apiGood, name: address, see: []string{"curl -sS " + address}}
	if d.domain != "" && d.proxy == nil {
		if b := d.zoneState(ctx).blocker; b != nil {
			keys.code, keys.cause = apiUnreachable, b
			return keys, sample{}
		}
	}
	cfg := d.config()
	cfg.AuthorizedParties, cfg.InsecureAllowAnyParty = nil, true // checked elsewhere
	watched := &observed{next: cfg.HTTPClient.Transport, now: d.net.now}
	cfg.HTTPClient.Transport = watched
	auth, err := clerkauth.New(cfg)
	if err == nil {
		err = auth.Ready(ctx)
	}
	seen := watched.sample()
	switch {
	case err == nil:
	case seen.status == 0:
		d.unreached(ctx, &keys, seen.err, err)
	default:
		keys.code, keys.says = apiKeysUnusable, fmt.Sprintf("it answers HTTP %d", seen.status)
		if seen.status == http.StatusOK {
			keys.says += ": " + strings.TrimPrefix(detail(err).Error(), address+": ")
		}
		keys.fix = []string{"nobody can sign in until this works; if DNS and certificates are fine, ask Clerk's support"}
	}
	return keys, seen
}

// unreached explains why there was no answer.
func (d *doctor) unreached(ctx context.Context, c *check, cause, err error) {
	switch {
	case cause == nil:
		c.code, c.says = apiUnreachable, "no answer: "+plainly(detail(err))
	case outOfReach(cause):
		c.code, c.says = apiUnreachable, "could not connect: "+plainly(cause)
	default:
		c.code, c.says = apiFails, plainly(cause)
	}
	c.fix = []string{"check the network here, or allow more time with -timeout"}
	if c.code == apiFails {
		c.fix = []string{"see what answers at this address; if that is Clerk, ask its support"}
	}
	if d.domain == "" || d.proxy != nil {
		return
	}
	if cert := d.checkCert(ctx, records(d.domain, d.satellite, false)[0]); cert.bad() {
		c.cause = cert.ref()
	}
}

// detail is the detail of a refusal.
func detail(err error) error {
	var refusal *clerkauth.Error
	if errors.As(err, &refusal) && refusal.Unwrap() != nil {
		return refusal.Unwrap()
	}
	return err
}

// compareClocks reads the Date header, which is accurate to a second.
func (d *doctor) compareClocks(seen sample, address string, keys check) check {
	c := check{code: clockGood, name: "clock", see: []string{"curl -sSI " + address + " | grep -i ^date; date -u"}}
	date, err := http.ParseTime(seen.date)
	if err != nil {
		c.code, c.says = clockUnknown, "the answer of the Frontend API has no Date"
		if keys.bad() {
			c.cause = keys.ref()
		}
		return c
	}
	ahead := seen.at.Sub(date.Add(time.Second / 2)).Round(time.Second)
	switch {
	case ahead.Abs() <= clockTolerance:
		c.says = "within 5 seconds of Clerk's"
		return c
	case ahead < 0:
		c.code, c.says = clockBehind, fmt.Sprintf("by about %v: fresh tokens are refused as issued in the future", -ahead)
	default:
		c.code, c.says = clockAhead, fmt.Sprintf("by about %v: tokens are refused as expired", ahead)
	}
	c.fix = []string{"synchronise the clock of this machine (timedatectl set-ntp true); if it is not the server's, run this there"}
	return c
}

// checkIssuer gets the issuer from the Frontend API. Tokens of any other issuer are refused.
func (d *doctor) checkIssuer(ctx context.Context, frontend string, keys check) check {
	address := frontend + discoveryPath
	c := check{code: issuerGood, name: "issuer", see: []string{"curl -sS " + address}}
	if keys.code == apiFails || keys.code == apiUnreachable {
		c.code, c.cause = issuerUnknown, keys.ref()
		return c
	}
	issuer, code, err := d.discover(ctx, address)
	expected := d.config().Issuers
	switch {
	case err != nil && code == 0:
		c.code, c.says = issuerUnknown, plainly(err)
	case err != nil || issuer == "":
		c.code, c.says = issuerUnknown, fmt.Sprintf("HTTP %d, and no issuer in the answer", code)
	case !slices.Contains(expected, issuer):
		c.code, c.says = issuerDiffers, fmt.Sprintf("it says %q, and tokens must be of %s: all are refused", issuer, strings.Join(expected, " or "))
		c.fix = []string{"compare the domain in Clerk's Dashboard, and -proxy-url if you use one"}
	default:
		c.says = issuer
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

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/miekg/dns"
)

// Time limits for single steps; everything together has the time of -timeout.
const (
	dnsTimeout  = 1500 * time.Millisecond // for the first tries at a name server; later tries, and resolvers, have twice that
	dialTimeout = 5 * time.Second
	httpTimeout = 10 * time.Second
)

// network makes all connections of the program. It caches answers, so each run of the checks uses a new one. It is safe for
// concurrent use.
type network struct {
	dialer     net.Dialer
	dnsTimeout time.Duration
	connect    map[string]string // -connect-to: host to address
	local      []server          // -resolver, or the system's
	public     []server          // -public-resolver
	roots      *x509.CertPool    // nil: the system's
	now        func() time.Time
	dialName   func(context.Context, string) string // the name whose addresses are used for a host; nil: its own

	resolvers sync.Map // "alive" to those that answer
	replies   sync.Map // question to func() reply
	zones     sync.Map // name to func() zone
}

// at is a server given by its address, with an optional port.
func (n *network) at(address string) server {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = strings.Trim(address, "[]"), "53"
	}
	name := host
	if port != "53" {
		name = net.JoinHostPort(host, port)
	}
	return server{name: name, addr: n.reroute(host, port)}
}

// reroute is the address to dial for host, which is host itself unless -connect-to names it.
func (n *network) reroute(host, port string) string {
	to, found := n.connect[strings.ToLower(strings.TrimSuffix(host, "."))]
	if !found {
		return net.JoinHostPort(host, port)
	}
	if _, _, err := net.SplitHostPort(to); err == nil {
		return to
	}
	return net.JoinHostPort(strings.Trim(to, "[]"), port)
}

var (
	errNoName       = errors.New("the name does not exist")
	errNoAddress    = errors.New("the name has no address")
	errNoConnection = errors.New("no connection")
	errUnresolved   = errors.New("no resolver answers")
)

// dial opens a TCP connection to host. Its name is resolved as the internet sees it, not by the system.
func (n *network) dial(ctx context.Context, host, port string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	target := n.reroute(host, port)
	if _, err := netip.ParseAddrPort(target); err == nil {
		return n.dialFirst(ctx, target)
	}
	if n.dialName != nil {
		host = n.dialName(ctx, host)
	}
	addrs, err := n.addresses(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoConnection, err)
	}
	targets := make([]string, len(addrs))
	for i, a := range addrs {
		targets[i] = net.JoinHostPort(a.String(), port)
	}
	return n.dialFirst(ctx, targets...)
}

func (n *network) dialFirst(ctx context.Context, targets ...string) (net.Conn, error) {
	var errs []error
	for _, target := range targets {
		conn, err := n.dialer.DialContext(ctx, "tcp", target)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("%w: %w", errNoConnection, errors.Join(errs...))
}

// absent reports whether an error of dial means that the host does not exist, rather than that it could not be reached.
func absent(err error) bool {
	return errors.Is(err, errNoName) || errors.Is(err, errNoAddress) || errors.Is(err, errAliasCircle) || errors.Is(err, syscall.ECONNREFUSED)
}

// addresses are those of name, A before AAAA, after following its aliases. Only NXDOMAIN means that the name does not
// exist.
func (n *network) addresses(ctx context.Context, name string) ([]netip.Addr, error) {
	types := []uint16{dns.TypeA, dns.TypeAAAA}
	var found []netip.Addr
	var failed error
	gone := false
	for _, r := range each(types, func(t uint16) reply { return n.lookup(ctx, name, t) }) {
		switch {
		case errors.Is(r.err, errAliasCircle):
			return nil, fmt.Errorf("%s: %w", name, r.err)
		case r.err != nil:
			failed = fmt.Errorf("%s: %w: %w", name, errUnresolved, quietError{r.err})
		case !r.usable():
			failed = fmt.Errorf("%s: %w", name, r.failure())
		}
		gone = gone || r.usable() && r.rcode == dns.RcodeNameError
		found = append(found, r.addrs()...)
	}
	switch {
	case len(found) > 0:
		return found, nil
	case gone && n.blind(ctx, name):
		return nil, fmt.Errorf("%s: %w: %w", name, errUnresolved, errBlind)
	case gone:
		return nil, fmt.Errorf("%s: %w", name, errNoName)
	case failed != nil:
		return nil, failed
	}
	return nil, fmt.Errorf("%s: %w", name, errNoAddress)
}

// quietError is an error whose causes do not count: a resolver that refuses a connection says nothing about the host.
type quietError struct{ error }

// client makes HTTP requests over dial. It follows no redirects and uses no proxy.
func (n *network) client() *http.Client {
	return &http.Client{
		Timeout: httpTimeout,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
				host, port, err := net.SplitHostPort(addr)
				if err != nil {
					return nil, err
				}
				return n.dial(ctx, host, port)
			},
			TLSClientConfig:   n.tls(""),
			ForceAttemptHTTP2: true,
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (n *network) tls(host string) *tls.Config {
	return &tls.Config{ServerName: host, RootCAs: n.roots, Time: n.now, MinVersion: tls.VersionTLS12}
}

// outOfReach reports whether an error is about the connection only, and says nothing about the host.
func outOfReach(err error) bool {
	return errors.Is(err, errNoConnection) && !absent(err) || timedOut(err)
}

func timedOut(err error) bool {
	var timed interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timed) && timed.Timeout()
}

// plainly is an error without the addresses and call names that package net adds, which do not help here.
func plainly(err error) string {
	if request, is := errors.AsType[*url.Error](err); is {
		err = request.Err
	}
	var errno syscall.Errno
	switch {
	case errors.Is(err, errRcode), errors.Is(err, errNoName), errors.Is(err, errNoAddress), errors.Is(err, errAliasCircle):
		return err.Error()
	case errors.Is(err, errNoRouteToDNS):
		return errNoRouteToDNS.Error()
	case errors.Is(err, errBlind):
		return errBlind.Error()
	case errors.Is(err, errUnresolved):
		return errUnresolved.Error()
	case errors.As(err, &errno):
		return errno.Error()
	case timedOut(err):
		return "no answer in time"
	}
	return err.Error()
}

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"net"
	"strings"
	"syscall"
	"time"
)

// renewalDue is when a certificate should have been replaced: Clerk's authorities issue for 90 days and are asked again after 60.
const renewalDue = 14 * 24 * time.Hour

// checkCert connects to host as a browser would.
func (d *doctor) checkCert(ctx context.Context, r record) check {
	c := check{Group: groupCerts, Name: r.host, See: []string{
		"openssl s_client -connect " + r.host + ":443 -servername " + r.host + " </dev/null 2>/dev/null | openssl x509 -noout -issuer -dates -ext subjectAltName",
	}}
	leaf, err := d.handshake(ctx, r.host)
	if err != nil {
		d.explainNoCert(ctx, &c, r, err)
		return c
	}
	left := leaf.NotAfter.Sub(d.net.now())
	days := int(math.Floor(left.Hours() / 24))
	c.Status, c.Says = ok, fmt.Sprintf("%s, by %s, %d days left", strings.Join(leaf.DNSNames, ", "), issuer(leaf), days)
	if left < renewalDue {
		c.Status = warn
		c.Says += ": it should have been renewed by now"
		c.Fix = d.obstacles(ctx, r)
		if len(c.Fix) == 0 {
			c.Fix = []string{"ask Clerk's support why it was not; DNS and CAA do not stand in the way"}
		}
	}
	return c
}

// handshake is a TLS connection with everything verified, and gives the certificate that was shown.
func (d *doctor) handshake(ctx context.Context, host string) (*x509.Certificate, error) {
	raw, err := d.net.dial(ctx, host, "443")
	if err != nil {
		return nil, err
	}
	defer func() { _ = raw.Close() }()
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	conn := tls.Client(raw, d.net.tls(host))
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return conn.ConnectionState().PeerCertificates[0], nil
}

func issuer(leaf *x509.Certificate) string {
	return strings.TrimSpace(strings.Join(leaf.Issuer.Organization, " ") + " " + leaf.Issuer.CommonName)
}

// explainNoCert says which of the ways of not having a certificate this is.
func (d *doctor) explainNoCert(ctx context.Context, c *check, r record, err error) {
	var (
		shown  *tls.CertificateVerificationError
		remote *net.OpError
	)
	switch {
	case errors.As(err, &shown):
		d.explainRefused(ctx, c, r, shown)
	case outOfReach(err):
		c.Status, c.Says = unknown, "could not connect: "+plainly(err)
		c.Fix = []string{"check the network here, or allow more time with -timeout"}
	case errors.Is(err, syscall.ECONNREFUSED):
		d.notServed(ctx, c, r, "nothing listens there")
	case absent(err):
		d.notServed(ctx, c, r, "the name leads to no address")
	case errors.As(err, &remote) && remote.Op == "remote error":
		d.notServed(ctx, c, r, "the server refuses the name ("+remote.Err.Error()+")")
	default:
		d.notServed(ctx, c, r, "the server broke the handshake off")
	}
}

// explainRefused: there is a certificate, and it is not to be trusted.
func (d *doctor) explainRefused(ctx context.Context, c *check, r record, shown *tls.CertificateVerificationError) {
	leaf := shown.UnverifiedCertificates[0]
	var (
		wrong   x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(shown, &wrong):
		d.notServed(ctx, c, r, "the certificate shown is for "+strings.Join(leaf.DNSNames, ", "))
	case errors.As(shown, &invalid) && invalid.Reason == x509.Expired:
		c.Status, c.Says = fail, fmt.Sprintf("not valid at this time: %s to %s",
			leaf.NotBefore.UTC().Format(time.DateOnly), leaf.NotAfter.UTC().Format(time.DateOnly))
		c.Fix = append(d.obstacles(ctx, r), "check the clock here; if it is right, the renewal has failed: ask Clerk's support")
	default:
		c.Status, c.Says = fail, "the chain does not hold: issued by "+issuer(leaf)
		c.Fix = []string{
			"something between here and Clerk answers in its place",
			"if that is a proxy of your own, name its authority with -ca-bundle",
		}
	}
}

// notServed: Clerk does not serve a certificate for the name yet. Waiting helps only if nothing stands in the way.
func (d *doctor) notServed(ctx context.Context, c *check, r record, how string) {
	c.Status, c.Says = fail, "no certificate is served yet: "+how
	if c.Fix = d.obstacles(ctx, r); len(c.Fix) > 0 {
		c.Fix = append(c.Fix, `then press "Deploy certificates" in Clerk's Dashboard`)
		return
	}
	c.Fix = []string{
		`press "Deploy certificates" in Clerk's Dashboard; DNS and CAA do not stand in the way`,
		"if that was more than a few minutes ago, issuance is stuck: ask Clerk's support",
	}
}

// obstacles are the checks of the same host that explain why there is no certificate. Only who has none waits for them.
func (d *doctor) obstacles(ctx context.Context, r record) []string {
	var found []string
	cname, caa := d.checkRecord(ctx, r), d.checkCAA(ctx, r.host)
	switch cname.Status {
	case fail:
		found = append(found, "first mend the CNAME: "+cname.Says)
	case unknown:
		found = append(found, "the CNAME may be the cause, but could not be checked")
	case ok, warn, skipped:
	}
	switch caa.Status {
	case fail, warn:
		found = append(found, "first mend CAA: "+caa.Says)
	case unknown:
		found = append(found, "CAA may be the cause, but could not be checked")
	case ok, skipped:
	}
	return found
}

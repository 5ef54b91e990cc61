package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"
)

// renewalShare: certificates are renewed when a third of their lifetime is left, so with a sixth left something is wrong.
const renewalShare = 6

// issuers are the names of Clerk's authorities in the certificates they issue.
var issuers = []string{"Let's Encrypt", "Google Trust Services"}

// checkCert connects to the host of r as a browser would.
func (d *doctor) checkCert(ctx context.Context, r record) check {
	return remember(&d.seen, "certificate of "+r.host, func() check {
		c := check{code: certGood, name: r.host, see: []string{
			"openssl s_client -connect " + r.host + ":443 -servername " + r.host + " </dev/null 2>/dev/null | openssl x509 -noout -issuer -dates -ext subjectAltName",
		}}
		if b := d.zoneState(ctx).blocker; b != nil {
			c.code, c.cause = certUnreachable, b
			return c
		}
		leaf, err := d.handshake(ctx, r.host, tls.VersionTLS12)
		if err != nil {
			d.explainNoCert(ctx, &c, err)
		} else {
			d.judgeLeaf(&c, leaf)
		}
		d.explainCert(ctx, &c, r)
		return c
	})
}

// handshake makes a fully verified TLS connection and returns the server's certificate.
func (d *doctor) handshake(ctx context.Context, host string, oldest uint16) (*x509.Certificate, error) {
	raw, err := d.net.dial(ctx, host, "443")
	if err != nil {
		return nil, err
	}
	defer func() { _ = raw.Close() }()
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	config := d.net.tls(host)
	if config.MinVersion = oldest; oldest < tls.VersionTLS12 {
		config.MaxVersion = tls.VersionTLS11
		for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
			config.CipherSuites = append(config.CipherSuites, suite.ID)
		}
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return conn.ConnectionState().PeerCertificates[0], nil
}

func (d *doctor) judgeLeaf(c *check, leaf *x509.Certificate) {
	left := leaf.NotAfter.Sub(d.net.now())
	c.says = fmt.Sprintf("by %s, %s left", issuer(leaf), days(left))
	switch {
	case left*renewalShare < leaf.NotAfter.Sub(leaf.NotBefore):
		c.code, c.says = certNotRenewed, c.says+" of "+days(leaf.NotAfter.Sub(leaf.NotBefore))
		c.fix = []string{"ask Clerk's support why it was not renewed; DNS and CAA allow it"}
	case !slices.ContainsFunc(issuers, func(name string) bool { return strings.Contains(strings.Join(leaf.Issuer.Organization, " "), name) }):
		c.code = certOtherIssuer
		c.fix = []string{"Clerk's certificates are issued by Let's Encrypt or Google Trust Services: see what else answers at this name, such as a proxy, or a filter on this network"}
	}
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%d hours", int(math.Floor(d.Hours())))
	}
	return fmt.Sprintf("%d days", int(math.Floor(d.Hours()/24)))
}

func issuer(leaf *x509.Certificate) string {
	return strings.TrimSpace(strings.Join(leaf.Issuer.Organization, " ") + " " + leaf.Issuer.CommonName)
}

// explainNoCert explains why there is no certificate.
func (d *doctor) explainNoCert(ctx context.Context, c *check, err error) {
	var (
		shown  *tls.CertificateVerificationError
		header tls.RecordHeaderError
		remote *net.OpError
	)
	deploy := []string{
		`press "Deploy certificates" in Clerk's Dashboard; DNS and CAA allow it`,
		"if that was more than a few minutes ago, issuance is stuck: ask Clerk's support",
	}
	switch {
	case errors.As(err, &shown):
		d.explainRefused(c, shown, deploy)
	case errors.As(err, &header):
		c.code, c.says = tlsNotSpoken, "the server answers the TLS handshake with something else"
		if strings.HasPrefix(string(header.RecordHeader[:]), "HTTP") {
			c.says = "the server answers the TLS handshake with HTTP"
		}
		c.fix = []string{"see what answers at this name: Clerk's servers speak TLS; a proxy there must too"}
	case outOfReach(err):
		c.code, c.says = certUnreachable, "could not connect: "+plainly(err)
		c.fix = []string{"check the network here, or allow more time with -timeout"}
	case errors.Is(err, syscall.ECONNREFUSED):
		c.code, c.says, c.fix = certNotServed, "nothing listens there", deploy
	case absent(err):
		c.code, c.says, c.fix = certNotServed, "the name leads to no address", deploy
	case d.tooOld(ctx, c.name):
		c.code, c.says = tlsTooOld, "only TLS 1.0 or 1.1, which browsers refuse (RFC 8996)"
		c.fix = []string{"see what answers at this name: Clerk's servers speak TLS 1.2 and 1.3; a proxy there must too"}
		c.see = []string{"openssl s_client -tls1_2 -connect " + c.name + ":443 -servername " + c.name + " </dev/null"}
	case errors.As(err, &remote) && remote.Op == "remote error":
		c.code, c.says, c.fix = certNotServed, "the server refuses the name ("+remote.Err.Error()+")", deploy
	default:
		c.code, c.says, c.fix = certNotServed, "the server ends the TLS handshake with an error", deploy
	}
}

// tooOld reports whether a handshake of an old version succeeds, with any certificate.
func (d *doctor) tooOld(ctx context.Context, host string) bool {
	_, err := d.handshake(ctx, host, tls.VersionTLS10)
	return err == nil || errors.As(err, new(*tls.CertificateVerificationError))
}

// explainRefused: there is a certificate, but it is not trusted.
func (d *doctor) explainRefused(c *check, shown *tls.CertificateVerificationError, deploy []string) {
	leaf := shown.UnverifiedCertificates[0]
	var (
		other   x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	period := leaf.NotBefore.UTC().Format(time.DateOnly) + " to " + leaf.NotAfter.UTC().Format(time.DateOnly)
	switch {
	case errors.As(shown, &other):
		c.code, c.says, c.fix = certWrongHost, "it is for "+strings.Join(leaf.DNSNames, ", "), deploy
	case errors.As(shown, &invalid) && invalid.Reason == x509.Expired && d.net.now().Before(leaf.NotBefore):
		c.code, c.says = certNotYetValid, period
		c.fix = []string{"check the clock of this machine"}
	case errors.As(shown, &invalid) && invalid.Reason == x509.Expired:
		c.code, c.says = certExpired, period
		c.fix = []string{"check the clock here; if it is right, the renewal has failed: ask Clerk's support"}
	case incomplete(shown.UnverifiedCertificates):
		c.code, c.says = certIncomplete, "the certificate of its issuer, "+issuer(leaf)+", is missing: some browsers fetch it, programs do not"
		c.fix = []string{"see what answers at this name: a proxy there has to send the whole chain (fullchain.pem, not cert.pem)"}
	default:
		c.code, c.says = certUntrusted, "issued by "+issuer(leaf)
		c.fix = []string{
			"something between this machine and Clerk answers instead of it",
			"if that is a proxy of your own, name its authority with -ca-bundle",
		}
	}
}

// incomplete reports whether the issuer's certificate is missing from the chain, for certificates of Clerk's authorities,
// or with the URL of the issuer's certificate. Certificates made up by a filter in the network have no such URL.
func incomplete(chain []*x509.Certificate) bool {
	leaf := chain[0]
	public := len(leaf.IssuingCertificateURL) > 0 ||
		slices.ContainsFunc(issuers, func(name string) bool { return strings.Contains(issuer(leaf), name) })
	return public && !slices.ContainsFunc(chain[1:], func(c *x509.Certificate) bool { return string(c.RawSubject) == string(leaf.RawIssuer) })
}

// explainCert finds the check that explains why there is no valid certificate: the CNAME's, or else CAA's.
func (d *doctor) explainCert(ctx context.Context, c *check, r record) {
	if !c.bad() && c.code != certNotRenewed {
		return
	}
	cname, caa := d.recordCheck(ctx, r), d.checkCAA(ctx, r)
	switch {
	case cname.bad():
		c.cause = cname.ref()
	case c.status() == unknown || c.code == tlsNotSpoken || c.code == tlsTooOld || c.code == certNotYetValid || c.code == certUntrusted:
	case caa.bad():
		c.cause = caa.ref()
	case caa.status() == warn:
		c.fix = append([]string{"CAA may be why: " + caa.says}, c.fix...)
	}
}

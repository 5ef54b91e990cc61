package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// internet is a proxy for https through which a browser reaches the hosts of its sites, and
// nothing else.
type internet struct {
	proxy *httptest.Server
	key   *ecdsa.PrivateKey // the authority's and every host's
	ca    *x509.Certificate

	mu    sync.Mutex        // guards hosts
	hosts map[string]string // host and port, as browsers request it, to the address of its server
}

func newInternet(t *testing.T) *internet {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	n := &internet{key: key, hosts: map[string]string{}}
	n.ca = n.certify(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "clerkauth e2e"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	n.proxy = httptest.NewServer(http.HandlerFunc(n.connect))
	t.Cleanup(n.proxy.Close)
	return n
}

// certify signs a certificate with the authority, which is self-signed.
func (n *internet) certify(t *testing.T, c *x509.Certificate) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore, c.NotAfter = serial, time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	issuer := n.ca
	if issuer == nil {
		issuer = c
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, issuer, n.key.Public(), n.key)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// authority returns the certificate that browsers must trust.
func (n *internet) authority() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: n.ca.Raw})
}

// serve serves an https origin.
func (n *internet) serve(t *testing.T, origin string, h http.Handler) {
	t.Helper()
	u, err := url.Parse(origin)
	if err != nil {
		t.Fatal(err)
	}
	leaf := n.certify(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: u.Hostname()}, DNSNames: []string{u.Hostname()},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	server := httptest.NewUnstartedServer(h)
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: n.key}}, MinVersion: tls.VersionTLS12,
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[u.Hostname()+":443"] = server.Listener.Addr().String()
}

// connect connects a browser to the requested host.
func (n *internet) connect(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	address := n.hosts[r.Host]
	n.mu.Unlock()
	if r.Method != http.MethodConnect || address == "" {
		http.Error(w, "there is no such host here", http.StatusBadGateway)
		return
	}
	var dialer net.Dialer
	there, err := dialer.DialContext(r.Context(), "tcp", address)
	if err != nil {
		http.Error(w, "the host is down", http.StatusBadGateway)
		return
	}
	defer there.Close() //nolint:errcheck // nothing more is sent
	here, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer here.Close() //nolint:errcheck // nothing more is sent
	if _, err := io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(there, buffered) // until either end closes, which ends the other copy too
		_ = there.Close()
	}()
	_, _ = io.Copy(here, there)
}

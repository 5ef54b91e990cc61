package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"
	"time"
)

// A loopback is what a browser reaches: some hosts by TLS, all of them one server on 127.0.0.1.
type loopback struct {
	fingerprint string // of the server's public key, which no authority vouches for
	address     string
	hosts       map[string]http.Handler // whole before the browser starts
}

// serve opens a loopback.
func serve(t *testing.T) *loopback {
	t.Helper()
	certificate, fingerprint := selfSigned(t)
	n := &loopback{fingerprint: fingerprint, hosts: map[string]http.Handler{}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, ok := n.hosts[r.Host]
		if !ok {
			http.NotFound(w, r)
			return
		}
		host.ServeHTTP(w, r)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections that the browser opens and does not need
	server.StartTLS()
	t.Cleanup(server.Close)
	n.address = server.Listener.Addr().String()
	return n
}

// rules tell the browser where the hosts are. It finds no others but this machine.
func (n *loopback) rules() string {
	rules := []string{"EXCLUDE 127.0.0.1", "EXCLUDE *.localhost"}
	for host := range n.hosts {
		rules = append(rules, "MAP "+host+" "+n.address)
	}
	return strings.Join(append(rules, "MAP * ~NOTFOUND"), ",")
}

// selfSigned makes a certificate that a browser takes which is told the fingerprint of its key.
func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"*.example.test", frontendHost},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(public)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, base64.StdEncoding.EncodeToString(sum[:])
}

// forward sends requests on to a host that only transport reaches.
func forward(host string, transport http.RoundTripper) http.Handler {
	return &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "https", host, host
		},
		ErrorLog: log.New(io.Discard, "", 0), // a browser that closes leaves requests behind
	}
}

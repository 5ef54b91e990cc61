package main

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// noon is the time of all stories.
var noon = time.Date(2026, time.January, 15, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// authority issues certificates during a test.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	file string // its own certificate, for -ca-bundle
}

func newAuthority(t *testing.T, subject pkix.Name) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: subject, IsCA: true, BasicConstraintsValid: true,
		NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := authority{key: key, cert: cert, file: filepath.Join(t.TempDir(), "ca.pem")}
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// intermediate returns an authority whose certificate this one has signed.
func (a authority) intermediate(t *testing.T, subject pkix.Name) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: subject, IsCA: true, BasicConstraintsValid: true,
		NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{key: key, cert: cert}
}

func (a authority) issue(t *testing.T, until time.Time, hosts ...string) tls.Certificate {
	t.Helper()
	return a.issueFor(t, until, 90*24*time.Hour, hosts...)
}

func (a authority) issueFor(t *testing.T, until time.Time, lifetime time.Duration, hosts ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: hosts[0]}, DNSNames: hosts,
		NotBefore: until.Add(-lifetime), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// site is Clerk as the internet sees it: the hosts of one instance on one listener, with
// certificates and a Frontend API.
type site struct {
	*clerktest.Instance

	domain  string
	certs   map[string]tls.Certificate // by host; others are refused, as Clerk's edge does
	status  int                        // of the answer of discovery; 0: 200
	spare   tls.Certificate            // the story may use it later
	issuer  string                     // in the answer of discovery; "": none
	clock   time.Time                  // in the Date header
	undated bool                       // there is no Date header
	lost    bool                       // no host has the listener's address
	prefix  string                     // of the Frontend API's paths, behind a proxy
	other   http.Handler               // api.clerk.com; nil: none
	front   http.Handler               // answers at the application's host; nil: the Frontend API does

	mu sync.Mutex // guards certs while serving
}

func newSite(t *testing.T, ca authority, domain string) *site {
	t.Helper()
	s := &site{
		Instance: clerktest.New(t, clerktest.Options{Domain: domain, Now: atNoon}),
		domain:   domain, certs: map[string]tls.Certificate{}, issuer: "https://clerk." + domain, clock: noon,
	}
	for _, host := range []string{"clerk." + domain, "accounts." + domain} {
		s.certs[host] = ca.issue(t, noon.AddDate(0, 0, 60), host)
	}
	return s
}

// listen starts to serve, after the story has made its changes. For a host without certificate the
// handshake ends with the alert unrecognized_name.
func (s *site) listen(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(s.serve), ErrorLog: discardLog, ReadHeaderTimeout: time.Minute}
	server.TLSConfig = &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if cert, found := s.certs[hello.ServerName]; found {
				return &cert, nil
			}
			return nil, nil //nolint:nilnil // as documented: the configuration has no other
		},
	}
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(l, "", "") }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the server ended with the error %v, want ErrServerClosed", err)
		}
	})
	return l.Addr().String()
}

// serveTLS accepts connections and makes only the TLS handshake.
func serveTLS(t *testing.T, config *tls.Config) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	server := &http.Server{Handler: http.NotFoundHandler(), TLSConfig: config, ErrorLog: discardLog, ReadHeaderTimeout: time.Minute}
	go func() { done <- server.ServeTLS(l, "", "") }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the server ended with the error %v, want ErrServerClosed", err)
		}
	})
	return l.Addr().String()
}

// serveBanner sends a greeting on every connection, whatever the client sends.
func serveBanner(t *testing.T, banner string) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			_, _ = io.WriteString(conn, banner)
			_, _ = io.ReadFull(conn, make([]byte, 1))
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.clock.Format(http.TimeFormat))
	if s.undated {
		w.Header()["Date"] = nil
	}
	switch {
	case s.other != nil && r.Host == "api.clerk.com":
		s.other.ServeHTTP(w, r)
	case r.URL.Path == s.prefix+discoveryPath && s.issuer != "":
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(cmp.Or(s.status, http.StatusOK))
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": s.issuer})
	case s.front != nil:
		s.front.ServeHTTP(w, r)
	default:
		http.StripPrefix(s.prefix, s.frontendAPI()).ServeHTTP(w, r)
	}
}

// frontendAPI passes requests to the instance, which answers in memory.
func (s *site) frontendAPI() http.Handler {
	return &httputil.ReverseProxy{
		Transport: s.Config().HTTPClient.Transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "https", "clerk."+s.domain, ""
		},
		ModifyResponse: func(r *http.Response) error {
			r.Header.Del("Date")
			return nil
		},
		ErrorLog: discardLog,
	}
}

// hosts returns the hosts that must connect to the listener.
func (s *site) hosts() []string {
	if s.lost {
		return nil
	}
	hosts := []string{"clerk." + s.domain, "accounts." + s.domain}
	for host := range s.certs {
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

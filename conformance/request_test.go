package conformance_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var errHost = errors.New("malformed or several Host headers")

// hostHeader are the characters that net/http's server takes in a Host header.
var hostHeader = regexp.MustCompile(`^[A-Za-z0-9!$%&'()*+,.:;=@\[\]_~-]*$`)

// build makes the request as net/http's server hands it to a handler: the
// URL has no scheme and no host, those are in TLS and Host.
func (r recordedRequest) build(tb testing.TB) (*http.Request, error) {
	tb.Helper()
	target, err := url.Parse(r.target())
	if err != nil {
		return nil, err
	}
	line := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n\r\n", r.Method, requestURI(r.target()), target.Host)
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(line)))
	if err != nil {
		return nil, err
	}
	req.RemoteAddr = "192.0.2.1:1234"
	if target.Scheme == "https" {
		req.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true}
	}
	if hosts := r.values("Host"); len(hosts) > 1 || len(hosts) == 1 && !hostHeader.MatchString(hosts[0]) {
		return nil, errHost
	}
	for _, h := range r.Headers {
		value := latin1(strings.Trim(h[1], " \t"))
		if strings.EqualFold(h[0], "Host") {
			req.Host = value
			continue
		}
		req.Header.Add(h[0], value)
	}
	return req.WithContext(tb.Context()), nil
}

// requestURI is the part of an absolute URL that a client sends, untouched.
func requestURI(absolute string) string {
	_, rest, _ := strings.Cut(absolute, "://")
	i := strings.IndexAny(rest, "/?#")
	if i < 0 {
		return "/"
	}
	path, _, _ := strings.Cut(rest[i:], "#")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return path
}

// latin1 turns characters into the bytes they stand for in the recording.
func latin1(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return s
		}
		b = append(b, byte(r&0xff))
	}
	return string(b)
}

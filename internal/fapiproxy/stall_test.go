package fapiproxy_test

import (
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections are in memory, with deadlines by the test's clock.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A client that stops sending, or reading, is disconnected after two minutes, whatever the server allows.
func TestStalledClients(t *testing.T) {
	for name, sent := range map[string]string{
		"sending": "POST /__clerk/v1/client HTTP/1.1\r\nHost: example.com\r\nContent-Length: 1000\r\n\r\nx",
		"reading": "GET /__clerk/v1/client HTTP/1.1\r\nHost: example.com\r\n\r\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, nil)
			ended := make(chan time.Duration, 1)
			begun := time.Now()
			listener := make(pipes)
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // without timeouts of its own
				defer func() { ended <- time.Since(begun) }()
				s.handler.ServeHTTP(w, r)
			})}
			go func() { _ = server.Serve(listener) }() // until Close
			client, served := net.Pipe()
			listener <- served
			if _, err := io.WriteString(client, sent); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Minute) // of the bubble
			select {
			case took := <-ended:
				if took > 2*time.Minute+time.Second {
					t.Errorf("%s: disconnected after %s, want after two minutes", name, took)
				}
			default:
				t.Errorf("%s: still connected after three minutes", name)
			}
			_, _ = client.Close(), server.Close()
		})
	}
}

package contract

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"
)

// pipes is a network in memory, for synctest bubbles.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// Serve returns a client for which every http URL leads to a server with this handler. protocols are the client's; nil:
// HTTP/1.
func Serve(t *testing.T, handler http.Handler, protocols *http.Protocols) *http.Client {
	t.Helper()
	network, both := make(pipes), new(http.Protocols)
	both.SetHTTP1(true)
	both.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Second, Protocols: both}
	go func() { _ = server.Serve(network) }()
	client := &http.Client{Transport: &http.Transport{
		Protocols: protocols,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			network <- theirs
			return ours, nil
		},
	}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		close(network)
		_ = server.Close()
	})
	return client
}

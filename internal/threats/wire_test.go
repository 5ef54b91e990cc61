package threats_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// wire is a request as bytes on the wire. HTTP clients refuse to send most of what a stranger can.
type wire struct {
	method, target, authority string
	fields                    [][2]string // names in canonical form
}

// request returns w as net/http's server reads it.
func (w wire) request(t testing.TB) *http.Request {
	t.Helper()
	u, err := url.ParseRequestURI(w.target)
	if err != nil {
		t.Fatal(err)
	}
	r := &http.Request{Method: w.method, Host: w.authority, URL: u, RequestURI: w.target, Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody}
	for _, f := range w.fields {
		r.Header.Add(f[0], f[1])
	}
	return r.WithContext(t.Context())
}

// http1 returns w in HTTP/1.1 (RFC 9112).
func (w wire) http1() []byte {
	text := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n", w.method, w.target, w.authority)
	for _, f := range w.fields {
		text = fmt.Appendf(text, "%s: %s\r\n", f[0], f[1])
	}
	return append(text, "\r\n"...)
}

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// http2 returns a connection's preface and w on its first stream (RFC 9113), with every field as a
// literal (RFC 7541 section 6.2.2).
func (w wire) http2() []byte {
	const (
		headers, settings, continuation = 0x1, 0x4, 0x9
		endStream, endHeaders           = 0x1, 0x4
		largest                         = 16 << 10
	)
	block := literal(nil, ":method", w.method)
	block = literal(block, ":scheme", "http")
	block = literal(block, ":path", w.target)
	block = literal(block, ":authority", w.authority)
	for _, f := range w.fields {
		block = literal(block, strings.ToLower(f[0]), f[1])
	}
	out := frame([]byte(preface), settings, 0, 0, nil)
	kind, flags := byte(headers), byte(endStream)
	for {
		part := block[:min(len(block), largest)]
		if block = block[len(part):]; len(block) == 0 {
			return frame(out, kind, flags|endHeaders, 1, part)
		}
		out = frame(out, kind, flags, 1, part)
		kind, flags = continuation, 0
	}
}

func frame(out []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	n := len(payload)
	out = binary.BigEndian.AppendUint32(out, uint32(n)<<8|uint32(kind)) //nolint:gosec // at most 16 KB
	out = binary.BigEndian.AppendUint32(append(out, flags), stream)
	return append(out, payload...)
}

func literal(block []byte, name, value string) []byte {
	block = append(block, 0x10) // never indexed, with a new name
	return str(str(block, name), value)
}

// str appends a string without Huffman coding, after its length as an integer with a prefix of 7 bits.
func str(block []byte, s string) []byte {
	n := len(s)
	if n < 127 {
		return append(append(block, byte(n)), s...)
	}
	block = append(block, 127)
	for n -= 127; n >= 128; n >>= 7 {
		block = append(block, byte(n&127)|128)
	}
	return append(append(block, byte(n)), s...)
}

// listen serves h on this machine, in both versions of HTTP and with space for large headers.
func listen(t *testing.T, h http.Handler) (address string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, MaxHeaderBytes: 8 << 20, ReadHeaderTimeout: time.Minute, Protocols: new(http.Protocols)}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // http.ErrServerClosed
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return l.Addr().String()
}

// send writes a request to a connection of its own, and waits until done says that the handler has
// finished. It reports false when the server answers without the handler.
func send(t *testing.T, address string, request []byte, done <-chan struct{}) (served bool) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	refused := make(chan struct{})
	go func() {
		defer close(refused)
		awaitAnswer(bufio.NewReader(conn), bytes.HasPrefix(request, []byte(preface)))
	}()
	defer func() {
		_ = conn.Close()
		<-refused
	}()
	_, _ = conn.Write(request) // the server may refuse before it has read everything
	select {
	case <-done:
		return true
	case <-refused:
		return false
	}
}

// awaitAnswer reads until an answer begins or the connection ends.
func awaitAnswer(r *bufio.Reader, http2 bool) {
	const headers, reset, goAway = 0x1, 0x3, 0x7
	for http2 {
		head, err := r.Peek(9)
		if err != nil || head[3] == headers || head[3] == reset || head[3] == goAway {
			return
		}
		_, _ = r.Discard(len(head) + int(binary.BigEndian.Uint32(head)>>8)) // Peek reports errors
	}
	_, _ = r.ReadByte()
}

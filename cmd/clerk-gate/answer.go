package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
)

// answer is a ResponseWriter that stores what is written to it.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newAnswer() *answer { return &answer{header: http.Header{}} }

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// finish turns anything but the answer of pass or a refusal into an error.
func (a *answer) finish() {
	if a.status >= 300 && a.status <= 599 || a.status == http.StatusNoContent && a.header.Get("X-Clerk-Auth-Status") != "" {
		return
	}
	*a = *newAnswer()
	writeProblem(a, http.StatusInternalServerError, "not-decided", "No decision was made about this request.")
}

// sendPlain answers a gateway that passes any refusal on to the client.
func sendPlain(w http.ResponseWriter, a *answer) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) //nolint:gosec // the library's own page, or JSON; if the gateway has gone away, nothing is to be done
}

// nginx's auth_request accepts 2xx, 401 and 403, passes no body on, and reads only the first of several lines of a header.
// So a refusal is a 401 with the whole response packed into one header, which nginx sends to /answer for the client, and
// the cookies of a 204 are in separate headers.

// nginxCookies is how many cookies nginx/clerk-gate.conf passes on with a 204.
const nginxCookies = 16

// packed is a response that is sent through nginx.
type packed struct {
	Status int
	Header http.Header
	Body   []byte
}

func sendPacked(w http.ResponseWriter, a *answer) {
	cookies := a.header["Set-Cookie"]
	if a.status == http.StatusNoContent && len(cookies) <= nginxCookies {
		delete(a.header, "Set-Cookie")
		for i, cookie := range cookies {
			a.header.Set("X-Clerk-Cookie-"+strconv.Itoa(i+1), cookie)
		}
		sendPlain(w, a)
		return
	}
	if a.status == http.StatusNoContent {
		a = newAnswer()
		writeProblem(a, http.StatusInternalServerError, "too-many-cookies", "There are more cookies than nginx can pass on.")
	}
	content, err := json.Marshal(packed{a.status, a.header, a.body.Bytes()})
	if err == nil {
		w.Header().Set("X-Clerk-Answer", base64.RawURLEncoding.EncodeToString(content))
	}
	w.WriteHeader(http.StatusUnauthorized)
}

// unpack decodes what sendPacked encoded. It never returns an answer that lets a request pass.
func unpack(value string) (*answer, error) {
	content, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return nil, err
	}
	var p packed
	if err := json.Unmarshal(content, &p); err != nil {
		return nil, err
	}
	if p.Status < 300 || p.Status > 599 {
		return nil, errors.New("the packed answer is not a refusal")
	}
	a := &answer{header: p.Header, status: p.Status}
	a.body.Write(p.Body)
	return a, nil
}

// serveAnswer unpacks a refusal for nginx. It accepts only what nginx got from this or another replica.
func (g *gate) serveAnswer(w http.ResponseWriter, r *http.Request) {
	if !g.trusts(r.RemoteAddr) {
		writeProblem(w, http.StatusForbidden, "peer-not-trusted", "Requests from this address are not allowed: it is not in -trusted.")
		return
	}
	value, err := single(r.Header, "X-Clerk-Answer")
	var a *answer
	if err == nil {
		a, err = g.gateway.replay(value)
	}
	if err != nil {
		g.logger.Error("nginx sent no answer to unpack", "error", err.Error())
		writeProblem(w, http.StatusInternalServerError, "gateway-not-configured", "The gateway does not say which answer it needs.")
		return
	}
	sendPlain(w, a)
}

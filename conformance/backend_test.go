package conformance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

var errUnreachable = errors.New("the recorded Backend API does not answer")

// A backend answers as a case's Backend API did and records the requests.
type backend struct {
	mu     sync.Mutex
	routes []route
	served []int
	calls  []call
}

// serve replaces the routes, for the next step of a sequence.
func (b *backend) serve(routes []route) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.routes, b.served, b.calls = routes, make([]int, len(routes)), nil
}

// requests are the calls since serve, except those for keys: this library decides itself how often keys are fetched.
func (b *backend) requests() []call {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.calls), call.forKeys)
}

func (c call) forKeys() bool {
	return strings.HasSuffix(c.URL, "/jwks") || strings.HasSuffix(c.URL, "/.well-known/jwks.json")
}

func (b *backend) RoundTrip(req *http.Request) (*http.Response, error) {
	made, err := observe(req)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, made)
	for i, r := range b.routes {
		if r.fits(req) && len(r.Responses) > 0 {
			answer := r.Responses[min(b.served[i], len(r.Responses)-1)]
			b.served[i]++
			return answer.reply(req)
		}
	}
	return nil, errUnreachable
}

func observe(req *http.Request) (call, error) {
	made := call{
		Method:        req.Method,
		URL:           req.URL.Scheme + "://" + req.URL.Host + req.URL.EscapedPath(),
		Query:         sortedPairs(req.URL.Query()),
		Authorization: req.Header.Get("Authorization"),
	}
	if req.Body == nil {
		return made, nil
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return made, fmt.Errorf("reading the request body: %w", errors.Join(err, req.Body.Close()))
	}
	if err := req.Body.Close(); err != nil {
		return made, err
	}
	if len(body) > 0 {
		err = json.Unmarshal(body, &made.Body)
	}
	return made, err
}

func (r route) fits(req *http.Request) bool {
	if r.Method != req.Method || r.Path != req.URL.EscapedPath() {
		return false
	}
	query := req.URL.Query()
	for name, value := range r.Query {
		if query.Get(name) != value {
			return false
		}
	}
	return true
}

func (r response) reply(req *http.Request) (*http.Response, error) {
	if r.NetworkError {
		return nil, errUnreachable
	}
	body := string(r.JSON)
	if r.Text != nil {
		body = *r.Text
	}
	status := r.Status
	if status == 0 {
		status = http.StatusOK
	}
	kind := r.ContentType
	if kind == "" {
		kind = "application/json"
	}
	return &http.Response{
		StatusCode:    status,
		Status:        fmt.Sprintf("%d %s", status, http.StatusText(status)),
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{"Content-Type": {kind}},
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       req,
	}, nil
}

// sortedPairs are a query's pairs by name, then value, as the recording has them.
func sortedPairs(query url.Values) [][2]string {
	pairs := [][2]string{}
	for name, values := range query {
		for _, value := range values {
			pairs = append(pairs, [2]string{name, value})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		return strings.Compare(a[0]+"\x00"+a[1], b[0]+"\x00"+b[1])
	})
	return pairs
}

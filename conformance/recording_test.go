package conformance_test

import (
	"encoding/json"
	"strings"
)

// A recorded is one request and the reference's decision.
type recorded struct {
	Name    string            `json:"name"`
	Family  string            `json:"family"`
	Now     int64             `json:"now"`
	Env     map[string]string `json:"env"`
	Options options           `json:"options"`
	Request recordedRequest   `json:"request"`
	Has     []json.RawMessage `json:"has"`
	Backend []route           `json:"bapi"`
	Expect  expectation       `json:"expect"`
}

// A sequence is several requests that share one process and its key cache.
type sequence struct {
	Name  string     `json:"name"`
	Steps []recorded `json:"steps"`
}

type recordedRequest struct {
	Method        string      `json:"method"`
	URL           string      `json:"url"`
	NormalizedURL string      `json:"normalizedUrl"`
	Headers       [][2]string `json:"headers"`
}

// target is the URL as the reference saw it.
func (r recordedRequest) target() string {
	if r.NormalizedURL != "" {
		return r.NormalizedURL
	}
	return r.URL
}

// values are the values of one header, in order.
func (r recordedRequest) values(name string) []string {
	var found []string
	for _, h := range r.Headers {
		if strings.EqualFold(h[0], name) {
			found = append(found, strings.Trim(h[1], " \t"))
		}
	}
	return found
}

// cookies reads the Cookie headers as the reference does: split at
// semicolons, blanks trimmed, and the first of a name counts.
func (r recordedRequest) cookies() map[string]string {
	found := map[string]string{}
	for _, line := range r.values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			name, value, valued := strings.Cut(pair, "=")
			name = strings.Trim(name, " \t")
			if _, seen := found[name]; valued && !seen {
				found[name] = unescape(strings.Trim(value, " \t"))
			}
		}
	}
	return found
}

// A route is one endpoint of the recorded Backend API.
type route struct {
	Method    string            `json:"method"`
	Path      string            `json:"path"`
	Query     map[string]string `json:"query"`
	Responses []response        `json:"responses"`
}

type response struct {
	Status       int             `json:"status"`
	JSON         json.RawMessage `json:"json"`
	Text         *string         `json:"text"`
	ContentType  string          `json:"contentType"`
	NetworkError bool            `json:"networkError"`
}

// An expectation is what the reference decided.
type expectation struct {
	Status           string            `json:"status"`
	Reason           string            `json:"reason"`
	TokenType        string            `json:"tokenType"`
	Location         *location         `json:"location"`
	SetCookies       []string          `json:"setCookies"`
	Headers          map[string]string `json:"headers"`
	TokenSource      string            `json:"tokenSource"`
	Token            string            `json:"token"`
	Auth             map[string]any    `json:"auth"`
	PendingSignedOut bool              `json:"pendingSignedOut"`
	HasAnswers       []bool            `json:"has"`
	HasDefault       []bool            `json:"hasDefault"`
	ToAuthError      *struct{}         `json:"toAuthError"`
	Calls            []call            `json:"bapiCalls"`
}

// A location is where a response sends the browser.
type location struct {
	Base     string      `json:"base"`
	Query    [][2]string `json:"query"`
	Hash     string      `json:"hash"`
	UserInfo string      `json:"userinfo"`
	Raw      string      `json:"raw"`
}

// A call is one request to the Backend API.
type call struct {
	Method        string      `json:"method"`
	URL           string      `json:"url"`
	Query         [][2]string `json:"query"`
	Authorization string      `json:"authorization"`
	Body          any         `json:"body"`
}

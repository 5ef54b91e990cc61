package conformance_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// The code that runs the cases is itself tested here: a comparison that misses differences would make every case pass.

func TestComparisonSeesEveryField(t *testing.T) {
	same := outcome{
		Status: signedIn, Headers: map[string]string{"cache-control": "no-store"},
		Cookies:  []string{"a=1"},
		Location: &location{Base: "https://a.example/", Query: [][2]string{{"a", "1"}}},
		Auth:     &identity{UserID: "u", OrgPermissions: []string{"org:a:b"}},
		Calls:    []call{{Method: "POST", URL: "https://a.example/", Body: map[string]any{"a": "1"}}},
	}
	if lines := differences(same, same.clone()); len(lines) > 0 {
		t.Fatalf("an outcome differs from itself: %q", lines)
	}
	changes := map[string]func(*outcome){
		"status":      func(o *outcome) { o.Status = signedOut },
		"reason":      func(o *outcome) { o.Reason = "token-invalid" },
		"base":        func(o *outcome) { o.Location = &location{Base: "https://b.example/", Query: o.Location.Query} },
		"query":       func(o *outcome) { o.Location = &location{Base: o.Location.Base} },
		"no location": func(o *outcome) { o.Location = nil },
		"cookies":     func(o *outcome) { o.Cookies = append(o.Cookies, "b=2") },
		"one header":  func(o *outcome) { o.Headers["vary"] = "Cookie" },
		"no header":   func(o *outcome) { delete(o.Headers, "cache-control") },
		"pending":     func(o *outcome) { o.Pending = true },
		"token":       func(o *outcome) { o.Token = "a.b.c" },
		"user":        func(o *outcome) { o.Auth.UserID = "v" },
		"permissions": func(o *outcome) { o.Auth.OrgPermissions = nil },
		"factor":      func(o *outcome) { o.Auth.SecondFactorAge = 1 },
		"nobody":      func(o *outcome) { o.Auth = nil },
		"call":        func(o *outcome) { o.Calls = nil },
		"body":        func(o *outcome) { o.Calls[0].Body = map[string]any{"a": "2"} },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			other := same.clone()
			change(&other)
			if len(differences(other, same)) == 0 {
				t.Error("the change is not seen")
			}
		})
	}
}

func TestBackendAnswersAsRecorded(t *testing.T) {
	text := "later"
	api := &backend{}
	api.serve([]route{
		{Method: "GET", Path: "/a", Query: map[string]string{"n": "1"}, Responses: []response{{Status: 404}}},
		{Method: "GET", Path: "/a", Responses: []response{{JSON: json.RawMessage(`{"k":1}`)}, {Text: &text, ContentType: "text/plain"}}},
		{Method: "GET", Path: "/down", Responses: []response{{NetworkError: true}}},
	})
	steps := []struct {
		url, body string
		status    int
		err       error
	}{
		{"https://api.example/a?n=1&m=2", "", 404, nil},
		{"https://api.example/a", `{"k":1}`, 200, nil},
		{"https://other.example/a", "later", 200, nil},
		{"https://api.example/a", "later", 200, nil},
		{"https://api.example/b", "", 0, errUnreachable},
		{"https://api.example/down", "", 0, errUnreachable},
	}
	for _, s := range steps {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := api.RoundTrip(req)
		if !errors.Is(err, s.err) {
			t.Fatalf("%s: got error %v, want %v", s.url, err, s.err)
		}
		if s.err != nil {
			continue
		}
		body, err := io.ReadAll(resp.Body)
		if closed := resp.Body.Close(); err != nil || closed != nil {
			t.Fatal(err, closed)
		}
		if resp.StatusCode != s.status || string(body) != s.body {
			t.Errorf("%s: got %d %q, want %d %q", s.url, resp.StatusCode, body, s.status, s.body)
		}
	}
	if got := len(api.requests()); got != len(steps) {
		t.Errorf("remembered %d calls, want %d", got, len(steps))
	}
}

func TestRequestIsAServers(t *testing.T) {
	r := recordedRequest{
		Method: "GET", URL: "https://app.example:8443//p?q=%20",
		Headers: [][2]string{{"host", "inner.example"}, {"cookie", " a=\u00e9 "}},
	}
	req, err := r.build(t)
	if err != nil {
		t.Fatal(err)
	}
	if req.URL.Scheme != "" || req.URL.Host != "" || req.RequestURI != "//p?q=%20" {
		t.Errorf("got URL %q and RequestURI %q, want no scheme, no host and the line as it was sent", req.URL, req.RequestURI)
	}
	if req.Host != "inner.example" || req.TLS == nil || req.Header.Get("Cookie") != "a=\xe9" {
		t.Errorf("got Host %q, TLS %t, Cookie %q, want inner.example, true and %q", req.Host, req.TLS != nil, req.Header.Get("Cookie"), "a=\xe9")
	}
	if _, err := (recordedRequest{Method: "GET", URL: "https://a.example/%zz"}).build(t); err == nil {
		t.Error("a path that no server accepts was built")
	}
}

func TestAnotherFolderIsRead(t *testing.T) {
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "cases"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := read(folder); err == nil {
		t.Error("a folder without cases was read")
	}
	want := []*recorded{{Name: "one", Request: recordedRequest{Method: "GET", URL: "https://app.example/", Headers: [][2]string{{"accept", "*/*"}}}}}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "cases", "x_mine.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := read(folder)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.cases["x_mine"]; len(got) != len(want) || !reflect.DeepEqual(got[0].Request, want[0].Request) || r.builtIn {
		t.Errorf("got families %q, built in %t, want x_mine with the case as it was written, and false", r.families, r.builtIn)
	}
}

func TestIdleRulesAndCausesAreFound(t *testing.T) {
	got := idle([]string{"used", "idle"}, map[string]int{"used": 1})
	if want := []string{"idle"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

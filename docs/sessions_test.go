package docs_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// The table of docs/sessions.md says what Require does with an expired token.
func TestTableOfExpiredTokens(t *testing.T) {
	now := time.Now()
	clerk := clerktest.New(t, clerktest.Options{Now: func() time.Time { return now }})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	cookies := clerk.SignIn(nil, clerktest.Person{}).Cookies()
	bearer := clerk.Token(clerktest.Claims{})
	now = now.Add(5 * time.Minute)
	outcome := func(method, header string, refresh bool) string {
		r := httptest.NewRequest(method, "https://example.com/", http.NoBody)
		for line := range strings.SplitSeq(header, "; ") {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Set(name, value)
		}
		for _, c := range cookies {
			if r.Header.Get("Authorization") == "" && (refresh || !strings.HasPrefix(c.Name, "__refresh")) {
				r.AddCookie(c)
			}
		}
		w := httptest.NewRecorder()
		auth.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })).ServeHTTP(w, r)
		return map[int]string{200: "renewed", 307: "handshake", 401: "refused"}[w.Code]
	}
	requests := map[string][][2]string{ // method, header
		"a page":                   {{"GET", "Sec-Fetch-Dest: document; Sec-Fetch-Mode: navigate"}},
		"a page in a frame":        {{"GET", "Sec-Fetch-Dest: iframe; Sec-Fetch-Mode: navigate"}},
		"a script's GET":           {{"GET", "Sec-Fetch-Dest: empty; Sec-Fetch-Mode: cors; Sec-Fetch-Site: same-origin"}},
		"an image, audio or video": {{"GET", "Sec-Fetch-Dest: image"}, {"GET", "Sec-Fetch-Dest: audio"}, {"GET", "Sec-Fetch-Dest: video"}},
		"a WebSocket":              {{"GET", "Upgrade: websocket; Sec-WebSocket-Key: x; Origin: https://example.com"}},
		"a script, style or font":  {{"GET", "Sec-Fetch-Dest: script"}, {"GET", "Sec-Fetch-Dest: style"}, {"GET", "Sec-Fetch-Dest: font"}},
		"a form that is sent":      {{"POST", "Sec-Fetch-Dest: document; Sec-Fetch-Site: same-origin; Origin: https://example.com"}},
		"a script's bearer token":  {{"GET", "Authorization: Bearer " + bearer}, {"POST", "Authorization: Bearer " + bearer}},
		"a page load with a bearer token": {
			{"GET", "Authorization: Bearer " + bearer + "; Sec-Fetch-Dest: document; Sec-Fetch-Mode: navigate"},
		},
		"a script's POST, PUT, PATCH or DELETE": {
			{"POST", "Sec-Fetch-Site: same-origin"},
			{"PUT", "Sec-Fetch-Site: same-origin"},
			{"PATCH", "Sec-Fetch-Site: same-origin"},
			{"DELETE", "Sec-Fetch-Site: same-origin"},
		},
	}
	page := read(t, "docs/sessions.md")
	for name, kinds := range requests {
		for _, kind := range kinds {
			row := "| " + name + " | " + outcome(kind[0], kind[1], true) + " | " + outcome(kind[0], kind[1], false) + " |\n"
			if !strings.Contains(page, row) {
				t.Errorf("%s %s: the page has no row %s", kind[0], kind[1], row)
			}
		}
	}
	table, _, _ := strings.Cut(page[strings.Index(page, "| the request |"):], "\n\n")
	if rows := strings.Count(table, "\n") - 1; rows != len(requests) {
		t.Errorf("the table has %d rows, and %d are tried", rows, len(requests))
	}
}

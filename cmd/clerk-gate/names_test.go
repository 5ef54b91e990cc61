package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// The person who uses a browser through a gateway is named only in the headers for the app: not in
// the log, in the metrics or in a refusal. The secret key is in no answer at all.
func TestNobodyIsNamed(t *testing.T) {
	const person, nonce, refresh = "user_2NameOfThePerson", "nonce_2NameOfTheHandshake", "rt_2NameOfTheRefreshToken"
	clerk := clerktest.New(t, clerktest.Options{})
	for _, kind := range gatewayNames() {
		var log bytes.Buffer
		o, err := parseOptions([]string{"-gateway", kind, "-log-level", "debug"}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		o.clerk = clerk.Config()
		o.clerk.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		g, err := newGate(o, slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		if err != nil {
			t.Fatal(err)
		}
		session := clerk.SignIn(nil, clerktest.Person{Claims: clerktest.Claims{Subject: person, Extra: map[string]any{"email": "name@secret.example"}}})
		names := []string{person, session.ID, "name@secret.example", nonce, refresh, clerk.SecretKey()}
		good := session.Cookies()
		for _, c := range good {
			if len(c.Value) > 16 {
				names = append(names, c.Value)
			}
		}
		old := clerk.Token(clerktest.Claims{Subject: person, SessionID: session.ID, IssuedAt: time.Now().Add(-time.Hour)})
		names = append(names, old[len(old)-40:])
		suffix := strings.TrimPrefix(clerk.Cookies("x")[1].Name, "__session")
		var answers strings.Builder
		for _, fault := range []clerktest.Fault{nil, clerktest.Down, clerktest.Garbage} {
			clerk.Fault(clerktest.BackendRefresh, fault)
			clerk.Fault(clerktest.BackendHandshake, fault)
			for _, cookies := range [][]*http.Cookie{
				good, clerk.Cookies(old), append(clerk.Cookies(old), &http.Cookie{Name: "__refresh" + suffix, Value: refresh}), {{Name: "__clerk_handshake_nonce", Value: nonce}}, {{Name: "__session", Value: person}}, //nolint:gosec // as a browser sends them
			} {
				for _, path := range []string{"/auth", "/auth?role=org:admin", "/auth?optional=1", "/readyz"} {
					resp := ask(t, g, path, with(gatewayHeader(kind, http.MethodGet, "/a"), "Sec-Fetch-Dest", "document", "Accept", "text/html"), cookies...)
					if resp.Code/100 == 4 || resp.Code/100 == 5 {
						answers.WriteString(resp.Body.String())
					}
					if strings.Contains(resp.Body.String(), clerk.SecretKey()) {
						t.Errorf("%s: an answer has the secret key", kind)
					}
				}
			}
		}
		answers.WriteString(askBy(t, g, http.MethodGet, "10.0.0.1:1", "/metrics", nil).Body.String())
		for _, name := range names {
			if strings.Contains(log.String(), name) || strings.Contains(answers.String(), name) {
				t.Errorf("%s: the log, the metrics or a refusal shows %q", kind, name)
			}
		}
		if !strings.Contains(log.String(), `"source":"cookie"`) {
			t.Errorf("%s: no decision by a cookie was logged: %s", kind, log.String())
		}
	}
}

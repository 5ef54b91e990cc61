package main

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"
)

func TestOnlySignedEventsAreReceived(t *testing.T) {
	hook, err := svix.NewWebhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	const event = `{"type":"user.created","data":{"id":"user_ada"}}`
	now := time.Now()
	signature, err := hook.Sign("msg_1", now, []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, body, signature string
		status                int
	}{
		{"signed", event, signature, http.StatusNoContent},
		{"changed", strings.Replace(event, "ada", "bob", 1), signature, http.StatusBadRequest},
		{"not signed", event, "", http.StatusBadRequest},
	} {
		r := httptest.NewRequest(http.MethodPost, "/webhooks/clerk", strings.NewReader(tc.body))
		r.Header.Set("svix-id", "msg_1")
		r.Header.Set("svix-timestamp", strconv.FormatInt(now.Unix(), 10))
		r.Header.Set("svix-signature", tc.signature)
		w := httptest.NewRecorder()
		receive(hook).ServeHTTP(w, r)
		if w.Code != tc.status {
			t.Errorf("%s: got %d %s, want %d", tc.name, w.Code, w.Body, tc.status)
		}
	}
}

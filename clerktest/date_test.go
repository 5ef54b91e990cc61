package clerktest_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// Answers over the network have the time of the instance's clock, so that a test that changes it
// gets no warning about the clock.
func TestAnswersHaveTheInstancesDate(t *testing.T) {
	clock := noon
	in, err := clerktest.Start(clerktest.Options{Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for _, endpoint := range []clerktest.Endpoint{clerktest.BackendJWKS, clerktest.FrontendJWKS} {
		clock = clock.Add(time.Hour)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, in.URL(endpoint), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if got, err := http.ParseTime(resp.Header.Get("Date")); err != nil || !got.Equal(clock) {
			t.Errorf("%s: Date %q, want %s", endpoint, resp.Header.Get("Date"), clock)
		}
	}
}

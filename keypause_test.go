package clerkauth_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// pauses returns the times between fetches after a fault begins, for an application that gets
// requests all the time.
func pauses(k *harness.Keyed, n int, fault clerktest.Fault) []time.Duration {
	k.Helper()
	k.Fault(nil)
	k.Want(k.Token, "", 0)
	time.Sleep(5 * time.Minute)
	k.Fetches()
	k.Fault(fault)
	pauses := []time.Duration{}
	for last := time.Duration(0); len(pauses) < n; time.Sleep(100 * time.Millisecond) {
		k.Want(k.Token, "", 0)
		for _, f := range k.Fetches() {
			if last != 0 {
				pauses = append(pauses, f.At-last)
			}
			last = f.At
		}
	}
	return pauses
}

func TestFailedFetchesAreRepeatedWithPauses(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		status int
		header http.Header
		want   []time.Duration
	}{
		"doubling to a minute":               {500, nil, []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s, 60 * s}},
		"Retry-After":                        {503, http.Header{"Retry-After": {"20"}}, []time.Duration{20 * s, 20 * s, 20 * s, 20 * s, 20 * s, 32 * s, 60 * s}},
		"Retry-After at 429":                 {429, http.Header{"Retry-After": {"5"}}, []time.Duration{5 * s, 5 * s, 5 * s, 8 * s}},
		"Retry-After of an hour":             {503, http.Header{"Retry-After": {"3600"}}, []time.Duration{60 * s, 60 * s}},
		"Retry-After of years":               {503, http.Header{"Retry-After": {"99999999999999999999"}}, []time.Duration{s, 2 * s}},
		"Retry-After of zero":                {503, http.Header{"Retry-After": {"0"}}, []time.Duration{s, 2 * s}},
		"Retry-After shorter than the pause": {503, http.Header{"Retry-After": {"-5"}}, []time.Duration{s, 2 * s}},
		"Retry-After that is no number":      {503, http.Header{"Retry-After": {"soon"}}, []time.Duration{s, 2 * s}},
		"a date":                             {503, http.Header{"Retry-After": {"Wed, 04 Mar 2026 12:00:20 GMT"}, "Date": {"Wed, 04 Mar 2026 12:00:00 GMT"}}, []time.Duration{20 * s, 20 * s}},
		"a date past":                        {503, http.Header{"Retry-After": {"Wed, 04 Mar 2026 12:00:00 GMT"}, "Date": {"Wed, 04 Mar 2026 12:00:20 GMT"}}, []time.Duration{s, 2 * s}},
		"a date far away":                    {503, http.Header{"Retry-After": {"Wed, 04 Mar 2099 12:00:00 GMT"}, "Date": {"Wed, 04 Mar 2026 12:00:20 GMT"}}, []time.Duration{60 * s, 60 * s}},
		"a date without the server's":        {503, http.Header{"Retry-After": {"Wed, 04 Mar 2099 12:00:00 GMT"}}, []time.Duration{s, 2 * s}},
	} {
		t.Run(name, func(t *testing.T) {
			harness.WithKeys(t, func(k *harness.Keyed) {
				if got := pauses(k, len(c.want), clerktest.Status(c.status, c.header)); !slices.Equal(got, c.want) {
					k.Errorf("got %v, want %v", got, c.want)
				}
			})
		})
	}
}

// After one good answer, the pauses start from the beginning.
func TestPausesBeginAnew(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		for range 3 {
			if got, want := fmt.Sprint(pauses(k, 3, clerktest.Down)), "[1s 2s 4s]"; got != want {
				k.Errorf("got %s, want %s", got, want)
			}
			k.Fault(nil)
			time.Sleep(2 * time.Minute)
			k.Want(k.Token, "", 0)
			k.WantFetches(1)
		}
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
)

func TestWhoseFaultItIsThatNothingAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		cause, err error
		want       code
	}{
		"no time left":          {nil, context.DeadlineExceeded, apiUnreachable},
		"no way there":          {fmt.Errorf("%w: %w", errNoConnection, errors.New("network is unreachable")), nil, apiUnreachable},
		"the host has no place": {fmt.Errorf("%w: %w", errNoConnection, errNoAddress), nil, apiFails},
		"no certificate":        {errors.New("tls: unrecognized name"), nil, apiFails},
	} {
		var c check
		if new(doctor).unreached(t.Context(), &c, tt.cause, tt.err); c.code != tt.want {
			t.Errorf("%s: got %+v, want %v", name, c, catalogue[tt.want].id)
		}
	}
}

func TestClockIsComparedToTheSecond(t *testing.T) {
	for ahead, want := range map[time.Duration]status{
		0: ok, 5 * time.Second: ok, -4 * time.Second: ok, 6 * time.Second: fail, 7 * time.Second: fail, -6 * time.Second: fail, -time.Hour: fail,
	} {
		seen := sample{status: 200, date: noon.Format("Mon, 02 Jan 2006 15:04:05 GMT"), at: noon.Add(ahead)}
		if got := new(doctor).compareClocks(seen, "https://clerk.example.com", check{}); got.status() != want {
			t.Errorf("%v ahead: got %v (%s), want %v", ahead, got.status(), got.says, want)
		}
	}
	if got := new(doctor).compareClocks(sample{status: 200, at: noon}, "", check{}); got.code != clockUnknown {
		t.Errorf("without a date: got %+v, want %v", got, catalogue[clockUnknown].id)
	}
}

func TestRefusalsComeWithAdvice(t *testing.T) {
	for reason, want := range map[clerkauth.Reason]status{clerkauth.ReasonTokenExpired: fail, clerkauth.ReasonKeysUnavailable: unknown} {
		var c check
		refusal(&c, &clerkauth.Error{Reason: reason})
		if c.status() != want || len(c.fix) != 1 || c.fix[0] == "" {
			t.Errorf("%s: got %+v, want %v with advice", reason, c, want)
		}
	}
	var c check
	if refusal(&c, &clerkauth.Error{Reason: "a-reason-of-tomorrow"}); c.status() != fail || c.fix != nil {
		t.Errorf("a reason without advice: got %+v, want a failure without a fix", c)
	}
}

package clerkauth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestReady(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Fault(clerktest.Slow(time.Second))
		harness.Together(10, func(int) {
			if err := k.Auth.Ready(k.Context()); err != nil {
				k.Errorf("Ready: %v", err)
			}
		})
		k.WantFetches(1)
		if err := k.Auth.Ready(k.Context()); err != nil {
			k.Errorf("Ready again: %v", err)
		}
		k.WantFetches(0)
		k.Want(k.Token, "", 0)
	})
}

func TestReadySaysWhyNot(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		ready := func(ctx context.Context, took time.Duration) error {
			k.Helper()
			begin := time.Now()
			err := k.Auth.Ready(ctx)
			refusal, ok := errors.AsType[*clerkauth.Error](err)
			if !ok || refusal.Reason != clerkauth.ReasonKeysUnavailable || refusal.Unwrap() == nil {
				k.Fatalf("got %v, want an *Error of %s with what is behind it", err, clerkauth.ReasonKeysUnavailable)
			}
			if waited := time.Since(begin); waited != took {
				k.Errorf("took %v, want %v", waited, took)
			}
			if strings.Contains(refusal.Unwrap().Error(), k.Clerk.SecretKey()) {
				k.Errorf("the secret key is in %v", refusal.Unwrap())
			}
			return err
		}
		k.Fault(clerktest.Hang)
		done, cancel := context.WithTimeout(k.Context(), time.Second)
		defer cancel()
		if err := ready(done, time.Second); !errors.Is(err, context.DeadlineExceeded) {
			k.Errorf("got %v, want the context's error", err)
		}
		if err := ready(k.Context(), 4*time.Second); !errors.Is(err, context.DeadlineExceeded) {
			k.Errorf("got %v, want that of the fetch", err)
		}
		_ = ready(k.Context(), 0) // one has just failed
		k.WantFetches(1)
		if strings.Contains(k.Logged(), k.Clerk.SecretKey()) {
			k.Errorf("the secret key is in the log")
		}
	})
}

func TestReadyWithJWTKey(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{})
	if err := auth.Ready(t.Context()); err != nil || len(clerk.Requests()) != 0 {
		t.Errorf("got %v after %d requests, want none of either", err, len(clerk.Requests()))
	}
}

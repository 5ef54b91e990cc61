package bench

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth"
)

var publishableKey = "pk_live_" + base64.StdEncoding.EncodeToString([]byte(strings.TrimPrefix(Issuer, "https://")+"$"))

func ours() []Guard {
	return []Guard{own("clerkauth", true, nil), own("clerkauth, no cache", false, nil)}
}

// Observed is this library with a hook that sees every decision.
func Observed(observe func(context.Context, clerkauth.Event)) Guard {
	return own("clerkauth, observed", true, observe)
}

// own is this library, with its cache of verified tokens or without it.
func own(name string, cache bool, observe func(context.Context, clerkauth.Event)) Guard {
	return Guard{
		Name: name, Module: "github.com/clerkauth/clerkauth", Kind: Own, Party: "the library", Keys: Fetched, Clock: 5 * time.Minute,
		Protect: func(_ context.Context, s Site) (Middleware, error) {
			cfg := ownConfig(s)
			cfg.Observe = observe
			if !cache {
				cfg.TokenCacheSize = -1
			}
			auth, err := clerkauth.New(cfg)
			if err != nil {
				return nil, err
			}
			return auth.Require, nil
		},
	}
}

func ownConfig(s Site) clerkauth.Config {
	return clerkauth.Config{
		PublishableKey:    publishableKey,
		AuthorizedParties: []string{Party},
		FrontendAPIURL:    s.Server,
		TokenCacheSize:    s.Remembered,
		Logger:            slog.New(slog.DiscardHandler),
		StateKey:          []byte("32 bytes that are no secret here"),
		Now:               s.Now,
	}
}

// CachedSession is how many bytes the cache of verified tokens holds for each of them, when every token of the pool was seen.
func CachedSession(c *Course) (int, error) {
	auth, err := clerkauth.New(ownConfig(c.site))
	if err != nil {
		return 0, err
	}
	if err := auth.Ready(c.ctx); err != nil {
		return 0, err
	}
	before := heap()
	for _, token := range c.Pool.Tokens {
		if _, err := auth.VerifyToken(c.ctx, strings.Clone(token)); err != nil {
			return 0, err
		}
	}
	grown := heap() - before
	runtime.KeepAlive(auth)
	return int(grown / Fresh), nil
}

// heap is what is reachable now, in bytes.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far smaller than 1<<63
}

// garbageAlone is VerifyToken of what is no token, without a request around it.
func garbageAlone(c *Course, auth *clerkauth.Authenticator) http.Handler {
	garbage := strings.Repeat("g", len(c.Pool.Tokens[0]))
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := auth.VerifyToken(c.ctx, garbage); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
}

package bench

import (
	"context"
	"crypto/sha1" //nolint:gosec // the suffix of Clerk's cookies is a SHA-1; nothing hangs on it
	"encoding/base64"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
)

var publishableKey = "pk_live_" + base64.StdEncoding.EncodeToString([]byte(strings.TrimPrefix(Issuer, "https://")+"$"))

func ours() []Guard {
	return []Guard{
		own("clerkauth", nil, ownCache, nil),
		own("clerkauth, plain cookie", carryCookies(""), ownCache, nil),
		own("clerkauth, suffixed cookie", carryCookies("_"+cookieSuffix()), ownCache, nil),
		own("clerkauth, no cache", nil, -1, nil),
		own("clerkauth, plain cookie, no cache", carryCookies(""), -1, nil),
		own("clerkauth, cache of 32768", nil, 32768, nil),
	}
}

// Observed is this library as most use it, with somebody looking on.
func Observed(observe func(context.Context, clerkauth.Event)) Guard {
	return own("clerkauth, observed", nil, ownCache, observe)
}

// ownCache is Config.TokenCacheSize here, less than its default: going round the tokens of the pool, all must be new.
const ownCache = 4096

// own is this library. cache is Config.TokenCacheSize: negative none.
func own(name string, carry func(string) (string, string), cache int, observe func(context.Context, clerkauth.Event)) Guard {
	return Guard{
		Name: name, Module: "github.com/clerkauth/clerkauth", Kind: Own, Party: "the library", Keys: Fetched,
		Carry: carry, Remembers: max(cache, 0), Clock: 5 * time.Minute,
		Protect: func(_ context.Context, s Site) (Middleware, error) {
			cfg := ownConfig(s)
			cfg.TokenCacheSize, cfg.Observe = cache, observe
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
		Logger:            slog.New(slog.DiscardHandler),
		Now:               s.Now,
	}
}

// carryCookies writes a token as Clerk's script does, among the other cookies that a browser brings.
func carryCookies(suffix string) func(token string) (string, string) {
	uat := strconv.FormatInt(issued.Add(-time.Hour).Unix(), 10)
	names := []string{""}
	if suffix != "" {
		names = append(names, suffix)
	}
	return func(token string) (string, string) {
		cookies := []string{"theme=dark", "_ga=GA1.1.1234567890.1234567890"}
		for _, suffix := range names {
			cookies = append(cookies, "__client_uat"+suffix+"="+uat, "__session"+suffix+"="+token)
		}
		return "Cookie", strings.Join(cookies, "; ")
	}
}

func cookieSuffix() string {
	sum := sha1.Sum([]byte(publishableKey)) //nolint:gosec // as above
	return base64.URLEncoding.EncodeToString(sum[:])[:8]
}

// CachedSession is how many bytes the cache of verified tokens, when it is full, holds for each of them.
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
		if _, err := auth.VerifyToken(c.ctx, token); err != nil {
			return 0, err
		}
	}
	grown := heap() - before
	runtime.KeepAlive(auth)
	return int(grown / ownCache), nil
}

// heap is what is reachable now, in bytes.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far smaller than 1<<63
}

// Garbage returns the benchmark of refusing what is no token, without a request around it.
func Garbage(c *Course) (func(*testing.B), error) {
	auth, err := clerkauth.New(ownConfig(c.site))
	if err != nil {
		return nil, err
	}
	garbage := strings.Repeat("g", len(c.Pool.Tokens[0]))
	return func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := auth.VerifyToken(c.ctx, garbage); err == nil {
				b.Fatal("garbage was admitted")
			}
		}
	}, nil
}

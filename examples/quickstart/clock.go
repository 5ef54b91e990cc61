package main

import (
	"sync/atomic"
	"time"
)

// clock is the clock of the app and of the instance in its process. The zero clock is right; only the smoke test changes
// it, so as not to wait a minute for every token to expire. It is safe for concurrent use.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) pass(d time.Duration) { c.ahead.Add(int64(d)) }

package harness

import "log/slog"

// Authenticators without a Logger of their own warn of the outages that tests make. Nobody has to read that.
func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }

package harness

import "log/slog"

// Authenticators without a Logger warn of the outages that tests simulate. Nobody needs to read that.
func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }

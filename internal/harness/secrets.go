package harness

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
)

// Log is everything that was logged. The zero Log is empty and ready to use.
type Log struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Logger returns a logger of every level that writes to l.
func (l *Log) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Pieces returns parts of secrets, each long enough not to occur by chance.
func Pieces(secrets ...string) []string {
	const length = 12
	var all []string
	for _, s := range secrets {
		for i := 0; i+length <= len(s); i += length {
			all = append(all, s[i:i+length])
		}
	}
	return slices.Compact(all)
}

// Leaks returns the first of the secrets that text contains, if any.
func Leaks(text string, secrets []string) (string, bool) {
	i := slices.IndexFunc(secrets, func(s string) bool { return strings.Contains(text, s) })
	if i < 0 {
		return "", false
	}
	return secrets[i], true
}

// Command clerk-doctor finds out why a Clerk production instance does not work: what is still missing, what is wrong and
// what to do. It checks keys, DNS, CAA, certificates, the Frontend API, the allowlist and, if given, a session token. It
// needs no login and changes nothing, except with change-domain -send.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/term"
)

// environment is everything outside the program. Tests replace it.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	colour         bool // standard output is a terminal that supports it
	live           bool // standard error is a terminal: progress is rewritten in place
	width          int  // columns of standard output; 0: the default
	getenv         func(string) string
	now            func() time.Time
	pause          func(context.Context, time.Duration)
	dialer         net.Dialer
	dnsTimeout     time.Duration
	resolvConf     string
}

func main() {
	os.Exit(run(context.Background(), environment{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		colour: colourful(term.IsTerminal(int(os.Stdout.Fd())), os.Getenv),
		live:   term.IsTerminal(int(os.Stderr.Fd())),
		width:  columns(),
		getenv: os.Getenv, now: time.Now, pause: pause, dnsTimeout: dnsTimeout, resolvConf: "/etc/resolv.conf",
	}, os.Args[1:]))
}

// colourful follows https://no-color.org: any non-empty value turns colour off.
func colourful(terminal bool, getenv func(string) string) bool {
	return terminal && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

func columns() int {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 0
	}
	return width
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// run is the whole program; it returns the exit status.
func run(ctx context.Context, env environment, args []string) int {
	o, err := parseOptions(args, env.getenv, env.stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitGood
	}
	if err == nil && o.version {
		_, _ = fmt.Fprintln(env.stdout, "clerk-doctor "+version())
		return exitGood
	}
	if err == nil && o.askToken {
		o.token, err = readToken(env.stdin)
	}
	if err == nil {
		var code int
		if code, err = look(ctx, env, o); err == nil {
			return code
		}
	}
	env.tell("clerk-doctor: " + err.Error())
	if errors.As(err, new(usageError)) {
		env.say("clerk-doctor -help says more.\n")
	}
	switch {
	case errors.Is(err, errChangeRefused):
		return exitFails
	case errors.Is(err, errInterrupted):
		return exitStopped
	}
	return exitUnknown
}

func readToken(r io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, tokenLimit))
	if err != nil {
		return "", fmt.Errorf("standard input: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

var errInterrupted = errors.New("interrupted")

// look runs the checks. Its time starts after all questions to the user. An interrupt ends it early, a second one at once.
func look(ctx context.Context, env environment, o options) (int, error) {
	if o.change != nil {
		if err := o.changeDomain(ctx, env); err != nil {
			return 0, err
		}
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop)
	limited, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	r, err := watch(limited, env, o)
	if err != nil {
		return 0, err
	}
	if o.json {
		return r.Exit, writeJSON(env.stdout, r)
	}
	return r.Exit, writeText(env.stdout, r, newPage(env, o.verbose))
}

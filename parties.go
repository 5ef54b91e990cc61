package clerkauth

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/clerkauth/clerkauth/internal/origin"
)

// partyRules are the rules for the entries of a list.
type partyRules struct {
	live   bool   // the instance has live keys, or it is unknown whether it has
	root   string // the domain that the instance serves; empty: unknown
	unread bool   // it is also unknown whether a * is below it, because the publishable key is malformed
}

// parseParties parses a list, and reports every entry that could never match or would match too much.
func parseParties(field string, entries []string, rules partyRules) (origin.List, []error) {
	var list origin.List
	var problems []error
	for i, entry := range entries {
		o, err := origin.ParsePattern(entry)
		if err == nil {
			err = rules.check(o)
		}
		if err != nil {
			problems = append(problems, wrong(field+"["+strconv.Itoa(i)+"]", ": %q %w", entry, explain(entry, err)))
			continue
		}
		list.Add(o)
	}
	return list, problems
}

var (
	errEmpty   = errors.New("is empty; remove it")
	errSeveral = errors.New("has white space, a comma or a semicolon in it; write one origin in each entry, and commas between the entries of the variable")
	errAnyPort = errors.New("has a * for its port; list each origin, with its port")
	errAny     = errors.New("would allow every origin; list your own")
	errIPv6    = errors.New(`has an IPv6 address without brackets; write it in brackets, such as "http://[::1]:3000"`)

	errPlain    = errors.New("is http on a host that is not this machine, with live keys; write https, or use test keys")
	errWildRoot = errors.New("has a * that is not below the instance's own domain; list the origins instead")
	errWildTest = errors.New(`has a * that matches too much; with test keys write text beside it, and at least two more parts of the name behind that, such as "https://myapp-*.vercel.app"`)
)

// explain adds to the error of an entry what is wrong with it, or what was meant.
func explain(entry string, err error) error {
	_, host, _ := strings.Cut(entry, "://")
	switch {
	case entry == "":
		return errEmpty
	case strings.ContainsAny(entry, " \t\r\n,;"):
		return errSeveral
	case entry == "*":
		return errAny
	case strings.HasSuffix(host, ":*"):
		return errAnyPort
	case strings.Count(host, ":") > 1 && !strings.ContainsAny(host, "[/?#@"):
		return errIPv6
	case errors.Is(err, origin.ErrForm), errors.Is(err, origin.ErrExtra), errors.Is(err, origin.ErrStars):
		if meant, ok := origin.Meant(entry); ok {
			return fmt.Errorf("%w; write %q", err, meant)
		}
		return fmt.Errorf(`%w; write a scheme and a host, such as "https://example.com"`, err)
	}
	return err
}

// check refuses entries that allow more than they seem to.
func (r partyRules) check(o origin.Origin) error {
	if o.Scheme == "http" && r.live && !origin.Loopback(o.Host) {
		return errPlain
	}
	before, after, wild := strings.Cut(o.Host, "*")
	if !wild || r.unread {
		return nil
	}
	tail, rest, _ := strings.Cut(after, ".")
	return r.checkWildcard(before[strings.LastIndexByte(before, '.')+1:]+tail, rest)
}

// checkWildcard checks a * with text beside it in its label, followed by rest. What matches must be controlled by the owner
// of the app.
func (r partyRules) checkWildcard(text, rest string) error {
	if !r.live {
		if text == "" || strings.Count(rest, ".") < 1 {
			return errWildTest
		}
		return nil
	}
	// No instance serves a top-level domain, whatever its key says.
	if !strings.Contains(r.root, ".") || rest != r.root && !strings.HasSuffix(rest, "."+r.root) {
		return errWildRoot
	}
	return nil
}

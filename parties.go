package clerkauth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/clerkauth/clerkauth/internal/origin"
)

// partyRules are what entries of a list must keep to.
type partyRules struct {
	live bool   // an instance with live keys, or one that cannot be told to have test keys
	root string // the domain that the instance serves; empty: not known
}

// parseParties reads a list, and reports every entry that could never match or would match too much.
func parseParties(field string, entries []string, rules partyRules) (origin.List, []error) {
	var list origin.List
	var problems []error
	for i, entry := range entries {
		o, err := origin.ParsePattern(entry)
		if err == nil {
			err = rules.check(o)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s[%d]: %q %w", field, i, entry, err))
			continue
		}
		list.Add(o)
	}
	return list, problems
}

var (
	errPlain    = errors.New("is http on a host that is not this machine, with live keys; write https")
	errWildRoot = errors.New("has a * that is not below the instance's own domain; list the origins instead")
	errWildTest = errors.New(`has too wide a *; with test keys its label needs literal text and two labels must follow, such as "https://myapp-*.vercel.app"`)
)

// check refuses entries that open more than they seem to.
func (r partyRules) check(o origin.Origin) error {
	if o.Scheme == "http" && r.live && !origin.Loopback(o.Host) {
		return errPlain
	}
	before, after, wild := strings.Cut(o.Host, "*")
	if !wild {
		return nil
	}
	tail, rest, _ := strings.Cut(after, ".")
	return r.checkWildcard(before[strings.LastIndexByte(before, '.')+1:]+tail, rest)
}

// checkWildcard judges a * with text beside it in its label, followed by rest. What matches must be under the same
// control as the app.
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

package main

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/clerkauth/clerkauth"
)

type middleware = func(http.Handler) http.Handler

// checks are the parameters of /auth that require something of a session, in the order in which they are checked.
var checks = []struct {
	parameter string
	check     func(string) clerkauth.Check
}{
	{"role", clerkauth.Role},
	{"permission", clerkauth.Permission},
	{"feature", clerkauth.Feature},
	{"plan", clerkauth.Plan},
	{"reverified", func(level string) clerkauth.Check { return clerkauth.Reverified(clerkauth.Reverification(level)) }},
}

// requirement parses what a location requires from the query of /auth: any of checks, each any number of times, all of
// which must pass; or optional=1, which lets everybody pass. Any other query is an error, since its meaning is unknown.
func (g *gate) requirement(query string) (middleware, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	var demanded []clerkauth.Check
	for _, c := range checks {
		for _, value := range values[c.parameter] {
			demanded = append(demanded, c.check(value))
		}
		delete(values, c.parameter)
	}
	optional := values["optional"]
	delete(values, "optional")
	for name := range values {
		return nil, fmt.Errorf("unknown parameter %.20q", name)
	}
	switch {
	case optional == nil && demanded == nil:
		return g.auth.Require, nil
	case optional == nil:
		return authorize(g.auth, demanded)
	case len(optional) > 1 || optional[0] != "1":
		return nil, fmt.Errorf("optional=%q: write optional=1, once", optional)
	case demanded != nil:
		return nil, fmt.Errorf("optional=1 lets everybody pass, but %s is required; remove one of them", demanded[0])
	}
	return g.auth.Optional, nil
}

// authorize is Authorize with an error for a check that can never pass: here it is a mistake in the gateway's
// configuration.
func authorize(auth *clerkauth.Authenticator, demanded []clerkauth.Check) (guard middleware, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return auth.Authorize(demanded[0], demanded[1:]...), nil
}

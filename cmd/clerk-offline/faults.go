package main

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// group is a name for endpoints that fail together.
type group struct {
	name      string
	endpoints []clerktest.Endpoint
}

var groups = []group{
	{"jwks", []clerktest.Endpoint{clerktest.FrontendJWKS, clerktest.BackendJWKS}},
	{"handshake", []clerktest.Endpoint{clerktest.FrontendHandshake}},
	{"nonce", []clerktest.Endpoint{clerktest.BackendHandshake}},
	{"refresh", []clerktest.Endpoint{clerktest.BackendRefresh}},
	{"client", []clerktest.Endpoint{clerktest.FrontendClient, clerktest.FrontendEnvironment, clerktest.FrontendDevBrowser}},
	{"tokens", []clerktest.Endpoint{clerktest.FrontendSessionTokens}},
	{"sessions", []clerktest.Endpoint{clerktest.FrontendSession}},
	{"sign-ins", []clerktest.Endpoint{clerktest.FrontendSignIns, clerktest.SignInPage}},
	{"me", []clerktest.Endpoint{clerktest.FrontendMe}},
	{"machines", []clerktest.Endpoint{clerktest.BackendVerifyAPIKey, clerktest.BackendVerifyM2M, clerktest.BackendVerifyOAuth}},
	{"backend", []clerktest.Endpoint{
		clerktest.BackendUsers, clerktest.BackendSessions, clerktest.BackendOrganizations, clerktest.BackendSignInTokens, clerktest.BackendTestingTokens,
		clerktest.BackendAPIKeys,
	}},
}

// kinds are the faults with a name; a status such as 503 is a fault too, and slow:2s.
var kinds = []struct {
	name  string
	fault clerktest.Fault
}{
	{"off", nil},
	{"down", clerktest.Down},
	{"hang", clerktest.Hang},
	{"garbage", clerktest.Garbage},
	{"empty", clerktest.EmptySet},
	{"huge", clerktest.HugeBody},
	{"slow:2s", clerktest.Slow(2 * time.Second)},
	{"429", clerktest.Status(http.StatusTooManyRequests, http.Header{"Retry-After": {"5"}})},
	{"500", clerktest.Status(http.StatusInternalServerError, nil)},
	{"503", clerktest.Status(http.StatusServiceUnavailable, nil)},
}

// fault is a fault of a group of endpoints.
type fault struct {
	group
	kind  string
	fault clerktest.Fault // nil: no fault
}

func newFault(name, kind string) (fault, error) {
	f := fault{kind: kind}
	i := slices.IndexFunc(groups, func(g group) bool { return g.name == name })
	if i < 0 {
		return f, fmt.Errorf("%q is not one of %s", name, groupNames())
	}
	f.group = groups[i]
	for _, k := range kinds {
		if k.name == kind {
			f.fault = k.fault
			return f, nil
		}
	}
	if status, err := strconv.Atoi(kind); err == nil && status >= 400 && status < 600 {
		f.fault = clerktest.Status(status, nil)
		return f, nil
	}
	if text, ok := strings.CutPrefix(kind, "slow:"); ok {
		if d, err := time.ParseDuration(text); err == nil && d > 0 {
			f.fault = clerktest.Slow(d)
			return f, nil
		}
	}
	return f, fmt.Errorf("%q is not a fault; write %s, a status from 400, or slow:<duration>", kind, kindNames())
}

func (f fault) put(clerk *clerktest.Instance) {
	for _, e := range f.endpoints {
		clerk.Fault(e, f.fault)
	}
}

func groupNames() string {
	var names []string
	for _, g := range groups {
		names = append(names, g.name)
	}
	return strings.Join(names, ", ")
}

func kindNames() string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}

// faultFlags are the faults of the command line.
type faultFlags []fault

func (f *faultFlags) String() string { return "" }

// Set parses endpoint=fault.
func (f *faultFlags) Set(text string) error {
	name, kind, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("%q is not endpoint=fault", text)
	}
	read, err := newFault(name, kind)
	if err != nil {
		return err
	}
	*f = append(*f, read)
	return nil
}

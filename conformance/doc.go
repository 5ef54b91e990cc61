// Package conformance holds every decision of clerkauth against decisions
// recorded from Clerk's own backend library, @clerk/backend 3.25.0.
//
// It has tests only. testdata holds the recording, compressed: requests with
// the options, the keys, the clock and the Backend API they were made with,
// and what that library decided. A test runs each through a fresh
// Authenticator and compares. Where we decide otherwise on purpose, a rule
// says so: when it applies, what we hold instead, and why.
//
// What a rule holds is mostly worked out from the case alone, by code that
// shares nothing with the library, see course_test.go; where no rule applies
// the same code must come to the recorded decision.
//
//	go test -v .                                # all of it
//	go test -v -run TestConformance/b_azp .     # one family
//	CLERKAUTH_CASES=/some/folder go test -v .   # another recording
//	CLERKAUTH_SEED=1,2 go test -v -run Mixtures .
//
// TestMixtures decides requests that nobody recorded: each is put together
// from parts of several cases, so that our rules meet each other. What is
// expected of them is worked out. The family r_mixtures has some of them with
// what the reference decided; CLERKAUTH_MIXTURES=/some/folder writes more, to
// be put to the reference and read again as another recording.
//
// Another recording is a folder with cases/*.json and, optionally,
// sequences.json, plain or with .gz behind the name; keys.json beside them,
// the keys to mint more with, is not needed to run it. The last line printed
// is always the count:
//
//	conformance: N cases, P agree, D deviate by rule, S skipped, F differ
package conformance

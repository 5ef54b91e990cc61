// Package conformance compares every decision of clerkauth with decisions recorded from Clerk's own backend library,
// @clerk/backend 3.25.0.
//
// It has tests only. testdata has the recording, compressed: requests with their options, keys, clock and Backend API, and
// the decision of that library. A test decides each with a fresh Authenticator and compares. Where clerkauth decides
// differently on purpose, there is a rule: when it applies, what is expected instead, and why.
//
// What is expected by a rule is computed from the case, by code that shares nothing with the library, see course_test.go;
// where no rule applies, the same code must compute the recorded decision.
//
//	go test -v .                                # all of it
//	go test -v -run TestConformance/b_azp .     # one family
//	CLERKAUTH_CASES=/some/folder go test -v .   # another recording
//	CLERKAUTH_SEED=1,2 go test -v -run Mixtures .
//
// TestMixtures decides requests that were not recorded: each is made of parts of several cases, so that rules are combined.
// The expected decisions are computed. The family r_mixtures has some of them with the decisions of the reference;
// CLERKAUTH_MIXTURES=/some/folder writes more, which can be run with the reference and read as another recording. The family
// s_altered has recorded requests with a few other headers, cookies, claims or options, and what the reference decided then.
//
// Another recording is a folder with cases/*.json and, optionally, sequences.json, plain or with .gz after the name;
// keys.json, with keys for minting more, is not needed to run it. The last line printed is always the count:
//
//	conformance: N cases, P agree, D deviate by rule, S skipped, F differ
package conformance

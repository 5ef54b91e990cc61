// Package e2e goes through clerkauth with a real browser: signing in, staying signed in, signing out, and what a
// sibling host name tries.
//
// It has tests only. They need Chromium, Debian's package chromium. Everything runs on 127.0.0.1: the browser is told
// that the hosts of example.test are there, with TLS, so that production instances are tested with the cookies they
// have in production. Time is the instance's and the app's common clock, which the tests turn.
//
//	go test .                                   # all journeys
//	go test -run Journey/Quickstart -v .        # one
//	E2E_SCREENSHOTS=/tmp/shots go test .        # and what the browser showed at the end of each
package e2e

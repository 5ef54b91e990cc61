// Package e2e goes through the middleware with real browsers: an app, an instance of Clerk and a hostile sibling subdomain of
// the app, each on a port of 127.0.0.1 under the host name that it would have.
//
// TestEveryEngine makes the same journeys in Debian's chromium, firefox-esr and WebKitGTK (webkit2gtk-driver, with
// xvfb for a screen); the other tests use Chromium alone. WebKitGTK has Safari's engine with a network and cookies of
// its own: what it does with a request's headers says something of Safari, what it does with cookies does not.
//
// With -short there are journeys in Chromium only.
//
// The tests save a screenshot of where each journey ends in the directory that E2E_SCREENSHOTS names.
package e2e

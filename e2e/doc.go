// Package e2e tests the middleware with real browsers: an app, an instance of Clerk and a hostile sibling subdomain of the
// app, each on a port of 127.0.0.1 under a realistic host name.
//
// TestEveryEngine makes the same journeys in Debian's chromium, firefox-esr and WebKitGTK (webkit2gtk-driver, with xvfb as
// the screen); the other tests use Chromium alone. WebKitGTK has Safari's engine but its own network stack and cookies: its
// request headers are like Safari's, its cookies need not be.
//
// With -short only journeys in Chromium are tested.
//
// The tests save a screenshot of the end of each journey in the directory E2E_SCREENSHOTS.
package e2e

// Package e2e goes through the middleware with a real browser, Debian's chromium: an app, an instance of Clerk and
// a hostile sibling of the app, each on a port of 127.0.0.1 under the host name that it would have.
//
// The tests save a screenshot of where each journey ends in the directory that E2E_SCREENSHOTS names.
package e2e

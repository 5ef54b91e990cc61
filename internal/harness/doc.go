// Package harness is what the tests of several packages share: an application in front of an instance of clerktest, the
// requests that browsers send it, and what there is to ask of its decisions. It uses the exported API only, and nothing
// but tests imports it.
//
// An [App] goes by a clock that the test moves. A [Keyed] runs in a testing/synctest bubble, for tests of when keys are
// fetched and how long a request waits for them.
package harness

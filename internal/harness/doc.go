// Package harness is shared by the tests of several packages: an application in front of an instance of clerktest, requests
// as browsers send them, and checks of its decisions. It uses only the exported API, and only tests import it.
//
// An [App] has a clock that the test sets. A [Keyed] runs in a testing/synctest bubble, for tests of when keys are fetched
// and how long a request waits for them.
package harness

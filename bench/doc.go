// Package bench measures clerkauth beside the other ways a Go program has of judging the same session tokens.
//
// Every library is a Guard: net/http middleware set up as its documentation says, with its key cache warm, around the
// same handler. All of them are given the same tokens, signed once and kept under .cache, and read their keys from a
// server on the loopback interface.
//
//	GOWORK=off go test -bench .       one workload after the other, on this machine
//	GOWORK=off go run ./report        everything, in interleaved passes: writes RESULTS.md and chart.svg
//
// The module is kept out of the workspace, because the libraries it compares would raise the versions that everything
// else is built with.
package bench

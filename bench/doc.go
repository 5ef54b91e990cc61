// Package bench measures clerkauth beside the other ways a Go program has of verifying the same session tokens.
//
// Every library is a Guard: net/http middleware set up as its documentation says, with its key cache warm, around the
// same handler. All of them are given the same requests, as Chrome sends them, with the same tokens, signed once and kept
// under .cache, and read their keys from a server on the loopback interface.
//
//	GOWORK=off go test -bench .       one after the other, on this machine
//	GOWORK=off go run ./report        everything, in short slices in turn: writes RESULTS.md, PROFILE.md, chart.svg and
//	                                  the README's sentence
//
// Allocations, bytes, the hit ratio of the cache of tokens and the size of a program are tested. Times are only reported.
//
// The module is kept out of the workspace, because the libraries it compares would raise the versions that everything
// else is built with.
package bench

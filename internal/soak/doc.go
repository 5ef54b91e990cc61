// Package soak has one long test: a real server on this machine, with clerkauth in front of everything it serves, and
// thousands of browsers, machines and strangers that send it requests while Clerk fails, hangs, rotates its keys and the
// clock jumps. It counts who was refused and who was let in. There is no code here.
//
//	go test -v ./internal/soak               # once through everything that happens, with few browsers
//	go test -v ./internal/soak -soak 2m      # with many, and again, for two minutes
//	go test -v ./internal/soak -soak 10m -timeout 20m
//
// Time is that of a clock which moves between requests, a second at a time or by a jump: a run of seconds sees hours.
package soak

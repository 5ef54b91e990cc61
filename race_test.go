//go:build race

package clerkauth_test

func init() { raceDetector = true }

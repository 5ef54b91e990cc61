module github.com/clerkauth/clerkauth/cmd/clerk-doctor

go 1.26.0

require (
	github.com/clerkauth/clerkauth v0.0.0
	github.com/miekg/dns v1.1.73
	golang.org/x/net v0.57.0
	golang.org/x/term v0.47.0
)

require (
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.40.0 // indirect
)


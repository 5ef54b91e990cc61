module github.com/clerkauth/clerkauth

// Policy: the two newest Go releases.
go 1.26.0

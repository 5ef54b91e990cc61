module github.com/clerkauth/clerkauth/examples/cors

go 1.26.0

require (
	github.com/clerkauth/clerkauth v0.0.0
	github.com/rs/cors v1.11.1
)

require (
	github.com/MicahParks/jwkset v0.11.4 // indirect
	github.com/MicahParks/keyfunc/v3 v3.9.1 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	golang.org/x/time v0.15.0 // indirect
)

replace github.com/clerkauth/clerkauth => ../..

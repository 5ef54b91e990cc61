package main

import (
	"net/http"
	"os"

	"github.com/clerkauth/clerkauth"
)

// offline verifies tokens without asking anybody: nothing is fetched, and nothing renewed.
func offline() (*clerkauth.Authenticator, error) {
	return clerkauth.New(clerkauth.Config{
		PublishableKey:    os.Getenv("CLERK_PUBLISHABLE_KEY"), // says who issues
		JWTKey:            os.Getenv("CLERK_JWT_KEY"),         // the instance's public key, in PEM
		AuthorizedParties: []string{"https://example.com"},
	})
}

// staff and customers sign in at two instances. Each has keys, cookies and an allowlist of its own.
func twoInstances(staff, customers clerkauth.Config, pages http.Handler) (http.Handler, error) {
	admin, err := clerkauth.New(staff)
	if err != nil {
		return nil, err
	}
	shop, err := clerkauth.New(customers)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("admin.example.com/", admin.Optional(admin.Require(pages)))
	mux.Handle("shop.example.com/", shop.Optional(pages))
	return mux, nil
}

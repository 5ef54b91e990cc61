// Before is an API that is protected by clerk-sdk-go.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/clerk/clerk-sdk-go/v2"
	clerkhttp "github.com/clerk/clerk-sdk-go/v2/http"
	"github.com/clerk/clerk-sdk-go/v2/jwt"
)

// custom are the claims that this instance adds to its session tokens.
type custom struct {
	Tier string `json:"tier"`
}

func main() {
	clerk.SetKey(os.Getenv("CLERK_SECRET_KEY"))
	server := http.Server{Addr: "localhost:8080", Handler: routes(), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func routes() http.Handler {
	protect := clerkhttp.RequireHeaderAuthorization(
		clerkhttp.AuthorizedPartyMatches("https://app.example.com"),
		clerkhttp.CustomClaimsConstructor(func(context.Context) any { return &custom{} }),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /me", protect(http.HandlerFunc(me)))
	mux.Handle("POST /invoices", protect(http.HandlerFunc(create)))
	return mux
}

func me(w http.ResponseWriter, r *http.Request) {
	claims, ok := clerk.SessionClaimsFromContext(r.Context())
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	tier := claims.Custom.(*custom).Tier
	fmt.Fprintln(w, claims.Subject, claims.SessionID, claims.ActiveOrganizationID, tier)
}

func create(w http.ResponseWriter, r *http.Request) {
	claims, ok := clerk.SessionClaimsFromContext(r.Context())
	if !ok || !claims.HasPermission("org:invoices:create") {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	fmt.Fprintln(w, "an invoice for", claims.ActiveOrganizationID)
}

// user is the person that a token belongs to.
func user(ctx context.Context, token string) (string, error) {
	claims, err := jwt.Verify(ctx, &jwt.VerifyParams{Token: token})
	if err != nil {
		return "", err
	}
	return claims.Subject, nil
}

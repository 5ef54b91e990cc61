package bench

import (
	"crypto/rsa"
	"net/http"
	"time"
)

// What every token of the benchmark says, and every guard is told to expect.
const (
	Issuer   = "https://clerk.bench.example"
	Audience = "bench" // Clerk's default tokens have none; two of the guards cannot be set up without one
	Party    = "https://app.bench.example"
)

// Site is what a guard is told of the application that it protects.
type Site struct {
	// Server is where the keys are: the Frontend API's document and the Backend API's below /v1.
	Server string
	// Key is for guards that do not fetch keys.
	Key *rsa.PublicKey
	// Lifetime is how long fetched keys are fresh, for guards that can be told; 0 is what their documentation proposes.
	Lifetime time.Duration
	// Remembered is how many verified tokens are kept, by guards that keep any; 0 is their default.
	Remembered int
	// Now is for guards that take a clock; nil is time.Now.
	Now func() time.Time
}

// KeySetURL is the key set's address, for guards that take one.
func (s Site) KeySetURL() string { return s.Server + "/.well-known/jwks.json" }

// Handler is the application: it says that it was reached.
func Handler(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

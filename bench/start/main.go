// Start is a small protected program, of which the bench measures the size and how long it takes to start. Its parent gives
// it a socket and the variables that clerkauth.ConfigFromEnv reads; BENCH_KEYS is where keys are fetched.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/bench/start/inherited"
)

func main() {
	cfg, err := clerkauth.ConfigFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	cfg.FrontendAPIURL = os.Getenv("BENCH_KEYS")
	auth, err := clerkauth.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	inherited.Serve(auth.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })))
}

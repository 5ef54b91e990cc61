// Bare is the same program as its parent directory's without authentication.
package main

import (
	"net/http"

	"github.com/clerkauth/clerkauth/bench/start/inherited"
)

func main() {
	inherited.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
}

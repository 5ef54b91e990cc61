// Package offline connects clerktest and cmd/clerk-offline: it has what a long-running instance needs, and tests do not.
package offline

import (
	"net/http"
	"time"
)

// Host is a clerktest.TB that serves the instance itself and keeps its State.
type Host interface {
	// Serve gets the two APIs, once, and returns their URLs, without a slash at the end.
	Serve(frontend, backend http.Handler) (frontendURL, backendURL string)

	// State returns what Keep's function returned before a restart; the zero State: there was no earlier run.
	State() State

	// Keep gets a function that returns the current State, at any time.
	Keep(state func() State)
}

// State is what is kept across restarts.
type State struct {
	SecretKey string    `json:"secret_key"`
	Keys      []Key     `json:"keys"` // the one that signs is first
	People    []Person  `json:"people,omitempty"`
	Browsers  []Browser `json:"browsers,omitempty"`
	APIKeys   []APIKey  `json:"api_keys,omitempty"`
}

// APIKey is an API key that was created at run time.
type APIKey struct {
	Secret  string         `json:"secret"`
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Subject string         `json:"subject"`
	Scopes  []string       `json:"scopes"`
	Claims  map[string]any `json:"claims,omitempty"`
	Issued  time.Time      `json:"issued"`
	Expires time.Time      `json:"expires,omitzero"`
	Ended   bool           `json:"ended,omitempty"`
}

// Key is a signing key.
type Key struct {
	ID    string `json:"kid"`
	PKCS8 []byte `json:"pkcs8"`
}

// Person is a person who was created at run time.
type Person struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Browser is what the instance knows about a browser.
type Browser struct {
	Cookie  string   `json:"cookie"`
	Token   string   `json:"token"`
	Session *Session `json:"session,omitempty"` // nil: nobody is signed in
}

// Session is the session of a browser.
type Session struct {
	ID           string       `json:"id"`
	Person       string       `json:"person"`
	Organization string       `json:"organization,omitempty"` // the ID of the active organization; empty: none
	Since        time.Time    `json:"since"`
	Verified     [2]time.Time `json:"verified"`
	Refresh      [2]string    `json:"refresh"`
}

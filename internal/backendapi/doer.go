package backendapi

import "net/http"

// Authorized adds the secret key to requests for the Backend API that are not a Client's.
type Authorized struct {
	client *http.Client
	secret string
}

// Authorize returns a doer that sends secret with each request. Use it for URLs of the Backend API only.
func Authorize(client *http.Client, secret string) Authorized { return Authorized{client, secret} }

// Do sends r with the secret key.
func (a Authorized) Do(r *http.Request) (*http.Response, error) {
	authorize(r, a.secret)
	return a.client.Do(r) //nolint:gosec // the URL is BackendAPIURL, which New has checked
}

func authorize(r *http.Request, secret string) { r.Header.Set("Authorization", "Bearer "+secret) }

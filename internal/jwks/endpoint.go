package jwks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const maxDocument = 256 << 10 // bytes

// Source fetches the keys. etag is that of the known keys; empty: there are none. fresh: no cache in between may answer.
type Source func(ctx context.Context, etag string, fresh bool) (Document, error)

// Document is the answer of a Source. notModified: the keys are those of the etag.
type Document struct {
	url         string // where it was fetched; empty: not from the network
	body        string
	etag        string
	notModified bool
	retryAfter  time.Duration
	date        time.Time // by the server's clock; zero: unknown
}

var (
	errTooLarge    = fmt.Errorf("the document is larger than %d bytes", maxDocument)
	errNotModified = errors.New("status 304 to a request without an ETag")
)

// StatusError is the error of a status other than 200 and 304.
type StatusError struct {
	URL    string
	Status int
}

func (e *StatusError) Error() string { return e.URL + " answered " + strconv.Itoa(e.Status) }

// readDocument reads a response.
func readDocument(url string, resp *http.Response) (Document, error) {
	doc := Document{
		url: url, etag: resp.Header.Get("ETag"), notModified: resp.StatusCode == http.StatusNotModified, retryAfter: pause(resp.Header),
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		doc.date = date
	}
	if doc.notModified {
		return doc, nil
	}
	if resp.StatusCode != http.StatusOK {
		return doc, &StatusError{url, resp.StatusCode}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil {
		return doc, fmt.Errorf("keys: %w", err)
	}
	if len(body) > maxDocument {
		return doc, errTooLarge
	}
	doc.body = string(body)
	return doc, nil
}

// pause reads Retry-After in both forms (RFC 9110 section 10.2.3), a date relative to the server's own clock. It is at most
// lastRetry, whatever the server says.
func pause(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, lastRetry)
	}
	until, err := http.ParseTime(value)
	from, errFrom := http.ParseTime(h.Get("Date"))
	if err != nil || errFrom != nil {
		return 0
	}
	return max(0, min(until.Sub(from), lastRetry))
}

func (d Document) set(old *Snapshot) (*Set, error) {
	if d.notModified {
		if old == nil {
			return nil, errNotModified
		}
		return old.Set, nil
	}
	set, err := ParseSet(d.body)
	if err != nil && d.url != "" {
		return nil, fmt.Errorf("%s: %w", d.url, err)
	}
	return set, err
}

// Doer sends a request, as *http.Client does. It adds what the endpoint requires, and must not follow redirects.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// Endpoint fetches a JWKS document over HTTP.
func Endpoint(doer Doer, url string) Source {
	return func(ctx context.Context, etag string, fresh bool) (Document, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return Document{}, fmt.Errorf("keys: %w", err)
		}
		r.Header.Set("Accept", "application/json")
		if etag != "" {
			r.Header.Set("If-None-Match", etag)
		}
		if fresh {
			r.Header.Set("Cache-Control", "no-cache")
		}
		resp, err := doer.Do(r)
		if err != nil {
			return Document{}, fmt.Errorf("keys: %w", err)
		}
		defer resp.Body.Close()
		return readDocument(url, resp)
	}
}

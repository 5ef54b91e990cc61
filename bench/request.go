package bench

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
)

// What Chrome sends with every request of a page of Party to its own server.
var chrome = http.Header{
	"Accept-Encoding":    {"gzip, deflate, br, zstd"},
	"Accept-Language":    {"en-GB,en;q=0.9"},
	"Referer":            {Party + "/invoices"},
	"Sec-Ch-Ua":          {`"Chromium";v="143", "Not_A Brand";v="24"`},
	"Sec-Ch-Ua-Mobile":   {"?0"},
	"Sec-Ch-Ua-Platform": {`"Linux"`},
	"Sec-Fetch-Site":     {"same-origin"},
	"User-Agent":         {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"},
}

// script is a script's fetch, as a server hands it to its handler.
func script() *http.Request {
	return request(http.MethodGet, "/api/invoices?page=2", http.Header{
		"Accept": {"application/json"}, "Priority": {"u=1, i"}, "Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Mode": {"cors"},
	})
}

// write is a script's POST.
func write() *http.Request {
	return request(http.MethodPost, "/api/invoices", http.Header{
		"Accept": {"application/json"}, "Content-Type": {"application/json"}, "Origin": {Party}, "Priority": {"u=1, i"},
		"Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Mode": {"cors"},
	})
}

// page is what a click on a link of another page sends.
func page() *http.Request {
	return request(http.MethodGet, "/invoices?page=2", http.Header{
		"Accept":   {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"},
		"Priority": {"u=0, i"}, "Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-User": {"?1"},
		"Upgrade-Insecure-Requests": {"1"},
	})
}

func request(method, target string, header http.Header) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), method, target, http.NoBody)
	r.Host = Party[len("https://"):]
	r.Header = maps.Clone(chrome)
	maps.Copy(r.Header, header)
	return r
}

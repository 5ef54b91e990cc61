package main

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // as Clerk does
	"encoding/base64"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// Traefik is not run: it does not build from the Go module proxy, and Debian has no package of it.
// imitated replaces it. It reads traefik/dynamic.yml, does what the ForwardAuth middleware of
// v3.7.13 does with each option in it, and refuses an unknown option. How Traefik's own server
// reads raw requests is not tested.

type traefikConfig struct {
	HTTP struct {
		Routers map[string]struct {
			Rule, Service string
			Middlewares   []string
		}
		Middlewares map[string]struct {
			ForwardAuth forwardAuth `yaml:"forwardAuth"`
			Headers     struct {
				Response map[string]string `yaml:"customResponseHeaders"`
			}
		}
		Services map[string]struct {
			LoadBalancer struct {
				Servers []struct{ URL string }
			} `yaml:"loadBalancer"`
		}
	}
}

type forwardAuth struct {
	Address             string
	TrustForwardHeader  *bool    `yaml:"trustForwardHeader"`
	MaxResponseBodySize int      `yaml:"maxResponseBodySize"`
	Regex               string   `yaml:"authResponseHeadersRegex"`
	Headers             []string `yaml:"authResponseHeaders"`
	Cookies             []string `yaml:"addAuthCookiesToResponse"`
}

// cookieSuffix computes what traefik/README.md tells people to compute.
func cookieSuffix(publishableKey string) string {
	sum := sha1.Sum([]byte(publishableKey)) //nolint:gosec // as Clerk does
	return base64.URLEncoding.EncodeToString(sum[:])[:8]
}

// route is a router of the configuration.
type route struct {
	path *regexp.Regexp
	auth forwardAuth
	rule string
	app  *httputil.ReverseProxy
}

func startImitatedTraefik(t *testing.T, s *site) {
	t.Helper()
	text := shipped(t, "traefik/dynamic.yml", map[string]string{
		"127.0.0.1:4180": address(s.gate.URL), "127.0.0.1:3000": address(s.app.URL), "SUFFIX": cookieSuffix(s.clerk.PublishableKey()),
	})
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true)
	var cfg traefikConfig
	if err := decoder.Decode(&cfg); err != nil {
		t.Fatal(err)
	}
	var routes []route
	for _, r := range cfg.HTTP.Routers {
		_, argument, _ := strings.Cut(r.Rule, "(`")
		argument = strings.TrimSuffix(argument, "`)")
		if strings.HasPrefix(r.Rule, "PathPrefix") {
			argument = "^" + regexp.QuoteMeta(argument)
		}
		backend, err := url.Parse(cfg.HTTP.Services[r.Service].LoadBalancer.Servers[0].URL)
		if err != nil {
			t.Fatal(err)
		}
		routes = append(routes, route{
			regexp.MustCompile(argument), cfg.HTTP.Middlewares[r.Middlewares[0]].ForwardAuth, r.Rule,
			&httputil.ReverseProxy{
				Rewrite: func(p *httputil.ProxyRequest) {
					p.SetURL(backend)
					p.Out.Host = p.In.Host
				},
				ModifyResponse: func(resp *http.Response) error {
					for name, value := range cfg.HTTP.Middlewares[r.Middlewares[1]].Headers.Response {
						resp.Header.Set(name, value)
					}
					return nil
				},
			},
		})
	}
	slices.SortFunc(routes, func(a, b route) int { return len(b.rule) - len(a.rule) })
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: imitated(routes), ReadHeaderTimeout: time.Minute}}
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
}

var traefikClient = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// imitated is the entry point: it cleans the path, and chooses a router.
func imitated(routes []route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			if strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") != "" {
				delete(r.Header, name) // aliasHeadersStrategy
			}
		}
		keepConnection(r.Header)
		if r.URL.Opaque != "" || strings.Contains(r.URL.Path, "#") || !strings.HasPrefix(r.URL.Path, "/") {
			http.Error(w, "Bad Request", http.StatusBadRequest)
			return
		}
		clean := path.Clean(r.URL.Path)
		if strings.HasSuffix(r.URL.Path, "/") && clean != "/" {
			clean += "/"
		}
		r.URL.Path, r.URL.RawPath = clean, ""
		for _, route := range routes {
			if route.path.MatchString(clean) {
				route.auth.serve(w, r, route.app)
				return
			}
		}
		http.NotFound(w, r)
	})
}

// keepConnection keeps only Connection: Upgrade, and only for another protocol than HTTP/2.
func keepConnection(h http.Header) {
	upgrade, lines := h.Get("Upgrade"), h["Connection"]
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			h.Del(textproto.TrimString(name))
		}
	}
	h.Del("Connection")
	if upgrade != "" && upgrade != "h2c" && strings.Contains(strings.ToLower(strings.Join(lines, ",")), "upgrade") {
		h.Set("Connection", "Upgrade")
		h.Set("Upgrade", upgrade)
	}
}

func (f forwardAuth) serve(w http.ResponseWriter, r *http.Request, next *httputil.ReverseProxy) {
	ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, f.Address, http.NoBody)
	if err != nil || f.TrustForwardHeader == nil || *f.TrustForwardHeader {
		http.Error(w, "not imitated", http.StatusInternalServerError)
		return
	}
	ask.Header = f.question(r)
	answer, err := traefikClient.Do(ask)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, int64(f.MaxResponseBodySize)+1))
	if err != nil || len(body) > f.MaxResponseBodySize {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, bytes.NewReader(body))
		return
	}
	f.accept(w, r, answer, next)
}

// question returns the header of the request to the gate.
func (f forwardAuth) question(r *http.Request) http.Header {
	h := r.Header.Clone()
	for _, name := range []string{"Connection", "Keep-Alive", "Te", "Trailers", "Transfer-Encoding", "Upgrade"} {
		h.Del(name)
	}
	for name := range h {
		if strings.HasPrefix(name, "X-Forwarded-") {
			h.Del(name)
		}
	}
	h.Set("X-Forwarded-Method", r.Method)
	h.Set("X-Forwarded-Proto", "http")
	h.Set("X-Forwarded-Host", r.Host)
	h.Set("X-Forwarded-Uri", r.URL.RequestURI())
	return h
}

// accept passes the request on, with the gate's headers.
func (f forwardAuth) accept(w http.ResponseWriter, r *http.Request, answer *http.Response, next *httputil.ReverseProxy) {
	for _, name := range f.Headers {
		if r.Header.Del(name); len(answer.Header[name]) > 0 {
			r.Header[name] = answer.Header[name]
		}
	}
	regex := regexp.MustCompile(f.Regex)
	for name := range r.Header {
		if regex.MatchString(name) {
			delete(r.Header, name)
		}
	}
	for name, values := range answer.Header {
		if regex.MatchString(name) {
			r.Header[name] = values
		}
	}
	proxy := *next
	proxy.ModifyResponse = func(resp *http.Response) error {
		if err := next.ModifyResponse(resp); err != nil {
			return err
		}
		own := resp.Cookies()
		resp.Header.Del("Set-Cookie")
		for _, c := range slices.Concat(own, answer.Cookies()) {
			if slices.Contains(f.Cookies, c.Name) != slices.Contains(own, c) {
				resp.Header.Add("Set-Cookie", c.String())
			}
		}
		return nil
	}
	proxy.ServeHTTP(w, r)
}

package bench

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"

	"github.com/clerkauth/clerkauth"
)

// The two ways to forward a request to the Frontend API.
const (
	BareProxy = "httputil.ReverseProxy"
	OwnProxy  = "FrontendAPIProxy"
)

// Proxies are both ways, each to the same server on this machine, which answers as the Frontend API does to the script that
// asks who is signed in.
type Proxies struct {
	handlers map[string]http.Handler
}

// NewProxies starts the server. It ends with ctx.
func NewProxies(ctx context.Context, course *Course) (*Proxies, error) {
	client := `{"response":{"object":"client","sessions":[{"last_active_token":{"jwt":"` + course.Pool.Tokens[0] + `"}}]}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Add("Set-Cookie", "__client_uat=1767225600; Path=/; Max-Age=315360000; Secure; SameSite=Lax")
		_, _ = io.WriteString(w, client) // the client may be gone
	}))
	context.AfterFunc(ctx, server.Close)
	upstream, err := url.Parse(server.URL)
	if err != nil {
		return nil, err
	}
	auth, err := clerkauth.New(clerkauth.Config{ //nolint:gosec // the keys are made up
		PublishableKey: "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k", SecretKey: "sk_live_bench", AuthorizedParties: []string{Party},
		ProxyURL: Party + "/__clerk", FrontendAPIURL: server.URL,
	})
	if err != nil {
		return nil, err
	}
	bare := &httputil.ReverseProxy{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(upstream)
		r.SetXForwarded()
	}}
	return &Proxies{map[string]http.Handler{BareProxy: http.StripPrefix("/__clerk", bare), OwnProxy: auth.FrontendAPIProxy()}}, nil
}

// Answer is what comes back through one of the two.
func (p *Proxies) Answer(name string) (status int, body string) {
	w := httptest.NewRecorder()
	p.handlers[name].ServeHTTP(w, proxied())
	return w.Code, w.Body.String()
}

// ProxyLoad is the Load of both.
const ProxyLoad = "a request through a proxy"

// Contestants are both ways.
func (p *Proxies) Contestants() []*Contestant {
	var all []*Contestant
	for _, name := range []string{BareProxy, OwnProxy} {
		all = append(all, contestant(name, ProxyLoad, p.handlers[name], http.StatusOK, proxied))
	}
	return all
}

// proxied is a script's request.
func proxied() *http.Request {
	r := request(http.MethodGet, "/__clerk/v1/client?__clerk_api_version=2026-05-12&_clerk_js_version=6.40.0", http.Header{
		"Accept": {"*/*"}, "Priority": {"u=1, i"}, "Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Mode": {"cors"},
		"Cookie": {"__client=client_0123456789; __client_uat=1767225600; sid=0123456789abcdef"},
	})
	r.RequestURI = r.URL.RequestURI()
	return r
}

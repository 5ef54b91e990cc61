package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

const changeDomainURL = "https://api.clerk.com/v1/instance/change_domain"

// change is a requested change of domain.
type change struct {
	home      *url.URL
	secondary bool
	send      bool
}

// domain is the domain of Clerk's records: the root, unless the application is a secondary one.
func (c *change) domain() (string, error) {
	host := c.home.Hostname()
	if isSuffix(host) {
		return "", fmt.Errorf("%s is a suffix below which everybody can register a name: give a domain that you own", host)
	}
	if c.secondary {
		return host, nil
	}
	return publicsuffix.EffectiveTLDPlusOne(host)
}

// body is the body of the request to the Backend API. Exactly the printed bytes are sent.
func (c *change) body() []byte {
	b, err := json.Marshal(struct {
		HomeURL   string `json:"home_url"`
		Secondary bool   `json:"is_secondary,omitempty"`
	}{c.home.String(), c.secondary})
	if err != nil {
		panic(err) // a string and a bool
	}
	return b
}

var errHome = errors.New("change-domain needs the new URL, https:// and a host, such as https://new.example.com")

// parseHome parses the new home URL: an https origin. A name in another script is converted to punycode.
func parseHome(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Scheme != "https" || u.Port() != "" || u.User != nil || strings.Trim(u.Path, "/") != "" || strings.ContainsAny(s, "?#") {
		return nil, errHome
	}
	host, err := idna.Lookup.ToASCII(strings.TrimSuffix(u.Hostname(), "."))
	if err != nil || !isHost(host) || net.ParseIP(host) != nil {
		return nil, errHome
	}
	return &url.URL{Scheme: u.Scheme, Host: host}, nil
}

var errNotSent = errors.New("nothing was sent")

// errNotKnown: the request was sent, but the response does not tell what happened.
var errNotKnown = errors.New("whether the domain is changed is not known: look at the Domains page of Clerk's Dashboard before you send again")

// changeDomain prints the request, sends it if that was requested and confirmed, and lists what changes with the domain.
// With -json the text goes to standard error, so that standard output has only the report.
func (o options) changeDomain(ctx context.Context, env environment) error {
	out := env.stdout
	if o.json {
		out = env.stderr
	}
	if _, err := io.WriteString(out, o.change.request(newPage(env, false))); err != nil {
		return err
	}
	outcome := "Nothing was sent. Run it yourself, or again with -send."
	if o.change.send {
		code, err := o.sendChange(ctx, env, out)
		if err != nil {
			return err
		}
		outcome = fmt.Sprintf("Clerk has accepted it (HTTP %d). The Domains page of the Dashboard shows when it is done.", code)
	}
	p := newPage(env, false)
	p.block("", "", outcome, "")
	o.changes(&p)
	_, err := io.WriteString(out, p.String())
	return err
}

// request describes the change and shows how to request it.
func (c *change) request(b page) string {
	b.block("", "", fmt.Sprintf("Changing the domain of the production instance to %s signs every user out, and until DNS, "+
		"certificates and keys have followed, nobody can sign in. It cannot be tried out first.", c.home), "")
	b.WriteString("\ncurl -X POST " + changeDomainURL + " \\\n  -H \"Authorization: Bearer $CLERK_SECRET_KEY\" \\\n")
	b.WriteString("  -H \"Content-Type: application/json\" \\\n  -d '" + string(c.body()) + "'\n\n")
	return b.String()
}

// sendChange confirms before it sends. The secret key is sent only to the Backend API.
func (o options) sendChange(ctx context.Context, env environment, out io.Writer) (code int, err error) {
	if !strings.HasPrefix(o.secret, "sk_live_") {
		return 0, fmt.Errorf("%w: set CLERK_SECRET_KEY to the sk_live_ key of the instance", errNotSent)
	}
	if err := confirm(env.stdin, out, o.change.home.Host); err != nil {
		return 0, fmt.Errorf("%w: %w", errNotSent, err)
	}
	way, err := o.network(env)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNotSent, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, changeDomainURL, bytes.NewReader(o.change.body()))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNotSent, err)
	}
	req.Header.Set("Authorization", "Bearer "+o.secret)
	req.Header.Set("Content-Type", "application/json")
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	resp, err := way.client().Do(req.WithContext(ctx))
	if err != nil {
		return 0, fmt.Errorf("%w (no answer: %s)", errNotKnown, plainly(err))
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode/100 == 2:
		return resp.StatusCode, nil
	case resp.StatusCode/100 == 4 && resp.StatusCode != http.StatusRequestTimeout:
		return 0, fmt.Errorf("%w: HTTP %d%s", errChangeRefused, resp.StatusCode, codes(resp.Body))
	}
	return 0, fmt.Errorf("%w (HTTP %d%s)", errNotKnown, resp.StatusCode, codes(resp.Body))
}

// confirm requires the host to be typed: a y may be typed into the wrong window.
func confirm(in io.Reader, out io.Writer, host string) error {
	if _, err := fmt.Fprintf(out, "To send it now, type %s: ", host); err != nil {
		return err
	}
	typed, err := bufio.NewReader(io.LimitReader(in, tokenLimit)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if _, err := io.WriteString(out, "\n"); err != nil {
		return err
	}
	if ascii, err := idna.Lookup.ToASCII(strings.TrimSpace(typed)); err != nil || ascii != host {
		return errNotConfirmed
	}
	return nil
}

var (
	errChangeRefused = errors.New("the change is refused by Clerk")
	errNotConfirmed  = errors.New("the host was not typed")
	codeForm         = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)
)

// codes are the error codes in an answer of the Backend API. Its other text is not repeated: it may quote the request.
func codes(body io.Reader) string {
	var answer struct {
		Errors []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	if json.NewDecoder(io.LimitReader(body, documentLimit)).Decode(&answer) != nil {
		return ""
	}
	var found []string
	for _, e := range answer.Errors {
		if codeForm.MatchString(e.Code) {
			found = append(found, e.Code)
		}
	}
	slices.Sort(found)
	if len(found) == 0 {
		return ""
	}
	return " (" + strings.Join(found, ", ") + ")"
}

// changes lists where else the old domain is used.
func (o options) changes(b *page) {
	kind := "a primary application: the records are at " + o.domain + "; for a secondary one, with records of its own, add -secondary"
	if o.change.secondary {
		kind = "a secondary application: the records are at its own name"
	}
	b.block("\n", "", "It is treated as "+kind+".", "")
	b.WriteString("\nWhat has to change with it:\n")
	for _, row := range [][2]string{
		{"DNS", "the CNAMEs of " + o.domain + " below; delete the old ones once nobody uses the old address"},
		{"Certificates", `press "Deploy certificates" in Clerk's Dashboard when the CNAMEs are there`},
		{"Keys", "a new publishable key, of clerk." + o.domain + ", wherever the old one is: servers, builds, mobile apps; the secret key stays"},
		{"OAuth", "the redirect URL at every provider: https://clerk." + o.domain + "/v1/oauth_callback"},
		{"SAML", "the ACS URL and entity ID at every identity provider, from the connection's page in the Dashboard"},
		{"Webhooks", "endpoints under the old domain, and what they check"},
		{"JWT issuer", "https://clerk." + o.domain + ", and " + jwksPath + " below it, wherever tokens are verified: templates, databases, gateways"},
		{"Allowlist", "AuthorizedParties: " + o.change.home.String()},
	} {
		b.block(fmt.Sprintf("  %-13s ", row[0]), strings.Repeat(" ", 16), row[1], "")
	}
	b.WriteByte('\n')
}

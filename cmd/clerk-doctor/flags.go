package main

import (
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	usualTimeout = 30 * time.Second
	waitTimeout  = time.Hour
)

const usage = `clerk-doctor says what a Clerk production instance still lacks, what is wrong with it, and what to do.

  clerk-doctor [options] example.com
  clerk-doctor [options]                                    (the domain of CLERK_PUBLISHABLE_KEY)
  clerk-doctor [options] change-domain https://new.example.com

It changes nothing, except with change-domain -send, and needs no login. It reads CLERK_PUBLISHABLE_KEY, CLERK_SECRET_KEY
(only to compare its kind, and for -send) and CLERK_AUTHORIZED_PARTIES (with commas), and prints no secret key or token.
Exit status: 0 all is well, 1 something fails, 2 something could not be checked.

`

// options are the settings from arguments and environment.
type options struct {
	domain    string // "" if neither an argument nor a key names one
	typed     string // the name as typed, reduced to a host
	key       string
	secret    string
	proxy     *url.URL // nil: none
	satellite bool
	secondary bool // the typed name is an application with records of its own
	parties   []string
	askToken  bool
	token     string
	change    *change // nil: only check

	json    bool
	verbose bool
	version bool
	wait    bool
	timeout time.Duration

	resolver string // "": the system's
	public   []string
	connect  map[string]string
	caBundle string
}

// usageError is a mistake in the arguments. Its text repeats no argument that could be a secret.
type usageError struct{ error }

func wrongf(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// parseOptions parses arguments and environment. Flags may be before and after the words.
func parseOptions(args []string, getenv func(string) string, stderr io.Writer) (options, error) {
	o := options{
		key: getenv("CLERK_PUBLISHABLE_KEY"), secret: getenv("CLERK_SECRET_KEY"),
		connect: map[string]string{},
	}
	var proxy, token string
	var send bool
	fs := o.flags(&proxy, &token, &send)
	words, err := parseAll(fs, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(stderr)
		_, _ = io.WriteString(stderr, usage) // there is nobody else to tell
		fs.PrintDefaults()
		return o, err
	case err != nil:
		return o, wrongf("%w", err)
	case o.version:
		return o, nil
	}
	if len(words) > 0 && words[0] == "change-domain" {
		o.change = &change{secondary: o.secondary, send: send}
		words = words[1:]
	}
	switch {
	case token != "" && token != "-":
		return o, wrongf("-token accepts only -: the token is read from standard input, because others can see arguments")
	case len(words) > 1:
		return o, wrongf("one domain at a time, please: %d were given", len(words))
	case token == "-" && o.change != nil:
		return o, wrongf("-token and change-domain cannot be used together: both read standard input")
	case send && o.change == nil:
		return o, wrongf("-send can be used with change-domain only")
	}
	o.askToken = token == "-"
	o.fill(getenv)
	if slices.ContainsFunc(o.parties, func(p string) bool { return strings.HasPrefix(p, "sk_") }) {
		return o, wrongf("an authorized party is an origin, such as https://example.com, and one of those given is a secret key")
	}
	if proxy != "" {
		if o.proxy, err = parseProxy(proxy); err != nil {
			return o, err
		}
	}
	return o, o.readDomain(words)
}

func (o *options) flags(proxy, token *string, send *bool) *flag.FlagSet {
	fs := flag.NewFlagSet("clerk-doctor", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {} // after a mistake one line is enough; -help prints everything
	fs.StringVar(&o.key, "publishable-key", o.key, "the pk_live_ `key` (default $CLERK_PUBLISHABLE_KEY)")
	fs.BoolVar(&o.satellite, "satellite", false, "the domain is a satellite: only the Frontend API is there")
	fs.StringVar(proxy, "proxy-url", "", "the Frontend API is behind a proxy of yours at this `URL`")
	fs.Func("authorized-party", "an `origin` of your allowlist; repeat for more (default $CLERK_AUTHORIZED_PARTIES)", into(&o.parties))
	fs.StringVar(token, "token", "", "check the session token on standard input; give `-`")
	fs.BoolVar(&o.json, "json", false, "report as JSON")
	fs.BoolVar(&o.verbose, "v", false, "list what is fine too, with the commands that show it")
	fs.BoolVar(&o.version, "version", false, "print the version of clerk-doctor")
	fs.BoolVar(&o.secondary, "secondary", false, "the domain is that of a secondary application, with records of its own")
	fs.BoolVar(send, "send", false, "with change-domain: send the request, after asking")
	fs.BoolVar(&o.wait, "wait", false, "look again until all is well, -timeout is over, or what is wrong does not change with time")
	fs.DurationVar(&o.timeout, "timeout", 0, "give up after this `time` (default 30s, with -wait 1h)")
	fs.StringVar(&o.resolver, "resolver", "", "the `address` of the resolver to compare with the world (default the system's)")
	fs.Func("public-resolver", "an `address` at which to see what the world sees; repeat for more (default 1.1.1.1 and 8.8.8.8)", into(&o.public))
	fs.StringVar(&o.caBundle, "ca-bundle", "", "trust the authorities in this PEM `file` too")
	fs.Func("connect-to", "connect to another address than DNS says: `host=address`; repeat for more", func(s string) error {
		host, to, found := strings.Cut(s, "=")
		if !found || host == "" || to == "" {
			return errors.New("write host=address")
		}
		o.connect[strings.ToLower(host)] = to
		return nil
	})
	return fs
}

func into(list *[]string) func(string) error {
	return func(s string) error {
		*list = append(*list, s)
		return nil
	}
}

// parseAll is fs.Parse that does not stop at the first word without a dash.
func parseAll(fs *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		if fs.NArg() == 0 {
			return words, nil
		}
		words = append(words, fs.Arg(0))
		args = fs.Args()[1:]
	}
}

// fill sets defaults.
func (o *options) fill(getenv func(string) string) {
	if len(o.parties) == 0 {
		for entry := range strings.SplitSeq(getenv("CLERK_AUTHORIZED_PARTIES"), ",") {
			if entry = strings.TrimSpace(entry); entry != "" {
				o.parties = append(o.parties, entry)
			}
		}
	}
	if len(o.public) == 0 {
		o.public = []string{"1.1.1.1", "8.8.8.8"}
	}
	if o.timeout <= 0 {
		o.timeout = usualTimeout
		if o.wait {
			o.timeout = waitTimeout
		}
	}
}

func parseProxy(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(s, "?#") {
		return nil, wrongf("-proxy-url needs https://, a host and a path, such as https://example.com/__clerk")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

// network makes the network that the options describe.
func (o *options) network(env environment) (*network, error) {
	n := &network{dialer: env.dialer, dnsTimeout: env.dnsTimeout, connect: o.connect, now: env.now}
	if o.resolver != "" {
		n.local = []server{n.at(o.resolver)}
	} else if system, err := dns.ClientConfigFromFile(env.resolvConf); err == nil { // not available outside Unix
		for _, address := range system.Servers {
			n.local = append(n.local, n.at(address))
		}
	}
	for _, p := range o.public {
		n.public = append(n.public, n.at(p))
	}
	if o.caBundle == "" {
		return n, nil
	}
	pem, err := os.ReadFile(o.caBundle) //nolint:gosec // the user names the file
	if err != nil {
		return nil, usageError{err}
	}
	if n.roots, err = x509.SystemCertPool(); err != nil {
		n.roots = x509.NewCertPool()
	}
	if !n.roots.AppendCertsFromPEM(pem) {
		return nil, wrongf("%s has no PEM certificate", o.caBundle)
	}
	return n, nil
}

// version is the module's, as go install records it.
func version() string {
	info, found := debug.ReadBuildInfo()
	if !found || info.Main.Version == "" {
		return "(unknown version)"
	}
	return info.Main.Version
}

package main

import (
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/idna"
)

const (
	roundPatience = 30 * time.Second
	waitPatience  = time.Hour
)

const usage = `clerk-doctor says what a Clerk production instance still lacks, what is wrong with it, and what to do.

  clerk-doctor [options] example.com
  clerk-doctor [options]                                    (the domain of CLERK_PUBLISHABLE_KEY)
  clerk-doctor change-domain [options] https://new.example.com

It changes nothing, except with change-domain -send, and needs no login. It reads CLERK_PUBLISHABLE_KEY, CLERK_SECRET_KEY
(only to compare its kind, and for -send) and CLERK_AUTHORIZED_PARTIES (with commas), and prints no secret key or token.
Exit status: 0 all is well, 1 something fails, 2 something could not be checked.

`

// options are what was asked for, from arguments and environment.
type options struct {
	domain    string // "" if neither an argument nor a key names one
	key       string
	secret    string
	proxy     *url.URL // nil: none
	satellite bool
	parties   []string
	askToken  bool
	token     string
	change    *change // nil: only look

	json    bool
	wait    bool
	timeout time.Duration

	resolver      string
	resolverGiven bool
	public        []string
	connect       map[string]string
	caBundle      string
}

// usageError is a mistake in the arguments. Its text repeats no argument that might be a secret.
type usageError struct{ error }

func wrongf(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// parseOptions reads arguments and environment. Flags may stand before and after the domain.
func parseOptions(args []string, getenv func(string) string, stderr io.Writer) (options, error) {
	o := options{
		key: getenv("CLERK_PUBLISHABLE_KEY"), secret: getenv("CLERK_SECRET_KEY"),
		connect: map[string]string{},
	}
	changing := len(args) > 0 && args[0] == "change-domain"
	if changing {
		args = args[1:]
		o.change = &change{}
	}
	var proxy, token string
	fs := o.flags(&proxy, &token)
	words, err := parseAll(fs, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(stderr)
		_, _ = io.WriteString(stderr, usage) // nobody else to tell
		fs.PrintDefaults()
		return o, err
	case err != nil:
		return o, wrongf("%w", err)
	case token != "" && token != "-":
		return o, wrongf("-token takes - only: the token is read from standard input, as arguments can be seen by others")
	case len(words) > 1:
		return o, wrongf("one domain at a time, please: %d were given", len(words))
	case token == "-" && changing:
		return o, wrongf("-token does not go with change-domain: both want standard input")
	}
	o.askToken = token == "-"
	o.settle(getenv)
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

func (o *options) flags(proxy, token *string) *flag.FlagSet {
	fs := flag.NewFlagSet("clerk-doctor", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {} // for mistakes a line is enough; -help prints it all
	fs.StringVar(&o.key, "publishable-key", o.key, "the pk_live_ `key` (default $CLERK_PUBLISHABLE_KEY)")
	fs.BoolVar(&o.satellite, "satellite", false, "the domain is a satellite: only the Frontend API is there")
	fs.StringVar(proxy, "proxy-url", "", "the Frontend API is behind a proxy of yours at this `URL`")
	fs.Func("authorized-party", "an `origin` of your allowlist; repeat for more (default $CLERK_AUTHORIZED_PARTIES)", into(&o.parties))
	fs.StringVar(token, "token", "", "judge the session token on standard input; give `-`")
	fs.BoolVar(&o.json, "json", false, "report as JSON")
	fs.BoolVar(&o.wait, "wait", false, "look again until all is well or -timeout is over")
	fs.DurationVar(&o.timeout, "timeout", 0, "give up after this `time` (default 30s, with -wait 1h)")
	fs.StringVar(&o.resolver, "resolver", "", "the `address` of the resolver to use (default the system's)")
	fs.Func("public-resolver", "an `address` at which to see what the world sees; repeat for more (default 1.1.1.1 and 8.8.8.8)", into(&o.public))
	fs.StringVar(&o.caBundle, "ca-bundle", "", "trust the authorities in this PEM `file` too")
	fs.Func("connect-to", "connect to another address than DNS says: `host=address`; repeat for more", func(s string) error {
		host, to, found := strings.Cut(s, "=")
		if !found || host == "" || to == "" {
			return errors.New("want host=address")
		}
		o.connect[strings.ToLower(host)] = to
		return nil
	})
	if o.change != nil {
		fs.BoolVar(&o.change.secondary, "secondary", false, "the new home is a secondary application, with records of its own")
		fs.BoolVar(&o.change.send, "send", false, "send the request, after asking")
	}
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

// settle fills in what was not given.
func (o *options) settle(getenv func(string) string) {
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
	o.resolverGiven = o.resolver != ""
	if o.timeout <= 0 {
		o.timeout = roundPatience
		if o.wait {
			o.timeout = waitPatience
		}
	}
}

func parseProxy(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(s, "?#") {
		return nil, wrongf("-proxy-url wants https://, a host and a path, such as https://example.com/__clerk")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

// readDomain settles which domain is meant: the argument, or else the one in the key.
func (o *options) readDomain(words []string) error {
	switch {
	case o.change != nil:
		return o.readHome(strings.Join(words, ""))
	case len(words) > 0:
		return o.readArgument(words[0])
	case o.key == "":
		return wrongf("which domain? Name it, or set CLERK_PUBLISHABLE_KEY")
	}
	if k, err := parseKey(o.key); err == nil && k.live {
		o.domain = strings.TrimPrefix(k.host, "clerk.")
	}
	return nil
}

func (o *options) readHome(word string) (err error) {
	if o.change.home, err = parseHome(word); err != nil {
		return usageError{err}
	}
	if o.domain, err = o.change.domain(); err != nil {
		return wrongf("change-domain: %w", err)
	}
	return nil
}

func (o *options) readArgument(word string) error {
	name := strings.TrimSuffix(word, ".")
	if u, err := url.Parse(word); err == nil && u.Host != "" {
		name = u.Hostname()
	}
	name, err := idna.Lookup.ToASCII(name)
	if err != nil || !isHost(name) || net.ParseIP(name) != nil {
		return wrongf("that is not a domain: give it as example.com") // not repeated: it may be a key put in the wrong place
	}
	o.domain = name
	return nil
}

// network makes the ways out that the options describe.
func (o *options) network(w world) (*network, error) {
	n := &network{dialer: w.dialer, connect: o.connect, now: w.now}
	if o.resolver == "" {
		system, err := dns.ClientConfigFromFile(w.resolvConf)
		if err != nil || len(system.Servers) == 0 {
			return nil, wrongf("the system names no resolver in %s: name one with -resolver", w.resolvConf)
		}
		o.resolver = system.Servers[0]
	}
	n.resolver = n.at(o.resolver)
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

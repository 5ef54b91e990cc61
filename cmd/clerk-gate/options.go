package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/clerkauth/clerkauth"
)

const usage = `clerk-gate answers the forward authentication requests of a gateway: nginx, haproxy, caddy or traefik.

  clerk-gate -gateway nginx

Each option can be given in the environment instead, as CLERK_GATE_<OPTION>. Clerk's own variables say which instance it is:
CLERK_PUBLISHABLE_KEY, CLERK_SECRET_KEY, CLERK_AUTHORIZED_PARTIES (origins with commas between them), and
CLERK_JWT_KEY, CLERK_API_URL, CLERK_SIGN_IN_URL, CLERK_PROXY_URL, CLERK_IS_SATELLITE and CLERK_DOMAIN.

`

// options are the settings from arguments and environment.
type options struct {
	listen     string
	gateway    gateway
	trusted    []netip.Prefix
	preflights bool // let CORS preflights pass
	anyPath    bool // let paths pass that gateway and app may read differently
	logLevel   slog.Level
	check      bool
	version    bool

	clerk clerkauth.Config
}

// parseOptions parses arguments and environment, and reports every mistake in them at once. Mistakes about the instance are
// found by newGate.
func parseOptions(args []string, help io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("clerk-gate", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	setting := func(name, value, text string) *string {
		return fs.String(name, cmp.Or(os.Getenv("CLERK_GATE_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))), value), text)
	}
	listen := setting("listen", "127.0.0.1:4180", "listen on this `address`, which only the gateway and the monitoring may reach")
	kind := setting("gateway", "", "which gateway sends the requests: "+strings.Join(gatewayNames(), ", "))
	trusted := setting("trusted", "127.0.0.0/8,::1", "answer /auth to these `addresses` and networks only")
	preflights := setting("preflights", "pass", "what CORS preflights do, which carry no credentials: pass, or judge to decide them as other requests")
	paths := setting("paths", "strict", "strict refuses paths that a gateway and an app may read differently, such as //admin or /%61dmin; any lets them pass")
	level := setting("log-level", "info", "debug, info, warn or error; debug has a line for each decision")
	fs.BoolVar(&o.check, "check", false, "check the configuration, and exit")
	fs.BoolVar(&o.version, "version", false, "print the version, and exit")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fs.SetOutput(help)
			_, _ = io.WriteString(help, usage) // there is nobody else to tell
			fs.PrintDefaults()
		}
		return o, err
	}
	if o.version {
		return o, nil
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	var problems [6]error
	o.listen, problems[0] = *listen, checkListen(*listen)
	o.gateway, problems[1] = gatewayNamed(*kind)
	o.trusted, problems[2] = parseTrusted(*trusted)
	o.preflights, problems[3] = oneOf("preflights", *preflights, "pass", "judge")
	strict, err := oneOf("paths", *paths, "strict", "any")
	o.anyPath, problems[4] = !strict, err
	o.clerk, problems[5] = clerkauth.ConfigFromEnv()
	return o, errors.Join(append(problems[:], o.logLevel.UnmarshalText([]byte(*level)))...)
}

// oneOf reports whether a setting has the first of two values.
func oneOf(name, value, first, second string) (bool, error) {
	if value != first && value != second {
		return false, fmt.Errorf("-%s %q is neither %s nor %s", name, value, first, second)
	}
	return value == first, nil
}

func checkListen(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return fmt.Errorf("-listen %q is not an address with a port, such as 127.0.0.1:4180", address)
	}
	return nil
}

// parseTrusted parses addresses and networks, separated by commas.
func parseTrusted(list string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	var problems []error
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		prefix, err := netip.ParsePrefix(entry)
		if addr, single := netip.ParseAddr(entry); single == nil && addr.Zone() == "" {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("-trusted: %q is neither an address nor a network, such as 10.0.0.7 or 10.0.0.0/24", entry))
		case prefix != prefix.Masked():
			problems = append(problems, fmt.Errorf("-trusted: %s has bits beyond its length; write %s", prefix, prefix.Masked()))
		case prefix.Addr().Is4In6():
			problems = append(problems, fmt.Errorf("-trusted: %s is IPv4 written as IPv6; write it as 10.0.0.7", prefix))
		default:
			prefixes = append(prefixes, prefix)
		}
	}
	return prefixes, errors.Join(problems...)
}

// trusts reports whether a peer, as in http.Request.RemoteAddr, is trusted.
func (g *gate) trusts(peer string) bool {
	addr, err := netip.ParseAddrPort(peer)
	return err == nil && slices.ContainsFunc(g.trusted, func(p netip.Prefix) bool {
		return p.Contains(addr.Addr().Unmap().WithZone(""))
	})
}

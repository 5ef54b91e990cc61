package main

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func parse(env map[string]string, args ...string) (options, error) {
	return parseOptions(args, func(name string) string { return env[name] }, io.Discard)
}

func TestDomainIsUnderstood(t *testing.T) {
	for word, want := range map[string]string{
		"example.com": "example.com", "Example.COM.": "example.com", "https://example.com/path": "example.com",
		"https://example.com:8443": "example.com", "bücher.example": "xn--bcher-kva.example",
		"www.example.com": "example.com", "https://clerk.example.com/": "example.com", "HTTPS://Accounts.Example.com/sign-in": "example.com",
		"example.com:443": "example.com", "example.com/sign-in?x=1": "example.com", "//example.com": "example.com", " example.com ": "example.com",
		"BÜCHER.example": "xn--bcher-kva.example", "www.bücher.example": "xn--bcher-kva.example", "例え。example": "xn--r8jz45g.example",
		"clk._domainkey.example.com": "example.com", "CLK2._domainkey.Example.com.": "example.com", "pdk1._domainkey.clkmail2.example.com": "example.com",
		"clerk.app.example.com": "app.example.com", "app.example.com": "app.example.com", "www.co.uk": "www.co.uk", "clerk.com": "clerk.com",
		"example.co.uk": "example.co.uk", "user.github.io": "user.github.io", "me@example.com": "example.com", "*.example.com": "example.com",
	} {
		o, err := parse(nil, word)
		if err != nil || o.domain != want {
			t.Errorf("%s: got %q and error %v, want %q", word, o.domain, err, want)
		}
	}
}

func TestMistakesInArguments(t *testing.T) {
	const secret = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyIn0.c2ln"
	for name, tt := range map[string]struct {
		args []string
		says string
	}{
		"no domain":                 {nil, "which domain?"},
		"not a domain":              {[]string{"localhost"}, "not a domain"},
		"a public suffix":           {[]string{"co.uk"}, "a domain that you own"},
		"a hosting provider":        {[]string{"https://vercel.app/"}, "a domain that you own"},
		"a top-level domain":        {[]string{"com."}, "not a domain"},
		"an IPv6 address":           {[]string{"[2001:db8::1]:443"}, "not a domain"},
		"an address":                {[]string{"192.0.2.1"}, "not a domain"},
		"two domains":               {[]string{"example.com", "example.org"}, "one domain at a time"},
		"a secret key as domain":    {[]string{secretKey}, "not a domain"},
		"a token as argument":       {[]string{"-token", secret, "example.com"}, "-token accepts only -"},
		"a token with change":       {[]string{"change-domain", "-token", "-", "https://example.com"}, "both read standard input"},
		"a secret key as party":     {[]string{"-authorized-party", secretKey, "example.com"}, "is a secret key"},
		"unknown flag":              {[]string{"-frobnicate", "example.com"}, "-frobnicate"},
		"send without change":       {[]string{"-send", "example.com"}, "-send"},
		"lead without address":      {[]string{"-connect-to", "example.com", "example.com"}, "host=address"},
		"lead to nowhere":           {[]string{"-connect-to", "example.com=", "example.com"}, "host=address"},
		"proxy without https":       {[]string{"-proxy-url", "http://example.com/__clerk", "example.com"}, "-proxy-url needs"},
		"change to a bare name":     {[]string{"change-domain", "example.com"}, "change-domain needs"},
		"change to http":            {[]string{"change-domain", "http://example.com"}, "change-domain needs"},
		"change with a path":        {[]string{"change-domain", "https://example.com/app"}, "change-domain needs"},
		"change with a query":       {[]string{"change-domain", "https://example.com?x"}, "change-domain needs"},
		"change with a port":        {[]string{"change-domain", "https://example.com:8443"}, "change-domain needs"},
		"change to a public suffix": {[]string{"change-domain", "https://co.uk"}, "co.uk"},
		"change to an address":      {[]string{"change-domain", "https://192.0.2.1"}, "change-domain needs"},
		"change to nothing":         {[]string{"change-domain"}, "change-domain needs"},
		"no bundle":                 {[]string{"-ca-bundle", "/nowhere/ca.pem", "-resolver", "192.0.2.53", "example.com"}, "no such file"},
		"a bundle without any":      {[]string{"-ca-bundle", "README.md", "-resolver", "192.0.2.53", "example.com"}, "no PEM certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			env := environment{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }, now: atNoon, dialer: loopbackOnly(t)}
			if code := run(t.Context(), env, tt.args); code != exitUnknown {
				t.Errorf("exit status %d, want %d", code, exitUnknown)
			}
			if stdout.Len() > 0 || !strings.Contains(stderr.String(), tt.says) || !strings.Contains(stderr.String(), "-help") {
				t.Errorf("output %q, errors %q; want only a line that says %q, and where to read more", &stdout, &stderr, tt.says)
			}
			if s := stderr.String(); strings.Contains(s, secret) || strings.Contains(s, secretKey) {
				t.Errorf("standard error shows a secret: %s", s)
			}
		})
	}
}

func TestNoResolverIsNoMistake(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte("search example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := parse(nil, "example.com")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := o.network(environment{resolvConf: file}); err != nil || len(n.local) != 0 || len(n.public) != 2 {
		t.Errorf("got %+v and error %v, want the public resolvers", n, err)
	}
}

func TestDefaults(t *testing.T) {
	o, err := parse(map[string]string{"CLERK_AUTHORIZED_PARTIES": " https://a.example, ,https://b.example,"}, "example.com")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"https://a.example", "https://b.example"}; !slices.Equal(o.parties, want) {
		t.Errorf("parties %q, want %q", o.parties, want)
	}
	if want := []string{"1.1.1.1", "8.8.8.8"}; !slices.Equal(o.public, want) {
		t.Errorf("public resolvers %q, want %q", o.public, want)
	}
	if o.timeout != 30*time.Second {
		t.Errorf("timeout %v, want 30s", o.timeout)
	}
	if o, err = parse(nil, "example.com", "-wait"); err != nil || o.timeout != time.Hour || !o.wait {
		t.Errorf("with -wait behind the domain: timeout %v, error %v; want 1h", o.timeout, err)
	}
	o, err = parse(map[string]string{"CLERK_AUTHORIZED_PARTIES": "https://a.example", "CLERK_PUBLISHABLE_KEY": "x"},
		"-timeout", "5s", "-authorized-party", "https://c.example", "-public-resolver", "9.9.9.9", "-publishable-key", "y", "example.com")
	if err != nil || o.timeout != 5*time.Second || !slices.Equal(o.parties, []string{"https://c.example"}) || !slices.Equal(o.public, []string{"9.9.9.9"}) || o.key != "y" {
		t.Errorf("got %+v and %v, want the flags' values instead of the defaults", o, err)
	}
}

func TestHelpNamesEveryFlag(t *testing.T) {
	var stderr bytes.Buffer
	env := environment{stdin: strings.NewReader(""), stdout: io.Discard, stderr: &stderr, getenv: func(string) string { return "" }}
	if code := run(t.Context(), env, []string{"-help"}); code != exitGood {
		t.Errorf("exit status %d, want %d", code, exitGood)
	}
	for _, name := range []string{"-resolver", "-public-resolver", "-token", "-json", "-wait", "-satellite", "-proxy-url", "-ca-bundle", "-connect-to", "-authorized-party", "-v", "-version", "-send", "-secondary"} {
		if !strings.Contains(stderr.String(), "  "+name) {
			t.Errorf("-help does not name %s", name)
		}
	}
}

func TestColourIsForTerminalsThatWantIt(t *testing.T) {
	for _, tt := range []struct {
		terminal bool
		env      map[string]string
		want     bool
	}{
		{true, nil, true},
		{false, nil, false},
		{true, map[string]string{"NO_COLOR": "1"}, false},
		{true, map[string]string{"NO_COLOR": ""}, true},
		{true, map[string]string{"TERM": "dumb"}, false},
	} {
		if got := colourful(tt.terminal, func(name string) string { return tt.env[name] }); got != tt.want {
			t.Errorf("terminal %v, %v: got %v, want %v", tt.terminal, slices.Collect(maps.Keys(tt.env)), got, tt.want)
		}
	}
}

func TestExitStatus(t *testing.T) {
	explained := check{code: cnameMissing, name: "a", cause: &ref{internetUnreachable, "b"}}
	for _, tt := range []struct {
		name string
		have []check
		want int
	}{
		{"nothing", nil, exitGood},
		{"fine", []check{{code: keyGood}, {code: serversLame}, {code: keyNotGiven}}, exitGood},
		{"not all could be checked", []check{{code: keyGood}, {code: cnameUnknown}, {code: serversLame}}, exitUnknown},
		{"a failure is certain", []check{{code: cnameUnknown}, {code: cnameMissing}, {code: keyGood}}, exitFails},
		{"a failure whose cause is not known", []check{{code: internetUnreachable, name: "b"}, explained}, exitUnknown},
		{"a failure whose cause is not there", []check{explained}, exitFails},
	} {
		if got := exitStatus(tt.have); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

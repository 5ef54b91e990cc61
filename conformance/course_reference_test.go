package conformance_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
)

// TestCourseIsTheReferences checks the decisions that rules compute instead of using the reference's. Where no rule applies,
// they must be equal to the reference's.
func TestCourseIsTheReferences(t *testing.T) {
	r := load(t)
	checked := 0
	for _, family := range r.families {
		for _, c := range r.cases[family] {
			if c.skipCause(t) != "" || c.oddPatterns() || c.decidesMachine() {
				continue
			}
			want, applied := c.expected(t)
			if len(applied) > 0 || want.Status == refused {
				continue
			}
			checked++
			got := c.decision()
			if lines := differences(got, want); len(lines) > 0 {
				t.Errorf("%s/%s: the computed decision differs from the reference's:\n%s", c.Family, c.Name, strings.Join(lines, "\n"))
			}
		}
	}
	if r.builtIn && checked < 2000 {
		t.Errorf("%d decisions were computed, want at least 2000", checked)
	}
}

var plainPattern = regexp.MustCompile(`^(/[\w.-]*|(/:\w+|\{/:\w+\})(\([^()?]+\))?[+*?]?|/\(\.\*\))*$`)

// oddPatterns reports a pattern of organization sync with more than parameters and (.*): decisions for those are not computed.
func (c *recorded) oddPatterns() bool {
	return slices.ContainsFunc(c.patterns(), func(pattern string) bool { return !plainPattern.MatchString(pattern) })
}

// TestShortNoncesAreRefused tests what is hidden by lengthening the recording's nonces: the original ones do not have
// Clerk's form, and cause no request to the Backend API.
func TestShortNoncesAreRefused(t *testing.T) {
	exchanged := 0
	for _, c := range load(t).cases["e_resolution"] {
		short := *c
		lengthened := strings.NewReplacer("_made_longer", "")
		short.Request.URL = lengthened.Replace(c.Request.URL)
		short.Request.Headers = nil
		for _, h := range c.Request.Headers {
			short.Request.Headers = append(short.Request.Headers, [2]string{h[0], lengthened.Replace(h[1])})
		}
		nonce := only(c.handshakeParameters("__clerk_handshake_nonce"))
		if !strings.HasSuffix(nonce, "_made_longer") || c.skipCause(t) != "" {
			continue
		}
		if calls := c.decide(t, c.parties()).Calls; len(calls) > 0 {
			exchanged++
		}
		got := short.decide(t, c.parties())
		for _, made := range got.Calls {
			if strings.HasSuffix(made.URL, "/handshake_payload") {
				t.Errorf("%s: the nonce %q was exchanged", c.Name, only(short.handshakeParameters("__clerk_handshake_nonce")))
			}
		}
	}
	if load(t).builtIn && exchanged == 0 {
		t.Error("no lengthened nonce was exchanged either")
	}
}

// TestUsedAnswersAreDeleted tests what the comparison omits: in production the cookies of a handshake are deleted after
// use, whether it succeeded or not.
func TestUsedAnswersAreDeleted(t *testing.T) {
	seen := 0
	for _, c := range load(t).cases["e_resolution"] {
		if c.development() || !c.navigates() || c.head() || c.hasBearer() || c.skipCause(t) != "" {
			continue
		}
		header := c.header(t)
		for _, name := range []string{"__clerk_handshake", "__clerk_handshake_nonce"} {
			values := c.cookieValues(name)
			if only(values) == "" {
				continue
			}
			seen++
			if want := name + "=; Path=/; Max-Age=0; Secure"; !slices.Contains(header.Values("Set-Cookie"), want) {
				t.Errorf("%s: got Set-Cookie %q, want %q among them", c.Name, header.Values("Set-Cookie"), want)
			}
		}
	}
	if load(t).builtIn && seen == 0 {
		t.Error("no handshake result was in a cookie")
	}
}

// header is what the decision adds to the response, nothing left out.
func (c *recorded) header(t *testing.T) http.Header {
	t.Helper()
	api := &backend{}
	api.serve(c.Backend)
	auth, err := clerkauth.New(c.config(t, api, c.parties()))
	if err != nil {
		t.Fatal(err)
	}
	req, err := c.Request.build(t)
	if err != nil {
		t.Fatal(err)
	}
	return auth.AuthenticateRequest(req).Header
}

// TestLargestCounterCounts reverses the Cookie headers with two counters: a planted one must not hide another.
func TestLargestCounterCounts(t *testing.T) {
	turned := 0
	for _, c := range load(t).cases["d_eligibility"] {
		if len(c.cookieValues("__clerk_redirect_count")) < 2 || c.skipCause(t) != "" {
			continue
		}
		turned++
		other := *c
		other.Request.Headers = slices.Clone(c.Request.Headers)
		for i, h := range other.Request.Headers {
			if strings.EqualFold(h[0], "Cookie") {
				pairs := strings.Split(h[1], "; ")
				slices.Reverse(pairs)
				other.Request.Headers[i][1] = strings.Join(pairs, "; ")
			}
		}
		if lines := differences(other.decide(t, c.parties()), c.decide(t, c.parties())); len(lines) > 0 {
			t.Errorf("%s: with the Cookie headers reversed the decision differs:\n%s", c.Name, strings.Join(lines, "\n"))
		}
	}
	if load(t).builtIn && turned == 0 {
		t.Error("no request had two counters")
	}
}

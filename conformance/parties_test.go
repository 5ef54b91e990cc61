package conformance_test

import (
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The second run: a case without an allowlist has any party allowed. With its
// own origin and the azp of its own tokens as the list the decision must be
// the same, for the list is not to disturb honest traffic.

// whyNoList says why a case has no list of its own that it could be put to again.
type whyNoList string

const (
	listed       whyNoList = ""
	hasList      whyNoList = "it has a list"
	noAzp        whyNoList = "a token has no azp that is an origin"
	plainOrigin  whyNoList = "its own origin can be in no list: plain http with live keys"
	notListening whyNoList = "New refuses its options"
)

var ownLists = struct {
	sync.Mutex
	again int
	left  map[whyNoList]int
}{left: map[whyNoList]int{}}

// TestOwnListChangesNothing puts the cases without a list to a fresh
// Authenticator twice, without a list and with their own.
func TestOwnListChangesNothing(t *testing.T) {
	r := load(t)
	for _, family := range r.families {
		t.Run(family, func(t *testing.T) {
			for _, c := range r.cases[family] {
				t.Run(c.Name, func(t *testing.T) {
					t.Parallel()
					if c.skipCause(t) == "" {
						c.again(t)
					}
				})
			}
		})
	}
	if r.builtIn && wholeRun() && ownLists.again == 0 {
		t.Error("no case was put to its own list")
	}
}

func (c *recorded) again(t *testing.T) {
	list, why := c.ownList()
	open := outcome{}
	if why == listed {
		if open = c.decide(t, nil); open.Status == refused {
			why = notListening
		}
	}
	ownLists.Lock()
	if why == listed {
		ownLists.again++
	} else {
		ownLists.left[why]++
	}
	ownLists.Unlock()
	if why != listed {
		return
	}
	if lines := differences(c.decide(t, list), open); len(lines) > 0 {
		t.Errorf("with the list %q it is not decided as with any party:\n%s", list, strings.Join(lines, "\n"))
	}
}

// ownList is the case's own origin and the azp of all its tokens.
func (c *recorded) ownList() ([]string, whyNoList) {
	if len(c.parties()) > 0 {
		return nil, hasList
	}
	var list []string
	for _, origin := range c.origins() {
		if c.canMatch(origin) {
			list = append(list, origin)
		}
	}
	if len(list) == 0 {
		return nil, plainOrigin
	}
	for _, t := range c.tokens() {
		azp, ok := t.claims["azp"].(string)
		if !t.complete() {
			continue
		}
		if normal, isOrigin := browserOrigin(azp); !ok || !isOrigin || normal != azp || !c.canMatch(azp) {
			return nil, noAzp
		}
		list = append(list, azp)
	}
	slices.Sort(list)
	return slices.Compact(list), listed
}

// origins are those the request may have come to: of the URL, and of what
// Host and X-Forwarded-Host name instead.
func (c *recorded) origins() []string {
	u, err := url.Parse(c.Request.target())
	if err != nil {
		return nil
	}
	schemes := append(c.Request.values("X-Forwarded-Proto"), u.Scheme)
	hosts := append(append(c.Request.values("X-Forwarded-Host"), c.Request.values("Host")...), u.Host)
	var found []string
	for _, scheme := range schemes {
		for _, host := range hosts {
			if origin, ok := browserOrigin(strings.ToLower(scheme) + "://" + host); ok {
				found = append(found, origin)
			}
		}
	}
	return found
}

var compactJWS = regexp.MustCompile(`[\w-]{2,}\.[\w-]{2,}\.[\w-]*`)

// tokens are all tokens in the request.
func (c *recorded) tokens() []*token {
	var found []*token
	for _, h := range c.Request.Headers {
		for _, raw := range compactJWS.FindAllString(h[1], -1) {
			if t := parseToken(raw); t.complete() {
				found = append(found, t)
			}
		}
	}
	return found
}

func printOwnLists(w io.Writer) {
	ownLists.Lock()
	defer ownLists.Unlock()
	if ownLists.again == 0 {
		return
	}
	_, _ = fmt.Fprintf(w, "list  %5d  cases without a list put again with their own\n", ownLists.again)
	for _, why := range []whyNoList{hasList, noAzp, plainOrigin, notListening} {
		_, _ = fmt.Fprintf(w, "list  %5d  left out: %s\n", ownLists.left[why], why)
	}
}

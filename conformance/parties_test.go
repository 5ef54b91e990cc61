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

// The second run: a case without an allowlist allows any party. With a list of its own origin and the azp of its own
// tokens, the decision must be the same, since the list must not affect honest traffic.

// whyNoList says why a case cannot be run with a list of its own.
type whyNoList string

const (
	listed       whyNoList = ""
	hasList      whyNoList = "it has a list"
	noAZP        whyNoList = "a token has no azp that is an origin"
	plainOrigin  whyNoList = "its own origin can be in no list: plain http with live keys"
	noOrigin     whyNoList = "its own origin cannot be told"
	opensWayBack whyNoList = "its own list would open the way back to a satellite"
	notListening whyNoList = "New refuses its options"
)

var ownLists = struct {
	sync.Mutex
	again int
	left  map[whyNoList]int
}{left: map[whyNoList]int{}}

// TestOwnListChangesNothing decides the cases without a list with a fresh Authenticator twice, without a list and with
// their own.
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
	here, ok := c.origin()
	switch {
	case !ok:
		return nil, noOrigin
	case !c.canMatch(here):
		return nil, plainOrigin
	}
	list := []string{here}
	for _, t := range c.tokens() {
		azp := text(t.claims["azp"])
		if normal, isOrigin := browserOrigin(azp); !isOrigin || normal != azp || !c.canMatch(azp) {
			return nil, noAZP
		}
		list = append(list, azp)
	}
	slices.Sort(list)
	list = slices.Compact(list)
	if target, ok := c.satelliteOrigin(); ok && slices.Contains(list, target) {
		return nil, opensWayBack
	}
	return list, listed
}

// satelliteOrigin is the origin of the satellite that a development primary is to answer.
func (c *recorded) satelliteOrigin() (string, bool) {
	target, _ := c.parameter("__clerk_redirect_url")
	u, err := url.Parse(target)
	if err != nil || !c.development() || c.satellite() || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return "", false
	}
	return browserOrigin(u.Scheme + "://" + u.Host)
}

var compactJWS = regexp.MustCompile(`[\w-]{2,}\.[\w-]{2,}\.[\w-]*`)

// tokens are all tokens in the request and in the Backend API's answers, and in handshake tokens among them.
func (c *recorded) tokens() []*token {
	texts := []string{formText(c.query())}
	for _, h := range c.Request.Headers {
		texts = append(texts, h[1])
	}
	for _, r := range c.Backend {
		for _, answer := range r.Responses {
			texts = append(texts, string(answer.JSON))
		}
	}
	return tokensIn(texts)
}

func tokensIn(texts []string) []*token {
	var found []*token
	for _, s := range texts {
		for _, raw := range compactJWS.FindAllString(s, -1) {
			t := parseToken(raw)
			inside, answers := textsIn(t.claims["handshake"])
			switch {
			case !t.complete():
			case answers && t.claims["azp"] == nil:
				found = append(found, tokensIn(inside)...)
			default:
				found = append(found, append(tokensIn(inside), t)...)
			}
		}
	}
	return found
}

// TestPrimaryAnswersListedSatellites decides again the cases in which a development primary domain answers a satellite,
// with the satellite in the list: then it answers as the reference does, and otherwise not.
func TestPrimaryAnswersListedSatellites(t *testing.T) {
	sent := 0
	for _, cases := range load(t).cases {
		for _, c := range cases {
			target, ok := c.satelliteOrigin()
			list, why := c.ownList()
			if !ok || why != listed || c.skipCause(t) != "" || c.Expect.Status != handshake || c.Expect.Reason != "primary-responds-to-syncing" || c.redirects() >= 3 {
				continue
			}
			got := c.decide(t, append(list, target))
			if got.Status == refused {
				continue
			}
			sent++
			if lines := differences(got, c.reference()); len(lines) > 0 {
				t.Errorf("%s/%s differs from the reference:\n%s", c.Family, c.Name, strings.Join(lines, "\n"))
			}
		}
	}
	if load(t).builtIn && sent == 0 {
		t.Error("no browser was sent back to a satellite")
	}
}

func printOwnLists(w io.Writer) {
	ownLists.Lock()
	defer ownLists.Unlock()
	if ownLists.again == 0 {
		return
	}
	_, _ = fmt.Fprintf(w, "list  %5d  cases without a list put again with their own\n", ownLists.again)
	for _, why := range []whyNoList{hasList, noAZP, plainOrigin, noOrigin, opensWayBack, notListening} {
		_, _ = fmt.Fprintf(w, "list  %5d  left out: %s\n", ownLists.left[why], why)
	}
}

package conformance_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// ownWrite reports a write, or a WebSocket upgrade, of a page at the very origin that it is sent to.
func (c *recorded) ownWrite() bool {
	here, ok := c.origin()
	line := func(name string) string { return strings.Join(c.Request.values(name), ", ") }
	if !ok || slices.Contains([]string{http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodConnect}, c.Request.Method) {
		return false
	}
	if line("Sec-Fetch-Dest") == "empty" && (line("Sec-Fetch-Mode") == "navigate" || line("Sec-Fetch-Mode") == "same-origin" && line("Referer") == "") {
		return false
	}
	if referrer := line("Referer"); referrer != "" && referrer != here && !strings.HasPrefix(referrer, here+"/") && !strings.HasPrefix(referrer, here+"?") {
		return false
	}
	from := line("Origin")
	if len(c.Request.values("Sec-Fetch-Site")) == 0 {
		return from == here
	}
	return line("Sec-Fetch-Site") == "same-origin" && (len(c.Request.values("Origin")) == 0 || from == here || from == "null")
}

// upgrades reports a request for a WebSocket.
func (c *recorded) upgrades() bool {
	return len(c.Request.values("Sec-WebSocket-Key")) > 0 || slices.ContainsFunc(c.Request.values("Upgrade"), func(v string) bool {
		return strings.Contains(strings.ToLower(v), "websocket")
	})
}

// writes are the recorded refreshes as the same browser's writes, once from a page of the application's own, once as a
// browser sends them without saying which page, and as WebSocket upgrades. The reference never refreshes for methods other
// than GET, as its recorded cases show.
func writes(tb testing.TB) []*recorded {
	var made []*recorded
	for _, c := range load(tb).cases["j_refresh"] {
		if c.Request.Method != http.MethodGet || c.hasBearer() || !c.reference().refreshes() {
			continue
		}
		for name, lines := range map[string][][2]string{
			"own": {{"sec-fetch-site", "same-origin"}}, "form": {{"origin", originOf(c.Request.target())}}, "unknown": nil,
		} {
			write := *c
			write.Name, write.Request.Method = c.Name+"-as-"+name, http.MethodPost
			write.Request.Headers = slices.Concat(c.Request.Headers, lines)
			write.Expect = expectation{
				Status: signedOut, Reason: expired + "-refresh-non-eligible-non-get",
				Headers: map[string]string{statusHeader: signedOut, reasonHeader: expired + "-refresh-non-eligible-non-get"},
			}
			made = append(made, &write)
		}
		upgrade := *c
		upgrade.Name = c.Name + "-as-upgrade"
		upgrade.Request.Headers = slices.Concat(c.Request.Headers, [][2]string{{"upgrade", "websocket"}})
		made = append(made, &upgrade)
	}
	return made
}

// answersBesideSessions are the recorded answers that sign in with live keys, each beside a good session cookie of another
// session. The reference takes an answer before it reads session cookies.
func answersBesideSessions(tb testing.TB) []*recorded {
	tb.Helper()
	var made []*recorded
	r := load(tb)
	for _, c := range r.cases["e_resolution"] {
		brought := parseToken(c.Expect.Token)
		if c.development() || c.hasBearer() || c.Expect.Status != signedIn || brought.raw == "" || len(c.candidates()) > 0 || c.skipCause(tb) != "" {
			continue
		}
		for _, raw := range partsOf(tb, r, c.public(), nil).tokens["good"] {
			if t := parseToken(raw); t.claims["sid"] != brought.claims["sid"] && c.whyRefused(t) == "" {
				beside := *c
				beside.Name += "-beside-another-session"
				beside.Request.Headers = slices.Concat([][2]string{{"cookie", "__session=" + raw + "; __client_uat=1"}}, c.Request.Headers)
				made = append(made, &beside)
				break
			}
		}
	}
	return made
}

func originOf(target string) string {
	scheme, rest, _ := strings.Cut(target, "://")
	return scheme + "://" + rest[:strings.IndexAny(rest+"/", "/?#")]
}

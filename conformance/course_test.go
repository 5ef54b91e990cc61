package conformance_test

import (
	"maps"
	"slices"
	"strings"
)

// Where the reference gives no decision of its own, because it threw, looked at another cookie, or believed what
// is not believed here, a rule holds what this works out from the case alone. TestCourseIsTheReferences keeps it
// honest: wherever no rule applies it must come to what the reference decided.

// A course is what becomes of one request.
type course struct {
	*recorded
	jar       map[string]string // the cookies that count
	pair      string            // what follows their names: nothing, or the suffix
	chosen    *token            // the session cookie that counts
	ambiguous bool
	expired   int  // sessions that have expired
	cameBack  bool // an answer to a browser round was looked at
	unasked   bool // nobody could say what its nonce stands for
	keyless   bool // nobody could say whether its token is signed well
	calls     []call
}

// decision is what is held for the case.
func (c *recorded) decision() outcome {
	s := &course{recorded: c, chosen: parseToken("")}
	out := s.decide()
	out.Calls = s.calls
	return out
}

func (s *course) decide() outcome {
	if lines := s.Request.values("Authorization"); len(lines) > 1 {
		return refusal("multiple-authorization-headers")
	}
	if raw, ok := s.anyBearer(); ok {
		t := parseToken(raw)
		reason := s.verdict(t)
		if reason == "" {
			return admission(t)
		}
		if reason == expired {
			reason += s.headerObstacle()
		}
		return s.heal(reason, t)
	}
	if out, ok := s.answer(); ok {
		return out
	}
	s.weigh()
	reason, target := s.arranged()
	if reason != "" {
		return s.healTo(reason, target)
	}
	return s.byCookies()
}

// byCookies is what the chosen session cookie comes to beside its __client_uat.
func (s *course) byCookies() outcome {
	reason := s.besideUAT()
	if reason == expired {
		obstacle, got := s.refresh()
		if got != nil {
			return *got
		}
		reason += "-refresh-" + obstacle
	}
	if reason != "" {
		return s.heal(reason, s.chosen)
	}
	if s.crossOriginWrite() {
		return refusal("cross-origin-request")
	}
	if why := s.elsewhere(); why != "" {
		if round := s.heal(why, s.chosen); round.Status == handshake {
			return round
		}
	}
	return admission(s.chosen)
}

// besideUAT is the verdict on the chosen cookie, with what __client_uat says.
func (s *course) besideUAT() string {
	uat := clientUpdated(s.jar["__client_uat"+s.pair])
	issued, dated := seconds(s.chosen.claims["iat"])
	form := s.badForm(s.chosen)
	switch {
	case s.chosen.raw == "" && uat == 0:
		return "session-token-and-uat-missing"
	case s.chosen.raw == "":
		return "client-uat-but-no-session-token"
	case uat == 0:
		return "session-token-but-no-client-uat"
	case s.ambiguous:
		return "session-token-ambiguous"
	case form != "":
		return form
	case dated && issued < uat:
		return "session-token-iat-before-client-uat"
	}
	return s.verdict(s.chosen)
}

// weigh judges all session cookies. One that is good for nothing does not hide one that is not.
func (s *course) weigh() {
	s.jar = s.Request.cookies()
	passing, overdue := map[any]bool{}, map[any]bool{}
	best := map[string]int{}
	for _, name := range []string{"__session", "__session_" + s.suffix()} {
		s.jar[name] = ""
		for _, raw := range s.cookieValues(name) {
			t := parseToken(raw)
			if raw == "" {
				continue
			}
			worth := s.worth(t)
			switch worth {
			case 2:
				passing[t.claims["sid"]] = true
			case 1:
				overdue[t.claims["sid"]] = true
			}
			if s.jar[name] == "" || worth > best[name] {
				s.jar[name], best[name] = raw, worth
			}
		}
	}
	s.ambiguous, s.expired = len(passing) > 1, len(overdue)
	if s.foreignCookies() {
		s.jar["__session"], s.jar["__session_"+s.suffix()] = "", ""
	}
	seen := s.jar
	own, plain := "__session_"+s.suffix(), "__session"
	if best[own] == 0 && best[plain] > 0 || best[plain] == 0 && best[own] > 0 {
		seen = maps.Clone(s.jar)
		if best[own] == 0 {
			seen[own] = ""
		} else if iss := text(parseToken(seen[plain]).claims["iss"]); iss == "" || httpScheme.ReplaceAllString(iss, "") == s.ownHost() {
			seen[plain] = ""
		}
	}
	if s.choosesSuffixed(seen) {
		s.pair = "_" + s.suffix()
	}
	s.chosen = parseToken(s.jar["__session"+s.pair])
}

// worth is 2 for a token that passes, 1 for one that a browser round can renew, and else 0.
func (c *recorded) worth(t *token) int {
	switch reason := c.verdict(t); {
	case reason == "":
		return 2
	case stageOf[reason] == dates:
		return 1
	}
	return 0
}

// arranged is what satellites, their primary domain and development browsers have to settle first.
func (s *course) arranged() (reason, target string) {
	synced, _ := s.parameter("__clerk_synced")
	here := clientUpdated(s.jar["__client_uat"+s.pair]) != 0 || s.chosen.raw != ""
	auto := s.Options.yes("satelliteAutoSync") && synced != "true" && !here
	if s.satellite() && s.navigatesAtTop() && (synced == "false" || auto) {
		return "satellite-needs-syncing", s.askPrimary()
	}
	if s.satellite() && s.navigatesAtTop() && synced != "true" && !here {
		return "session-token-and-uat-missing", ""
	}
	if target := s.toSatellite(); target != "" {
		return "primary-responds-to-syncing", target
	}
	if !s.development() {
		return "", ""
	}
	if _, n := s.parameter("__clerk_db_jwt"); n > 0 {
		return "dev-browser-sync", ""
	}
	if s.jar["__clerk_db_jwt"+s.pair] == "" {
		return "dev-browser-missing", ""
	}
	return "", ""
}

// elsewhere is why a session that is good may have changed elsewhere.
func (s *course) elsewhere() string {
	switch {
	case s.comesFromElsewhere():
		return "primary-domain-cross-origin-sync"
	case s.navigates() && s.wrongOrganization():
		return "active-organization-mismatch"
	}
	return ""
}

// healReasons are those that a browser round can change.
var healReasons = []string{
	"session-token-but-no-client-uat", "client-uat-but-no-session-token", "session-token-iat-before-client-uat",
	"session-token-ambiguous", expired, "session-token-nbf", "session-token-iat-in-the-future", missingAZP,
	"dev-browser-missing", "dev-browser-sync", "satellite-needs-syncing", "primary-responds-to-syncing",
	"primary-domain-cross-origin-sync", "active-organization-mismatch",
}

// heal is a browser round where one can help, and else signed out.
func (s *course) heal(reason string, t *token) outcome {
	if s.chosen.raw == "" {
		s.chosen = t
	}
	return s.healTo(reason, "")
}

func (s *course) healTo(reason, target string) outcome {
	base, _, _ := strings.Cut(reason, "-refresh-")
	if !slices.Contains(healReasons, base) && !s.keyRetired(reason, s.chosen) || !s.navigates() || base == missingAZP && s.cameBack || s.head() && s.answered() {
		return refusal(reason)
	}
	if s.keyless {
		return refusal("jwk-remote-failed-to-load")
	}
	if s.rounds() >= 3 && !s.wasSentOut() {
		return refusal(reason)
	}
	here, ok := s.origin()
	if !ok {
		return refusal("request-host-not-authorized")
	}
	if target == "" {
		target = s.frontendRound(reason, here)
	}
	return s.roundTrip(reason, target)
}

package conformance_test

import (
	"slices"
	"strings"
)

// Sometimes the reference has no useful decision: it threw, used another cookie, or trusted something that is not trusted
// here. A rule then expects the decision that this file computes from the case alone. TestCourseIsTheReferences checks the
// computation: where no rule applies, the result must be equal to the reference's.

// A course is the decision of one request, step by step.
type course struct {
	*recorded
	jar          map[string]string // the first of each cookie
	pair         string            // the end of their names: nothing, or the suffix
	chosen       *token            // the session cookie that counts
	reason       string            // why that one is refused
	ambiguous    bool
	foreign      bool   // the session cookies are another application's
	hidden       bool   // the reference uses another one
	unread       bool   // it was not read, because another one is usable
	expired      int    // sessions that have expired
	resolved     bool   // a handshake's result was looked at
	unsent       bool   // there is one that no redirect caused
	injected     bool   // it names another session than a good one that the browser has
	notExchanged bool   // its nonce could not be exchanged
	brought      string // its session token
	refusedAs    string // why its session token is refused
	calls        []call
}

// decision is the expected decision for the case.
func (c *recorded) decision() outcome {
	if c.refusedAtStart() {
		return outcome{Status: refused}
	}
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
		reason := s.whyRefused(t)
		if reason == "" {
			return admission(t)
		}
		if reason == expired {
			reason += s.headerObstacle()
		}
		return s.startHandshake(reason, t)
	}
	if out, ok := s.answer(); ok {
		return out
	}
	s.judgeCookies()
	reason, target := s.arranged()
	arranged := reason != ""
	if !arranged {
		reason = s.besideUAT()
	}
	switch {
	case reason != "" && s.unsent && s.redirects() >= 3 && !recovers(reason):
		return refusal("dev-browser-sync")
	case arranged || reason != "" && s.unsent && s.redirects() >= 3:
		return s.startHandshakeAt(reason, target)
	}
	return s.byCookies(reason)
}

// byCookies is the decision by the chosen session cookie.
func (s *course) byCookies(reason string) outcome {
	if reason == expired {
		obstacle, got := s.refresh()
		if got != nil {
			return *got
		}
		reason += "-refresh-" + obstacle
	}
	if reason != "" {
		return s.startHandshake(reason, s.chosen)
	}
	if s.crossOriginWrite() {
		return refusal("cross-origin-request")
	}
	if why := s.elsewhere(); why != "" {
		if away := s.startHandshake(why, s.chosen); away.Status == handshake {
			return away
		}
	}
	return admission(s.chosen)
}

// besideUAT is why the chosen cookie is refused, together with __client_uat.
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
	return s.reason
}

// arranged is what satellites, their primary domain and development browsers need first.
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

// elsewhere is why a valid session may have changed elsewhere.
func (s *course) elsewhere() string {
	switch {
	case s.comesFromElsewhere():
		return "primary-domain-cross-origin-sync"
	case s.navigates() && s.wrongOrganization():
		return "active-organization-mismatch"
	}
	return ""
}

// handshakeReasons are those that a handshake can change.
var handshakeReasons = []string{
	"session-token-but-no-client-uat", "client-uat-but-no-session-token", "session-token-iat-before-client-uat",
	"session-token-ambiguous", expired, "session-token-nbf", "session-token-iat-in-the-future", missingAZP,
	"dev-browser-missing", "dev-browser-sync", "satellite-needs-syncing", "primary-responds-to-syncing",
	"primary-domain-cross-origin-sync", "active-organization-mismatch",
}

// recovers reports a reason that a handshake can change.
func recovers(reason string) bool {
	base, _, _ := strings.Cut(reason, "-refresh-")
	return slices.Contains(handshakeReasons, base)
}

// startHandshake is a handshake if one can help, otherwise signed out.
func (s *course) startHandshake(reason string, t *token) outcome {
	if s.chosen.raw == "" {
		s.chosen = t
	}
	return s.startHandshakeAt(reason, "")
}

func (s *course) startHandshakeAt(reason, target string) outcome {
	if !recovers(reason) && !s.keyRetired(reason, s.chosen) || !s.navigates() || reason == missingAZP && s.resolved || s.head() && len(s.handshakeParameters("__clerk_handshake"))+len(s.handshakeParameters("__clerk_handshake_nonce")) > 0 {
		return refusal(reason)
	}
	if s.refusedAs == missingAZP || s.refusedAs == "jwk-remote-failed-to-load" {
		return refusal(s.refusedAs) // the next result would be no better
	}
	if s.refusedAs != "" && !recovers(s.refusedAs) && !recovers(reason) && s.wasSentOut() && !s.notExchanged {
		return refusal(reason) // nor here
	}
	here, ok := s.origin()
	if s.redirects() >= 3 && (!ok || !s.wasSentOut()) {
		if s.notExchanged {
			return refusal("handshake-unavailable")
		}
		return refusal(reason)
	}
	if !ok {
		return refusal("request-host-not-authorized")
	}
	if target == "" {
		target = s.frontendHandshake(reason, here)
	}
	return s.sendAway(reason, target)
}

package conformance_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// handshakeParameters are the values of one source of a handshake result: cookies in production, the URL in development,
// and only for documents.
func (c *recorded) handshakeParameters(name string) []string {
	if !c.navigates() {
		return nil
	}
	if !c.development() {
		return c.cookieValues(name)
	}
	var values []string
	for _, pair := range formPairs(c.query()) {
		if pair[0] == name {
			values = append(values, pair[1])
		}
	}
	return values
}

func only(values []string) string {
	if len(values) != 1 {
		return ""
	}
	return values[0]
}

var nonceForm = regexp.MustCompile(`^[A-Za-z0-9_-]{8,128}$`)

// answer is the outcome of a handshake result; false if there is none, or it is invalid.
func (s *course) answer() (outcome, bool) {
	nonce, raw := only(s.handshakeParameters("__clerk_handshake_nonce")), only(s.handshakeParameters("__clerk_handshake"))
	var directives []string
	ok := false
	if nonce == "" && raw == "" || s.head() {
		return outcome{}, false
	}
	if _, here := s.origin(); !here && s.development() {
		s.unsent = true // no browser was redirected from this host
		return outcome{}, false
	}
	s.resolved = true
	if nonce != "" {
		directives, ok = s.exchange(nonce)
	}
	if raw != "" && (nonce == "" || s.notExchanged) {
		directives, ok = s.handshakeToken(parseToken(raw))
	}
	if !ok {
		return outcome{}, false
	}
	out, ok := s.judgeDirectives(directives, s.development())
	switch {
	case ok && s.development():
		s.sendOn(&out)
	case ok && s.besideAnother(out.Token):
		s.injected = true
		return outcome{}, false
	}
	return out, ok
}

// besideAnother reports whether the cookies have a good session that is not that of the answer's token.
func (c *recorded) besideAnother(brought string) bool {
	own := c.judged()
	return brought != "" && own.besideUAT() == "" && text(own.chosen.claims["sid"]) != text(parseToken(brought).claims["sid"])
}

// sendOn redirects a development browser to its page, without the result in the URL.
func (s *course) sendOn(out *outcome) {
	here, ok := s.origin()
	if !ok {
		return
	}
	var kept []string
	for _, pair := range formPairs(s.query()) {
		if !slices.Contains([]string{"__clerk_handshake", "__clerk_handshake_nonce", "__clerk_db_jwt", "__clerk_help"}, pair[0]) {
			kept = append(kept, formSpelling(pair[0])+"="+formSpelling(pair[1]))
		}
	}
	target := here + s.path()
	if len(kept) > 0 {
		target += "?" + strings.Join(kept, "&")
	}
	out.Location = locate(target)
	out.Headers["cache-control"] = "no-store"
}

// exchange exchanges a nonce at the Backend API.
func (s *course) exchange(nonce string) ([]string, bool) {
	if s.secret() == "" || !nonceForm.MatchString(nonce) {
		return nil, false
	}
	query := url.Values{"nonce": {nonce}}
	s.calls = append(s.calls, call{
		Method: http.MethodGet, URL: s.backendAt() + "/v1/clients/handshake_payload", Query: sortedPairs(query),
		Authorization: "Bearer " + s.secret(),
	})
	status, body, ok := s.reply(http.MethodGet, "/v1/clients/handshake_payload", query)
	var said struct {
		Directives []string `json:"directives"`
	}
	refusedIt := ok && status >= http.StatusBadRequest && status < http.StatusInternalServerError && plainCode.MatchString(errorCode(body)) &&
		!slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests}, status)
	ok = ok && status == http.StatusOK && json.Unmarshal(body, &said) == nil && said.Directives != nil
	s.notExchanged = !ok && !refusedIt
	return said.Directives, ok
}

// errorCode is the code of the first error in an answer.
func errorCode(body []byte) string {
	var said struct {
		Errors []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &said) != nil || len(said.Errors) == 0 || said.Errors[0].Code == "unexpected_error" {
		return ""
	}
	return said.Errors[0].Code
}

// reply is the first answer of the recorded Backend API; false if there is none.
func (c *recorded) reply(method, path string, query url.Values) (status int, body []byte, ok bool) {
	for _, r := range c.Backend {
		if r.Method != method || r.Path != path || len(r.Responses) == 0 || !contains(query, r.Query) {
			continue
		}
		answer := r.Responses[0]
		status, body = answer.Status, answer.JSON
		if answer.Text != nil {
			body = []byte(*answer.Text)
		}
		if status == 0 {
			status = http.StatusOK
		}
		return status, body, !answer.NetworkError
	}
	return 0, nil, false
}

func contains(query url.Values, wanted map[string]string) bool {
	for name, value := range wanted {
		if query.Get(name) != value {
			return false
		}
	}
	return true
}

// handshakeToken reads a handshake token, which must be of this instance and not expired, and no session's.
func (s *course) handshakeToken(t *token) ([]string, bool) {
	iss, given := t.claims["iss"]
	_, session := t.claims["sid"]
	_, expires := t.claims["exp"]
	if s.badForm(t) == "" && !session && (!given || text(iss) != "") {
		s.refusedAs = s.badSignature(t)
	}
	if s.badForm(t) != "" || s.badSignature(t) != "" || session || given && !slices.Contains(s.issuers(), text(iss)) {
		return nil, false
	}
	if exp, whole := seconds(t.claims["exp"]); expires && (!whole || float64(s.Now) >= float64(exp)+s.skew().Seconds()) {
		return nil, false
	}
	_, starts := t.claims["nbf"]
	if nbf, whole := seconds(t.claims["nbf"]); starts && (!whole || float64(nbf) > float64(s.Now)+s.skew().Seconds()) {
		return nil, false
	}
	payload, given := t.claims["handshake"]
	if !given {
		return nil, true
	}
	return textsIn(payload)
}

func textsIn(v any) ([]string, bool) {
	list, ok := v.([]any)
	texts := make([]string, len(list))
	for i, entry := range list {
		s, isText := entry.(string)
		ok = ok && isText
		texts[i] = s
	}
	return texts, ok
}

// judgeDirectives is the result of Set-Cookie values: signed in if the last session token among them passes every check,
// and signed out if there is none.
func (s *course) judgeDirectives(directives []string, forgiving bool) (outcome, bool) {
	raw := ""
	for _, d := range directives {
		name, value, ok := directiveOf(d)
		if !ok {
			return outcome{}, false
		}
		if s.sessionName(name) {
			raw = value
		}
	}
	s.brought = raw
	t := parseToken(raw)
	if raw == "" {
		out := refusal("session-token-missing")
		out.setCookies(s.recorded, directives, true)
		return out, true
	}
	reason := s.whyRefused(t)
	if forgiving && stageOf[reason] == dates && s.forgiven(raw) {
		reason = ""
	}
	if reason != "" {
		s.refusedAs = reason
		return outcome{}, false
	}
	out := admission(t)
	out.Token = raw
	out.setCookies(s.recorded, directives, false)
	return out, true
}

// sessionIn is the value of the last session cookie among Set-Cookie values.
func (c *recorded) sessionIn(directives []string) (value string) {
	for _, d := range directives {
		if name, v, ok := directiveOf(d); ok && c.sessionName(name) {
			value = v
		}
	}
	return value
}

func (c *recorded) sessionName(name string) bool {
	return name == "__session" || name == "__session_"+c.suffix()
}

// directiveOf splits a Set-Cookie value; false if it is malformed, or not allowed in a header.
func directiveOf(d string) (name, value string, ok bool) {
	d = strings.TrimSpace(d)
	pair, _, _ := strings.Cut(d, ";")
	name, value, ok = strings.Cut(pair, "=")
	return name, strings.TrimSpace(value), ok && !strings.ContainsFunc(d, func(r rune) bool { return r < ' ' || r > '~' })
}

// setCookies filters Set-Cookie values: only Clerk's own names, no session for a whole domain, and Secure in production.
func (o *outcome) setCookies(c *recorded, directives []string, signOut bool) {
	o.Cookies = nil
	for _, d := range directives {
		name, value, _ := directiveOf(d)
		if !c.clerks(name) || signOut && value != "" && (value != "0" || !strings.HasPrefix(name, "__client_uat")) {
			continue
		}
		o.Cookies = append(o.Cookies, c.filtered(d))
	}
	if len(o.Cookies) > 0 {
		o.Headers["cache-control"] = "no-store"
	}
}

// clerks reports whether a cookie's name is one of Clerk's, plain or with the instance's suffix.
func (c *recorded) clerks(name string) bool {
	base := strings.TrimSuffix(name, "_"+c.suffix())
	return slices.Contains([]string{"__session", "__client_uat", "__refresh", "__clerk_db_jwt"}, base) ||
		name == "__clerk_handshake" || name == "__clerk_handshake_nonce"
}

// filtered is a Set-Cookie value as the browser gets it.
func (c *recorded) filtered(d string) string {
	parts := strings.Split(d, ";")
	name, value, _ := directiveOf(d)
	kept := []string{name + "=" + value}
	secure := false
	for _, attribute := range parts[1:] {
		attribute = strings.TrimSpace(attribute)
		key, _, _ := strings.Cut(attribute, "=")
		if attribute == "" || c.sessionName(name) && value != "" && strings.EqualFold(key, "Domain") {
			continue
		}
		secure = secure || strings.EqualFold(attribute, "Secure")
		kept = append(kept, attribute)
	}
	if !secure && !c.development() {
		kept = append(kept, "Secure")
	}
	return strings.Join(kept, "; ")
}

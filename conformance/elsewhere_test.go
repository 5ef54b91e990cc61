package conformance_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// A wanted organization is that of the path: the personal account, an id or a slug.
type wanted struct{ kind, value string }

// wantedOrganization matches the path with the patterns, in Clerk's order.
func (c *recorded) wantedOrganization() (wanted, bool) {
	organizations, personal := c.organizationPatterns()
	for _, pattern := range organizations {
		names, values := matchPath(pattern, c.path())
		if values == nil {
			continue
		}
		for _, name := range []string{"id", "slug"} {
			if i := slices.Index(names, name); i >= 0 && values[i] != "" {
				return wanted{name, values[i]}, true
			}
		}
		break // the first that matches is used
	}
	for _, pattern := range personal {
		if _, values := matchPath(pattern, c.path()); values != nil {
			return wanted{kind: "personal"}, true
		}
	}
	return wanted{}, false
}

func (c *recorded) organizationPatterns() (organizations, personal []string) {
	var said struct {
		OrganizationPatterns    []string `json:"organizationPatterns"`
		PersonalAccountPatterns []string `json:"personalAccountPatterns"`
	}
	if c.Options.given("organizationSyncOptions") && json.Unmarshal(c.Options["organizationSyncOptions"], &said) != nil {
		return nil, nil
	}
	return said.OrganizationPatterns, said.PersonalAccountPatterns
}

func (c *recorded) patterns() []string { return slices.Concat(c.organizationPatterns()) }

var pathParameter = regexp.MustCompile(`(/?):(\w+)(\([^()?]+\))?([+*?]?)|\(\.\*\)`)

// grouped is a parameter in braces, which is the same as one without.
var grouped = regexp.MustCompile(`\{(/:\w+)\}`)

// repeats are the expressions of a parameter that is optional or of several segments. The reference makes one text of several
// segments, with commas.
var repeats = map[string]string{"": "%s(%s)", "?": "(?:%s(%s))?", "+": "%[1]s(%[2]s(?:%[1]s%[2]s)*)", "*": "(?:%[1]s(%[2]s(?:%[1]s%[2]s)*))?"}

// matchPath matches a path with a pattern of parameters and (.*), ignoring case and a slash at the end. values is nil if it
// does not match.
func matchPath(pattern, path string) (names, values []string) {
	pattern = grouped.ReplaceAllString(pattern, "$1")
	expression, last := "(?i)^", 0
	for _, at := range pathParameter.FindAllStringSubmatchIndex(pattern, -1) {
		expression += regexp.QuoteMeta(pattern[last:at[0]])
		if at[4] < 0 {
			expression += "(.*)"
			names = append(names, "")
		} else {
			value := "[^/#?]+?"
			if at[6] >= 0 {
				value = pattern[at[6]+1 : at[7]-1]
			}
			expression += fmt.Sprintf(repeats[pattern[at[8]:at[9]]], pattern[at[2]:at[3]], value)
			names = append(names, pattern[at[4]:at[5]])
		}
		last = at[1]
	}
	compiled, err := regexp.Compile(expression + regexp.QuoteMeta(pattern[last:]) + "[/#?]?$")
	if err != nil {
		return nil, nil
	}
	found := compiled.FindStringSubmatch(path)
	if found == nil {
		return names, nil
	}
	values = found[1:]
	for i := range values {
		if names[i] != "" {
			values[i] = strings.ReplaceAll(values[i], "/", ",")
		}
	}
	return names, values
}

// wrongOrganization reports a path of another organization than the session's.
func (s *course) wrongOrganization() bool {
	who := s.chosen.identity()
	target, ok := s.wantedOrganization()
	switch {
	case !ok || who.Pending:
		return false
	case target.kind == "id":
		return who.OrgID != target.value
	case target.kind == "slug":
		return who.OrgSlug != target.value
	}
	return who.OrgID != ""
}

// crossOriginWrite reports a write that is authenticated by cookie and comes from an origin that is not the case's own.
func (c *recorded) crossOriginWrite() bool {
	if !c.upgrades() && slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, c.Request.Method) {
		return false
	}
	site, from := strings.Join(c.Request.values("Sec-Fetch-Site"), ", "), strings.Join(c.Request.values("Origin"), ", ")
	here, _ := c.origin()
	own := site == "same-origin" || site == "none" || site == "" && (from == "" || from == here)
	return !own && !slices.Contains(c.parties(), from)
}

func (c *recorded) bearerInAnyCase() bool {
	_, found := c.anyBearer()
	return found
}

// anyBearer is the token of the Authorization header, its scheme in any case.
func (c *recorded) anyBearer() (string, bool) {
	lines := c.Request.values("Authorization")
	if len(lines) != 1 || lines[0] == "" {
		return "", false
	}
	scheme, rest, found := strings.Cut(lines[0], " ")
	if !found {
		return scheme, true
	}
	word, _, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	return word, strings.EqualFold(scheme, "Bearer")
}

package clerkauth

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// OrganizationSync makes the URL choose the active organization: when somebody signed in opens a page whose path
// asks for another organization than the session's, a handshake activates that one first. The zero
// OrganizationSync is off. See https://clerk.com/docs/guides/organizations/org-slugs-in-urls.
//
// Patterns are those of path-to-regexp 6, as in Clerk's own SDKs: text, :name for a part of one segment,
// :name(regexp), (regexp) and {groups}, each with ?, * or + behind it; \ takes the next character as it stands.
// They are matched against the whole path, undecoded; neither the case of letters nor one slash at the end
// matters. New reports a pattern that is malformed, gives two parameters one name, or needs what RE2 has not:
// lookaround, back references, a parameter right behind two or more characters without a slash.
//
// It is a convenience and no defence. A path is what anybody can type, and only page loads are sent through a
// handshake: a handler that serves an organization must ask Session.Organization, never the path.
type OrganizationSync struct {
	// OrganizationPatterns have a parameter :slug or :id: "/orgs/:slug", "/orgs/:slug/(.*)". The first that
	// matches decides; with both parameters the id counts. They go before PersonalAccountPatterns.
	OrganizationPatterns []string
	// PersonalAccountPatterns are paths where no organization is active: "/me", "/me/(.*)".
	PersonalAccountPatterns []string
}

// organizationSync is an OrganizationSync that New has understood. A nil one is off.
type organizationSync struct{ organization, personal []pathPattern }

// organizationTarget is what a URL asks for.
type organizationTarget struct {
	personal bool
	id, slug string // at most one is set; none when personal
}

// Matching takes time in proportion to the product of these two, so both are kept to what is of use. A longer
// path would not fit into the handshake's own URL.
const (
	longestPath    = 8 << 10
	largestProgram = 2000 // instructions of a compiled pattern
)

// newOrganizationSync compiles the patterns and reports every bad one. It returns nil when there is none.
func newOrganizationSync(c OrganizationSync) (*organizationSync, []error) {
	if len(c.OrganizationPatterns)+len(c.PersonalAccountPatterns) == 0 {
		return nil, nil
	}
	var problems []error
	compile := func(field string, entries []string) []pathPattern {
		var patterns []pathPattern
		for i, entry := range entries {
			p, err := compilePath(entry)
			if err != nil {
				problems = append(problems, fmt.Errorf("OrganizationSync.%s[%d]: %q %w", field, i, entry, err))
				continue
			}
			patterns = append(patterns, p)
		}
		return patterns
	}
	o := &organizationSync{
		organization: compile("OrganizationPatterns", c.OrganizationPatterns),
		personal:     compile("PersonalAccountPatterns", c.PersonalAccountPatterns),
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return o, nil
}

// target is what path, as the client sent it, asks for; false: nothing. Browsers send ASCII only, and that is
// what patterns are written for.
func (o *organizationSync) target(path string) (organizationTarget, bool) {
	if o == nil || len(path) > longestPath || strings.ContainsFunc(path, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return organizationTarget{}, false
	}
	for _, p := range o.organization {
		match := p.expression.FindStringSubmatch(path)
		if match == nil {
			continue
		}
		if id := p.value(match, "id"); id != "" {
			return organizationTarget{id: id}, true
		}
		if slug := p.value(match, "slug"); slug != "" {
			return organizationTarget{slug: slug}, true
		}
		break
	}
	if slices.ContainsFunc(o.personal, func(p pathPattern) bool { return p.expression.MatchString(path) }) {
		return organizationTarget{personal: true}, true
	}
	return organizationTarget{}, false
}

// active reports whether org, the session's, already is what t asks for. Slugs are compared as they stand.
func (t organizationTarget) active(org Organization) bool {
	switch {
	case t.personal:
		return org.ID == ""
	case t.id != "":
		return t.id == org.ID
	}
	return t.slug == org.Slug
}

// parameter is the value of organization_id in the handshake's URL, which takes slugs too. Empty, but there, it
// asks for the personal account.
func (t organizationTarget) parameter() string { return cmp.Or(t.id, t.slug) }

// pathPattern is a compiled pattern. Of the parameters only id and slug are captured.
type pathPattern struct {
	expression *regexp.Regexp
	joints     map[string]string // what stands between the values of a repeated parameter
}

// value is what the parameter captured. The values of a repeated one have commas between them, which no
// organization's slug or id has.
func (p pathPattern) value(match []string, name string) string {
	i := p.expression.SubexpIndex(name)
	if i < 0 {
		return ""
	}
	if joint := p.joints[name]; joint != "" {
		return strings.ReplaceAll(match[i], joint, ",")
	}
	return match[i]
}

// delimiters end a segment.
const delimiters = "/#?"

// compilePath turns a path-to-regexp pattern into a regular expression of the same meaning.
func compilePath(pattern string) (pathPattern, error) {
	if !utf8.ValidString(pattern) {
		return pathPattern{}, errors.New("is not UTF-8; write other characters as in a URL, percent-encoded")
	}
	c := pathCompiler{rest: pattern, joints: make(map[string]string)}
	for c.rest != "" {
		if err := c.next(); err != nil {
			return pathPattern{}, err
		}
	}
	source := "(?i)^" + c.expression.String() + "[" + delimiters + "]?$"
	parsed, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return pathPattern{}, fmt.Errorf("is no regular expression for RE2: %w; write a simpler one", err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return pathPattern{}, fmt.Errorf("does not compile: %w; write a simpler one", err)
	}
	if n := len(program.Inst); n > largestProgram {
		return pathPattern{}, fmt.Errorf("compiles to %d steps, more than %d; write smaller {counts}, or * or + instead", n, largestProgram)
	}
	expression, err := regexp.Compile(source)
	if err != nil {
		return pathPattern{}, fmt.Errorf("does not compile: %w; write a simpler one", err)
	}
	return pathPattern{expression, c.joints}, nil
}

// pathCompiler reads a pattern from left to right and writes the regular expression.
type pathCompiler struct {
	rest       string // not read yet
	expression strings.Builder
	text       string // read since the last part, or since the beginning
	parts      int
	names      []string
	joints     map[string]string
}

// part is a parameter or a group, with the text that comes and goes with it.
type part struct{ prefix, name, expression, suffix, modifier string }

func (c *pathCompiler) next() error {
	switch c.rest[0] {
	case '{':
		return c.group()
	case ':', '(':
		return c.parameter("")
	case '/', '.':
		// These belong to the parameter behind them: they are optional, or repeated, with it.
		if len(c.rest) > 1 && (c.rest[1] == ':' || c.rest[1] == '(') {
			prefix := c.rest[:1]
			c.rest = c.rest[1:]
			return c.parameter(prefix)
		}
	}
	text, err := c.literal()
	if err != nil {
		return err
	}
	if text == "" {
		return fmt.Errorf(`has a %[1]q where none can be; write \%[1]s for the character itself`, c.rest[:1])
	}
	c.text += text
	c.expression.WriteString(regexp.QuoteMeta(text))
	return nil
}

func (c *pathCompiler) parameter(prefix string) error {
	p := part{prefix: prefix}
	if err := c.body(&p); err != nil {
		return err
	}
	return c.write(p)
}

func (c *pathCompiler) group() error {
	c.rest = c.rest[1:]
	var p part
	var err error
	if p.prefix, err = c.literals(); err != nil {
		return err
	}
	if err = c.body(&p); err != nil {
		return err
	}
	if p.suffix, err = c.literals(); err != nil {
		return err
	}
	if !strings.HasPrefix(c.rest, "}") {
		return errors.New("has a { without its }; write {text:name(regexp)text} with at most one parameter, or \\{ for the character itself")
	}
	c.rest = c.rest[1:]
	return c.write(p)
}

// literals reads the text that is next, which may be empty.
func (c *pathCompiler) literals() (string, error) {
	var text strings.Builder
	for {
		s, err := c.literal()
		if err != nil || s == "" {
			return text.String(), err
		}
		text.WriteString(s)
	}
}

// literal reads one character of text. It is empty when something else is next.
func (c *pathCompiler) literal() (string, error) {
	rest := c.rest
	if rest == "" || strings.ContainsRune(":(){}?*+", rune(rest[0])) && rest[0] != ')' {
		return "", nil
	}
	if rest[0] == '\\' {
		if rest = rest[1:]; rest == "" {
			return "", errors.New(`ends in a \; write \\ for the character itself`)
		}
	}
	_, size := utf8.DecodeRuneInString(rest)
	c.rest = rest[size:]
	return rest[:size], nil
}

// body reads the :name and the (regexp) of a part. Both may be missing.
func (c *pathCompiler) body(p *part) error {
	var err error
	if p.name, err = c.name(); err != nil {
		return err
	}
	if p.expression, err = c.custom(); err != nil {
		return err
	}
	if p.name != "" && p.expression == "" {
		p.expression, err = c.segment(cmp.Or(p.prefix, c.text))
	}
	return err
}

func (c *pathCompiler) name() (string, error) {
	if !strings.HasPrefix(c.rest, ":") {
		return "", nil
	}
	after := c.rest[1:]
	rest := strings.TrimLeft(after, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
	name := after[:len(after)-len(rest)]
	if name == "" {
		return "", errors.New(`has a : without a name; write letters, digits or _ behind it, or \: for the character itself`)
	}
	if slices.Contains(c.names, name) {
		return "", fmt.Errorf("has two parameters :%s; give one of them another name", name)
	}
	c.names = append(c.names, name)
	c.rest = rest
	return name, nil
}

// segment is the expression of a parameter that has none of its own: it ends with its segment, and does not
// contain the text before it.
func (c *pathCompiler) segment(before string) (string, error) {
	switch {
	case before == "" && c.parts > 0:
		return "", errors.New("has a parameter right behind another; write text between them, or give the second a (regexp)")
	case before == "" || strings.ContainsAny(before, delimiters):
		return "[^" + delimiters + "]+?", nil
	}
	r, size := utf8.DecodeRuneInString(before)
	if size < len(before) {
		return "", fmt.Errorf("has a parameter right behind %q, which RE2 cannot keep out of it; end that text with a slash or cut it to one character, or give the parameter a (regexp)", before)
	}
	return fmt.Sprintf(`[^%s\x{%X}]+?`, delimiters, r), nil
}

// custom reads a (regexp). It is empty when something else is next.
func (c *pathCompiler) custom() (string, error) {
	if !strings.HasPrefix(c.rest, "(") {
		return "", nil
	}
	depth, end := 1, 1
	for ; depth > 0 && end < len(c.rest); end++ {
		switch c.rest[end] {
		case '\\':
			end++
		case '(':
			if !strings.HasPrefix(c.rest[end:], "(?:") {
				return "", errors.New("has a group inside a (regexp) that is not of the form (?:…); write it so, without captures or lookaround")
			}
			depth++
		case ')':
			depth--
		}
	}
	if depth > 0 {
		return "", errors.New(`has a ( without its ); close it, or write \( for the character itself`)
	}
	expression := c.rest[1 : end-1]
	c.rest = c.rest[end:]
	if expression == "" {
		return "", errors.New(`has an empty (); write a regular expression into it, or \(\) for the characters themselves`)
	}
	return expression, checkDialect(expression)
}

// checkDialect refuses what Go cannot read in an expression, and what it would read otherwise than JavaScript.
func checkDialect(expression string) error {
	if _, err := syntax.Parse(expression, syntax.Perl); err != nil {
		return fmt.Errorf("has a (regexp) that RE2 cannot read: %w; write one without it", err)
	}
	class := false
	for i := 0; i < len(expression); i++ {
		rest := expression[i:]
		switch {
		case rest[0] == '\\':
			i++
			if c := rest[1]; (c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9') && !strings.ContainsRune("dDwWsSbB", rune(c)) {
				return fmt.Errorf(`has %q in a (regexp), which Go and JavaScript read differently; of such escapes use \d, \w, \s and \b only`, rest[:2])
			}
		case class && strings.HasPrefix(rest, "[:"), !class && (strings.HasPrefix(rest, "[]") || strings.HasPrefix(rest, "[^]")):
			return errors.New(`has a class in a (regexp) that Go and JavaScript read differently; write \[ and \] for the characters in it`)
		case rest[0] == '[':
			class = true
		case rest[0] == ']':
			class = false
		}
	}
	return nil
}

// write ends a part: it reads its modifier and writes its expression.
func (c *pathCompiler) write(p part) error {
	if c.rest != "" && strings.ContainsRune("?*+", rune(c.rest[0])) {
		p.modifier, c.rest = c.rest[:1], c.rest[1:]
	}
	c.parts++
	c.text = ""
	open := "(?:"
	if p.name == "id" || p.name == "slug" {
		open = "(?P<" + p.name + ">"
	}
	prefix, suffix := regexp.QuoteMeta(p.prefix), regexp.QuoteMeta(p.suffix)
	if p.expression == "" || p.modifier == "" || p.modifier == "?" {
		fmt.Fprintf(&c.expression, "(?:%s%s%s)%s)%s", prefix, open, p.expression, suffix, p.modifier)
		return nil
	}
	joint := p.suffix + p.prefix
	if joint == "" {
		return fmt.Errorf("has %q behind a parameter with no text of its own to repeat; write {/:name}%[1]s, or put the repetition into the (regexp)", p.modifier)
	}
	return nil
}

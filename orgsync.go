package clerkauth

import (
	"cmp"
	"errors"
	"fmt"
	"math"
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
	c := pathCompiler{rest: pattern, joints: make(map[string]string)}
	for c.rest != "" {
		c.next()
	}
	if c.err != nil {
		return pathPattern{}, c.err
	}
	source := "(?i)^" + c.source.String() + "[" + delimiters + "]?$"
	expression, err := regexp.Compile(source)
	if err != nil {
		return pathPattern{}, fmt.Errorf("does not compile: %w; write a simpler one", err)
	}
	if n := instructions(source); n > largestProgram {
		return pathPattern{}, fmt.Errorf("compiles to %d instructions, more than %d; write smaller {counts}, or * or + instead", n, largestProgram)
	}
	return pathPattern{expression, c.joints}, nil
}

// instructions is what each character of a path may cost, counted the way regexp compiles an expression.
func instructions(source string) int {
	parsed, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return math.MaxInt
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return math.MaxInt
	}
	return len(program.Inst)
}

// pathCompiler reads a pattern from left to right and writes the regular expression.
type pathCompiler struct {
	rest   string // not read yet
	err    error  // the first mistake, after which there is nothing more to read
	source strings.Builder
	text   string // read since the last part, or since the beginning
	parts  int
	names  []string
	joints map[string]string
}

// part is a parameter or a group, with the text that comes and goes with it.
type part struct{ prefix, name, expression, suffix, modifier string }

func (c *pathCompiler) fail(format string, args ...any) {
	c.err = cmp.Or(c.err, fmt.Errorf(format, args...))
	c.rest = ""
}

// take reads what is next if it is one of the bytes in set.
func (c *pathCompiler) take(set string) (taken string) {
	if c.rest != "" && strings.IndexByte(set, c.rest[0]) >= 0 {
		taken, c.rest = c.rest[:1], c.rest[1:]
	}
	return taken
}

func (c *pathCompiler) next() {
	switch {
	case c.take("{") != "":
		p := c.body(c.texts())
		p.suffix = c.texts()
		if c.take("}") == "" {
			c.fail(`has a { without its }; write {text:name(regexp)text} with at most one parameter, or \{ for the character itself`)
		}
		c.write(p)
	case c.rest[0] == ':' || c.rest[0] == '(':
		c.write(c.body(""))
	case len(c.rest) > 1 && strings.ContainsAny(c.rest[:1], "/.") && strings.ContainsAny(c.rest[1:2], ":("):
		// A slash or dot belongs to the parameter behind it: it is optional, or repeated, with it.
		c.write(c.body(c.take("/.")))
	default:
		text := c.character()
		if text == "" && c.err == nil {
			c.fail(`has a %[1]q where none can be; write \%[1]s for the character itself`, c.rest[:1])
		}
		c.text += text
		c.source.WriteString(regexp.QuoteMeta(text))
	}
}

// texts reads the text that is next, which may be empty.
func (c *pathCompiler) texts() string {
	var text strings.Builder
	for s := c.character(); s != ""; s = c.character() {
		text.WriteString(s)
	}
	return text.String()
}

// character reads one character of text. It is empty when something else is next.
func (c *pathCompiler) character() string {
	if c.take(`\`) != "" {
		if c.rest == "" {
			c.fail(`ends in a \; write \\ for the character itself`)
		}
	} else if c.rest != "" && strings.ContainsAny(c.rest[:1], ":({}?*+") {
		return ""
	}
	_, size := utf8.DecodeRuneInString(c.rest)
	text := c.rest[:size]
	c.rest = c.rest[size:]
	return text
}

// body reads the :name and the (regexp) of a part. Both may be missing.
func (c *pathCompiler) body(prefix string) part {
	p := part{prefix: prefix, name: c.name(), expression: c.custom()}
	if p.name != "" && p.expression == "" {
		p.expression = c.segment(cmp.Or(prefix, c.text))
	}
	return p
}

func (c *pathCompiler) name() string {
	if c.take(":") == "" {
		return ""
	}
	rest := strings.TrimLeft(c.rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
	name := c.rest[:len(c.rest)-len(rest)]
	c.rest = rest
	switch {
	case name == "":
		c.fail(`has a : without a name; write letters, digits or _ behind it, or \: for the character itself`)
	case slices.Contains(c.names, name):
		c.fail("has two parameters :%s; give one of them another name", name)
	}
	c.names = append(c.names, name)
	return name
}

// segment is the expression of a parameter that has none of its own: it ends with its segment, and does not
// contain the text before it.
func (c *pathCompiler) segment(before string) string {
	switch {
	case before == "" && c.parts > 0:
		c.fail("has a parameter right behind another part; write text between them, or give it a (regexp)")
	case before == "" || strings.ContainsAny(before, delimiters):
		return "[^" + delimiters + "]+?"
	}
	r, size := utf8.DecodeRuneInString(before)
	if size < len(before) {
		c.fail("has a parameter right behind %q, which RE2 cannot keep out of it; end that text with a slash or cut it to one character, or give the parameter a (regexp)", before)
	}
	return fmt.Sprintf(`[^%s\x{%X}]+?`, delimiters, r)
}

// custom reads a (regexp). It is empty when something else is next.
func (c *pathCompiler) custom() string {
	if c.take("(") == "" {
		return ""
	}
	depth, end := 1, 0
	for ; depth > 0 && end < len(c.rest); end++ {
		switch c.rest[end] {
		case '\\':
			end++
		case '(':
			depth++
			if !strings.HasPrefix(c.rest[end:], "(?:") {
				c.fail("has a group inside a (regexp) that is not of the form (?:…); write it so, without captures or lookaround")
			}
		case ')':
			depth--
		}
	}
	if depth > 0 {
		c.fail(`has a ( without its ); close it, or write \( for the character itself`)
		return ""
	}
	expression := c.rest[:end-1]
	c.rest = c.rest[end:]
	if expression == "" {
		c.fail(`has an empty (); write a regular expression into it, or \(\) for the characters themselves`)
	} else if err := checkDialect(expression); err != nil {
		c.fail("has a (regexp) that %w", err)
	}
	return expression
}

// checkDialect refuses what Go cannot read in an expression, and what it would read otherwise than JavaScript.
func checkDialect(expression string) error {
	if _, err := syntax.Parse(expression, syntax.Perl); err != nil {
		return fmt.Errorf("RE2 cannot read: %w; write one without it", err)
	}
	class := false
	for i := 0; i < len(expression); i++ {
		rest := expression[i:]
		switch {
		case rest[0] == '\\':
			i++
			if c := rest[1]; (c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9') && !strings.ContainsRune("dDwWsSbB", rune(c)) {
				return fmt.Errorf(`has a %q, which Go and JavaScript read differently; of such escapes use \d, \w, \s and \b only`, rest[:2])
			}
		case class && strings.HasPrefix(rest, "[:"), !class && (strings.HasPrefix(rest, "[]") || strings.HasPrefix(rest, "[^]")):
			return errors.New(`has a class that Go and JavaScript read differently; write \[ and \] for the characters in it`)
		case rest[0] == '[':
			class = true
		case rest[0] == ']':
			class = false
		}
	}
	return nil
}

// write ends a part: it reads its modifier and writes its expression.
func (c *pathCompiler) write(p part) {
	p.modifier = c.take("?*+")
	c.parts++
	c.text = ""
	open := "(?:"
	if p.name == "id" || p.name == "slug" {
		open = "(?P<" + p.name + ">"
	}
	prefix, suffix := regexp.QuoteMeta(p.prefix), regexp.QuoteMeta(p.suffix)
	if p.expression == "" || p.modifier == "" || p.modifier == "?" {
		fmt.Fprintf(&c.source, "(?:%s%s%s)%s)%s", prefix, open, p.expression, suffix, p.modifier)
		return
	}
	joint := p.prefix + p.suffix
	if joint == "" {
		c.fail("has %q behind a parameter with no text of its own to repeat; write {/:name}%[1]s, or put the repetition into the (regexp)", p.modifier)
	}
	c.joints[p.name] = joint
	fmt.Fprintf(&c.source, "(?:%s%s(?:%s)(?:%s%s(?:%s))*)%s)", prefix, open, p.expression, suffix, prefix, p.expression, suffix)
	if p.modifier == "*" {
		c.source.WriteByte('?')
	}
}

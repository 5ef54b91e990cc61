package orgpath

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

// Matching takes time proportional to the product of these two, so both are limited to useful values. A longer path would
// not fit into the handshake's own URL.
const (
	longestPath    = 8 << 10
	largestProgram = 2000 // instructions of a compiled pattern
)

// pattern is a compiled pattern. Only the parameters id and slug are captured.
type pattern struct {
	text       string
	expression *regexp.Regexp
	joints     map[string]string // the separators between the values of a repeated parameter
}

// value is the value of a captured parameter. The values of a repeated one are separated by commas, which no organization's
// slug or id contains.
func (p pattern) value(match []string, name string) string {
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

// compile translates a path-to-regexp pattern into an equivalent regular expression.
func compile(text string) (pattern, error) {
	c := compiler{rest: text, joints: make(map[string]string)}
	for c.rest != "" {
		c.next()
	}
	if c.err != nil {
		return pattern{}, c.err
	}
	source := "(?i)^" + c.source.String() + "[" + delimiters + "]?$"
	expression, err := regexp.Compile(source)
	if err != nil {
		return pattern{}, fmt.Errorf("does not compile: %w; write a simpler one", err)
	}
	if n := instructions(source); n > largestProgram {
		return pattern{}, fmt.Errorf("compiles to %d instructions, more than %d; write smaller {counts}, or * or + instead", n, largestProgram)
	}
	return pattern{text, expression, c.joints}, nil
}

// rooted reports whether a pattern may match a path, which begins with a slash.
func (p pattern) rooted() bool { return p.text == "" || strings.ContainsAny(p.text[:1], `/\{(:`) }

// chooses reports whether an organization can be read from a path that a pattern matches.
func (p pattern) chooses() bool {
	return p.expression.SubexpIndex("id") >= 0 || p.expression.SubexpIndex("slug") >= 0
}

// instructions is the cost of a character of a path, counted as regexp compiles an expression.
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

// compiler reads a pattern from left to right and writes the regular expression.
type compiler struct {
	rest   string // not read yet
	err    error  // the first mistake; the rest is then not read
	source strings.Builder
	text   string // read since the last part, or since the beginning
	parts  int
	names  []string
	joints map[string]string
}

// part is a parameter or a group, with the text that is optional or repeated with it.
type part struct{ prefix, name, expression, suffix, modifier string }

func (c *compiler) fail(format string, args ...any) {
	c.err = cmp.Or(c.err, fmt.Errorf(format, args...))
	c.rest = ""
}

// take reads the next byte if it is in set.
func (c *compiler) take(set string) (taken string) {
	if c.rest != "" && strings.IndexByte(set, c.rest[0]) >= 0 {
		taken, c.rest = c.rest[:1], c.rest[1:]
	}
	return taken
}

func (c *compiler) next() {
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
		// A slash or dot in front of a parameter belongs to it: it is optional, or repeated, with it.
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

// texts reads the text that is next; it may be empty.
func (c *compiler) texts() string {
	var text strings.Builder
	for s := c.character(); s != ""; s = c.character() {
		text.WriteString(s)
	}
	return text.String()
}

// character reads one character of text. It is empty if something else is next.
func (c *compiler) character() string {
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
func (c *compiler) body(prefix string) part {
	p := part{prefix: prefix, name: c.name(), expression: c.custom()}
	if p.name != "" && p.expression == "" {
		p.expression = c.segment(cmp.Or(prefix, c.text))
	}
	return p
}

func (c *compiler) name() string {
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

// segment is the expression of a parameter without its own: it ends with its segment, and does not contain the text before
// it.
func (c *compiler) segment(before string) string {
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

// custom reads a (regexp). It is empty if something else is next.
func (c *compiler) custom() string {
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

// checkDialect refuses expressions that Go does not support, or reads differently from JavaScript.
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
func (c *compiler) write(p part) {
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

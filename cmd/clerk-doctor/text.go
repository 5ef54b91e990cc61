package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// paint has the escape sequences; the zero paint writes plain text.
type paint struct{ status map[status]string }

var colours = paint{status: map[status]string{
	ok:      "\x1b[32m",
	warn:    "\x1b[33m",
	fail:    "\x1b[1;31m",
	unknown: "\x1b[35m",
	skipped: "\x1b[2m",
}}

const (
	dim   = "\x1b[2m"
	bold  = "\x1b[1m"
	reset = "\x1b[0m"
)

func (p paint) in(escape, text string) string {
	if p.status == nil {
		return text
	}
	return escape + text + reset
}

const (
	usualWidth    = 80
	narrowest     = 40
	widest        = 100
	margin        = "      "
	deeper        = "        "
	manyPerGroup  = 2 // names of one group that are listed
	fewCommands   = 4 // that are shown without -v
	statusColumns = 5
)

// page writes text at most width columns wide, unless a word is longer.
type page struct {
	strings.Builder

	width   int
	verbose bool
	paint   paint
}

// readable adds to a punycode name its spelling in its own script.
func readable(name string) string {
	if shown, err := idna.Display.ToUnicode(name); err == nil && shown != name {
		return shown + " (" + name + ")"
	}
	return name
}

// newPage is as wide as the terminal, within limits.
func newPage(env environment, verbose bool) page {
	p := page{width: usualWidth, verbose: verbose}
	if env.width > 0 {
		p.width = min(max(env.width, narrowest), widest)
	}
	if env.colour {
		p.paint = colours
	}
	return p
}

// writeText writes the problems first, then one line for what is fine and one for what was not requested.
func writeText(w io.Writer, r report, p page) error {
	title := "clerk-doctor " + readable(r.Domain)
	if r.Typed != "" {
		title += ", the domain of " + r.Typed
	}
	p.block("", "", title, bold)
	var fine, absent []finding
	for _, f := range r.Findings {
		switch f.Status {
		case ok:
			fine = append(fine, f)
		case skipped:
			absent = append(absent, f)
		case fail, unknown, warn:
			p.WriteByte('\n')
			p.finding(f)
		}
	}
	if p.verbose {
		for _, f := range fine {
			p.WriteByte('\n')
			p.finding(f)
		}
	}
	p.WriteByte('\n')
	if !p.verbose && len(fine) > 0 {
		p.line(ok, "ok", tally(fine))
	}
	if len(absent) > 0 {
		p.line(skipped, "-", strings.Join(reasons(absent), "; "))
	}
	p.block("", "", summary(r.Findings), "")
	_, err := io.WriteString(w, p.String())
	return err
}

func (p *page) line(s status, word, text string) {
	head := fmt.Sprintf("%-*s ", statusColumns, word)
	p.block(p.paint.in(p.paint.status[s], head), margin, text, "")
}

// finding writes a title, what is known about each name, what to do and, if it is not fine, how to see it.
func (p *page) finding(f finding) {
	p.line(f.Status, map[status]string{fail: "FAIL", unknown: "?", warn: "warn", ok: "ok"}[f.Status], f.Title+" ("+f.Code+")")
	for _, said := range together(f.Items) {
		p.block(margin, deeper, said, "")
	}
	if len(f.Affects) > 0 {
		p.block(margin, deeper, "affects: "+groups(f.Affects), "")
	}
	for i, step := range f.Fix {
		head := margin + "fix: "
		if i > 0 {
			head = margin + "     "
		}
		p.block(head, margin+"       ", step, "")
	}
	if f.Status == warn && !p.verbose {
		return
	}
	for i, command := range f.See {
		if i == fewCommands && !p.verbose {
			p.block(margin, margin, fmt.Sprintf("(-v shows %d more)", len(f.See)-i), dim)
			break
		}
		p.command(command)
	}
}

// together writes each text once, with all its names.
func together(items []item) []string {
	var says []string
	names := map[string][]string{}
	for _, it := range items {
		if _, seen := names[it.Says]; !seen {
			says = append(says, it.Says)
		}
		names[it.Says] = append(names[it.Says], it.Name)
	}
	for i, s := range says {
		of := strings.Join(names[s], ", ")
		if s != "" {
			of += ": " + s
		}
		says[i] = of
	}
	return says
}

// groups lists the affected checks, or counts them if they are many.
func groups(affected []effect) string {
	var order []string
	names := map[string][]string{}
	for _, e := range affected {
		if _, seen := names[e.Group]; !seen {
			order = append(order, e.Group)
		}
		names[e.Group] = append(names[e.Group], e.Name)
	}
	for i, g := range order {
		if of := names[g]; len(of) > manyPerGroup {
			order[i] = fmt.Sprintf("%s (%d)", g, len(of))
		} else {
			order[i] = g + " (" + strings.Join(of, ", ") + ")"
		}
	}
	return strings.Join(order, ", ")
}

// tally counts, by group, what is fine.
func tally(fine []finding) string {
	var order []string
	count := map[string]int{}
	for _, f := range fine {
		if count[f.Group] == 0 {
			order = append(order, f.Group)
		}
		count[f.Group] += len(f.Items)
	}
	for i, g := range order {
		order[i] = fmt.Sprintf("%s %d", g, count[g])
	}
	return strings.Join(order, ", ") + " (-v lists them)"
}

// reasons say what was not checked: usually because it was not given.
func reasons(fs []finding) []string {
	var absent, why []string
	for _, f := range fs {
		for _, it := range f.Items {
			if f.Code == catalogue[recordsImpossible].id {
				why = append(why, "no records of "+it.Name+": "+it.Says)
			} else {
				absent = append(absent, it.Name)
			}
		}
	}
	if len(absent) > 0 {
		why = append([]string{"not given: " + strings.Join(absent, ", ")}, why...)
	}
	return why
}

func summary(fs []finding) string {
	count := map[status]int{}
	for _, f := range fs {
		n := 1 // a problem is one finding, however many names it has
		if f.Status == ok {
			n = len(f.Items)
		}
		count[f.Status] += n
	}
	parts := []string{fmt.Sprintf("%d ok", count[ok])}
	for _, s := range []struct {
		status status
		words  string
	}{{fail, "to fix"}, {unknown, "not known"}, {warn, "to look at"}} {
		if n := count[s.status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s.words))
		}
	}
	return strings.Join(slices.Concat(parts[1:], parts[:1]), ", ") + "."
}

// block writes text after head, and further lines after indent, with line breaks between words only.
func (p *page) block(head, indent, text, escape string) {
	column := visible(head)
	var lines []string
	line := ""
	for _, word := range wholeWords(text, `"`) {
		if line != "" && column+visible(line)+1+visible(word) > p.width {
			lines, line, column = append(lines, line), "", visible(indent)
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	for i, l := range append(lines, line) {
		if i == 0 {
			p.WriteString(head)
		} else {
			p.WriteString(indent)
		}
		p.WriteString(p.paint.in(escape, l) + "\n")
	}
}

// command writes a shell command, continued with a backslash if it is too long. Quoted strings are not broken.
func (p *page) command(text string) {
	line := margin + "$ "
	empty := true
	for _, word := range wholeWords(text, `"'`) {
		if !empty && visible(line)+1+visible(word)+2 > p.width {
			p.WriteString(p.paint.in(dim, line+" \\") + "\n")
			line, empty = margin+"    ", true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	p.WriteString(p.paint.in(dim, line) + "\n")
}

// wholeWords splits at spaces outside quotes.
func wholeWords(s, quotes string) []string {
	quoted := rune(0)
	return strings.FieldsFunc(s, func(r rune) bool {
		switch {
		case quoted == 0 && strings.ContainsRune(quotes, r):
			quoted = r
		case r == quoted:
			quoted = 0
		}
		return quoted == 0 && r == ' '
	})
}

// visible is how many columns s takes, without escape sequences.
func visible(s string) int {
	n := 0
	for s != "" {
		if strings.HasPrefix(s, "\x1b[") {
			if end := strings.IndexByte(s, 'm'); end > 0 {
				s = s[end+1:]
				continue
			}
		}
		_, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		n++
	}
	return n
}

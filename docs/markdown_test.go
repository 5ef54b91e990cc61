// Package docs_test checks what the documentation says: code compiles, links lead somewhere, commands were run.
package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository, seen from here.
const root = ".."

// block is a fenced block of a page.
type block struct {
	language string
	note     string // the comment on the line above it, without <!-- -->; empty: none
	text     string
	line     int // of the fence
}

// page is a Markdown file.
type page struct {
	path    string // from the root, with slashes
	blocks  []block
	anchors map[string]bool
	prose   []string // the lines that are in no block, and "" for those within
}

var (
	fence   = regexp.MustCompile("^( *)```(\\S*)$")
	note    = regexp.MustCompile(`^ *<!-- (.*) -->$`)
	heading = regexp.MustCompile(`^#{1,6} +(.+?) *#*$`)
	anchor  = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
)

func readPage(t *testing.T, path string) page {
	t.Helper()
	p := parsePage(read(t, path))
	p.path = path
	return p
}

func parsePage(text string) page {
	p := page{anchors: map[string]bool{}}
	var open *block
	above := ""
	for i, line := range strings.Split(text, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case open != nil && m != nil && m[2] == "":
			p.blocks = append(p.blocks, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		case m != nil:
			open = &block{language: m[2], line: i + 1}
			if n := note.FindStringSubmatch(above); n != nil {
				open.note = n[1]
			}
		default:
			p.readProse(line)
			p.prose = append(p.prose, line)
			above = line
			continue
		}
		p.prose = append(p.prose, "")
		above = ""
	}
	if open != nil {
		p.blocks = append(p.blocks, block{language: "not closed", line: open.line})
	}
	return p
}

func (p *page) readProse(line string) {
	for _, m := range anchor.FindAllStringSubmatch(line, -1) {
		p.anchors[m[1]] = true
	}
	m := heading.FindStringSubmatch(line)
	if m == nil {
		return
	}
	id, n := slug(m[1]), 0
	for p.anchors[id] {
		n++
		id = slug(m[1]) + "-" + string(rune('0'+n))
	}
	p.anchors[id] = true
}

// slug is the anchor that GitHub gives to a heading.
func slug(title string) string {
	title = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(title, "$1")
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 0x7f && r != '…' && r != '—' && r != '→':
			b.WriteRune(r)
		}
	}
	return b.String()
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// files are the paths below the root that end in one of the suffixes, without what was installed or is hidden.
func files(t *testing.T, suffixes ...string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "node_modules" || name == "testdata" || strings.HasPrefix(name, ".") && name != root {
				return filepath.SkipDir
			}
			return nil
		}
		for _, suffix := range suffixes {
			if strings.HasSuffix(path, suffix) {
				rel, err := filepath.Rel(root, path)
				found = append(found, filepath.ToSlash(rel))
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// guides are the pages whose blocks are checked: the README and everything in docs.
func guides(t *testing.T) []page {
	t.Helper()
	var pages []page
	for _, path := range files(t, ".md") {
		if path == "README.md" || filepath.ToSlash(filepath.Dir(path)) == "docs" {
			pages = append(pages, readPage(t, path))
		}
	}
	if len(pages) < 3 {
		t.Fatalf("%d pages were found, want the README and those in docs", len(pages))
	}
	return pages
}

func TestParsePage(t *testing.T) {
	p := parsePage("# A `b-c` title\n\n<!-- why -->\n```sh\ngo version\n# no heading\n```\n\n## A `b-c` title\n[x](y.md)\n```go\n")
	switch {
	case len(p.blocks) != 2 || p.blocks[0] != (block{"sh", "why", "go version\n# no heading\n", 4}):
		t.Errorf("got the blocks %+v, want two, the first of sh with the note why, from line 4", p.blocks)
	case p.blocks[1].language != "not closed":
		t.Errorf("a block that is not closed: got %+v, want the language not closed", p.blocks[1])
	case len(p.anchors) != 2 || !p.anchors["a-b-c-title"] || !p.anchors["a-b-c-title-1"]:
		t.Errorf("got the anchors %v, want a-b-c-title and a-b-c-title-1", p.anchors)
	}
}

// Every block has a language, or nothing would check it.
func TestBlocksHaveALanguage(t *testing.T) {
	known := map[string]bool{"go": true, "sh": true, "console": true, "text": true, "html": true, "js": true, "json": true, "ts": true, "yaml": true, "nginx": true, "caddy": true, "haproxy": true, "http": true, "mermaid": true}
	for _, p := range guides(t) {
		for _, b := range p.blocks {
			if !known[b.language] {
				t.Errorf("%s:%d: got a block of language %q, want one of %v", p.path, b.line, b.language, known)
			}
		}
		for i, line := range p.prose {
			if strings.HasPrefix(line, "    ") && strings.TrimSpace(line) != "" && (i == 0 || p.prose[i-1] == "") {
				t.Errorf("%s:%d: an indented block, which nothing checks; fence it: %q", p.path, i+1, line)
			}
		}
	}
}

// A page of docs has a section about where to go next, and contents if it is longer than two screens.
func TestPagesHaveContentsAndAnEnd(t *testing.T) {
	for _, p := range guides(t) {
		if p.path == "README.md" || p.path == "docs/README.md" {
			continue
		}
		if !p.anchors["where-to-go-next"] {
			t.Errorf("%s does not say where to go next", p.path)
		}
		head := strings.Join(p.prose[:min(len(p.prose), 60)], "\n")
		if contents := strings.Count(head, "](#"); len(p.prose) > 120 && contents < 4 {
			t.Errorf("%s has %d lines, and %d links to its own sections at the top, want at least 4", p.path, len(p.prose), contents)
		}
	}
}

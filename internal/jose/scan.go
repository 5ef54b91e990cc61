package jose

import "strings"

// The grammar of JSON (RFC 8259), in one pass. Every function gets the index where something should begin, and returns the
// index after it, or bad if it is not there completely.

const (
	bad      = -1
	maxDepth = 512 // levels of objects and arrays: every level takes stack, and no claim has many
)

// skipValue skips a value that is nested in depth objects and arrays.
func skipValue(text string, i, depth int) int {
	if i == len(text) {
		return bad
	}
	switch text[i] {
	case '"':
		return skipString(text, i)
	case '{':
		return walkObject(text, i, depth, nil)
	case '[':
		return walkArray(text, i, depth, nil)
	case 't':
		return skipWord(text, i, "true")
	case 'f':
		return skipWord(text, i, "false")
	case 'n':
		return skipWord(text, i, "null")
	}
	return skipNumber(text, i)
}

// walkObject skips an object and passes its names, still quoted, and values to each, unless each is nil.
func walkObject(text string, i, depth int, each func(name, raw string)) int {
	if depth == maxDepth {
		return bad
	}
	i, more := opened(text, i, '}')
	for more && i != bad {
		begin := i
		if i = skipString(text, i); i == bad {
			return bad
		}
		name := text[begin:i]
		if i = skipSpace(text, i); !at(text, i, ':') {
			return bad
		}
		i = skipSpace(text, i+1)
		begin = i
		if i = skipValue(text, i, depth+1); i == bad {
			return bad
		}
		if each != nil {
			each(name, text[begin:i])
		}
		i, more = separated(text, i, '}')
	}
	return i
}

// walkArray skips an array and passes its elements to each, unless each is nil.
func walkArray(text string, i, depth int, each func(raw string)) int {
	if depth == maxDepth {
		return bad
	}
	i, more := opened(text, i, ']')
	for more && i != bad {
		begin := i
		if i = skipValue(text, i, depth+1); i == bad {
			return bad
		}
		if each != nil {
			each(text[begin:i])
		}
		i, more = separated(text, i, ']')
	}
	return i
}

// opened is the index of the first element after an opening bracket, or after the closing one if there is none.
func opened(text string, i int, closing byte) (next int, more bool) {
	if i = skipSpace(text, i+1); at(text, i, closing) {
		return i + 1, false
	}
	return i, true
}

// separated is the index of the next element after a comma, or after the closing bracket if there is none.
func separated(text string, i int, closing byte) (next int, more bool) {
	switch i = skipSpace(text, i); {
	case at(text, i, closing):
		return i + 1, false
	case at(text, i, ','):
		return skipSpace(text, i+1), true
	}
	return bad, false
}

func skipString(text string, i int) int {
	if !at(text, i, '"') {
		return bad
	}
	for i++; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return i + 1
		case c < ' ':
			return bad
		case c == '\\':
			if i = skipEscape(text, i+1); i == bad {
				return bad
			}
		}
	}
	return bad
}

// skipEscape returns the index of an escape's last character, given the index after the backslash.
func skipEscape(text string, i int) int {
	switch {
	case i == len(text) || strings.IndexByte(`"\/bfnrtu`, text[i]) < 0:
		return bad
	case text[i] != 'u':
		return i
	case len(text)-i <= 4 || strings.Trim(text[i+1:i+5], "0123456789abcdefABCDEF") != "":
		return bad
	}
	return i + 4
}

func skipNumber(text string, i int) int {
	if at(text, i, '-') {
		i++
	}
	if at(text, i, '0') {
		i++
	} else if i = skipDigits(text, i); i == bad {
		return bad
	}
	if at(text, i, '.') {
		if i = skipDigits(text, i+1); i == bad {
			return bad
		}
	}
	if at(text, i, 'e') || at(text, i, 'E') {
		if i++; at(text, i, '+') || at(text, i, '-') {
			i++
		}
		return skipDigits(text, i)
	}
	return i
}

// skipDigits skips one digit or more.
func skipDigits(text string, i int) int {
	begin := i
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	if i == begin {
		return bad
	}
	return i
}

func skipWord(text string, i int, word string) int {
	if !strings.HasPrefix(text[i:], word) {
		return bad
	}
	return i + len(word)
}

func skipSpace(text string, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n') {
		i++
	}
	return i
}

func at(text string, i int, c byte) bool { return i < len(text) && text[i] == c }

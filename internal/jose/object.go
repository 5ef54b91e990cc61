package jose

import (
	"encoding/json"
	"errors"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Why a JSON text is refused.
var (
	ErrSyntax    = errors.New("not one JSON object")
	ErrDuplicate = errors.New("a name occurs twice")
)

// Member is one name and value of an object. Raw is the value's JSON text, without white space around it.
type Member struct{ Name, Raw string }

// Object returns the members of the JSON object in document, in order. Names are compared exactly, as RFC 7519
// section 4 wants and encoding/json does not: "AZP" is not "azp". A name that occurs twice is refused,
// because readers disagree about which of the two counts. Objects inside are left as they are.
func Object(document []byte) ([]Member, error) {
	if !json.Valid(document) {
		return nil, ErrSyntax
	}
	text := strings.Trim(string(document), space)
	if text[0] != '{' {
		return nil, ErrSyntax
	}
	members := make([]Member, 0, strings.Count(text, `":`))
	for name, raw := range object(text) {
		members = append(members, Member{Name: name, Raw: raw})
	}
	if doubled(members) {
		return nil, ErrDuplicate
	}
	return members, nil
}

// few is up to where comparing every pair is cheaper than a map.
const few = 24

func doubled(members []Member) bool {
	if len(members) <= few {
		for i, m := range members {
			if slices.ContainsFunc(members[:i], func(n Member) bool { return n.Name == m.Name }) {
				return true
			}
		}
		return false
	}
	seen := make(map[string]struct{}, len(members))
	for _, m := range members {
		seen[m.Name] = struct{}{}
	}
	return len(seen) < len(members)
}

// Array returns the JSON texts of the elements of the array in raw, a value that Object returned.
func Array(raw string) ([]string, bool) {
	if raw == "" || raw[0] != '[' {
		return nil, false
	}
	elements := []string{}
	for rest := strings.TrimLeft(raw[1:], space); rest[0] != ']'; {
		end := valueEnd(rest)
		elements = append(elements, rest[:end])
		rest = strings.TrimLeft(rest[end:], space)
		if rest[0] == ',' {
			rest = strings.TrimLeft(rest[1:], space)
		}
	}
	return elements, true
}

// String decodes a JSON string. Invalid UTF-8 and lone surrogates become U+FFFD, as in encoding/json.
func String(raw string) (string, bool) {
	if raw == "" || raw[0] != '"' {
		return "", false
	}
	inner := raw[1 : len(raw)-1]
	if strings.IndexByte(inner, '\\') < 0 && utf8.ValidString(inner) {
		return inner, true
	}
	var s string
	err := json.Unmarshal([]byte(raw), &s)
	return s, err == nil
}

// Integer decodes a JSON number that is a whole one, however it is spelled (60, 60.0, 6e1), within ±2^53.
func Integer(raw string) (int64, bool) {
	if n, err := strconv.ParseInt(raw, 10, 64); err == nil {
		return n, n >= -1<<53 && n <= 1<<53
	}
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

const space = " \t\r\n"

// object walks a text that json.Valid accepted: every index below is in range because of that.
func object(text string) iter.Seq2[string, string] {
	return func(yield func(name, raw string) bool) {
		for rest := strings.TrimLeft(text[1:], space); rest[0] != '}'; {
			end := stringEnd(rest)
			name, _ := String(rest[:end])
			rest = strings.TrimLeft(rest[end:], space)
			rest = strings.TrimLeft(rest[1:], space) // the colon
			end = valueEnd(rest)
			if !yield(name, rest[:end]) {
				return
			}
			rest = strings.TrimLeft(rest[end:], space)
			if rest[0] == ',' {
				rest = strings.TrimLeft(rest[1:], space)
			}
		}
	}
}

// valueEnd is the index after the value that text begins with.
func valueEnd(text string) int {
	switch text[0] {
	case '"':
		return stringEnd(text)
	case '{', '[':
		return nestedEnd(text)
	default:
		if i := strings.IndexAny(text, ",]} \t\r\n"); i >= 0 {
			return i
		}
		return len(text)
	}
}

func nestedEnd(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += stringEnd(text[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

func stringEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

package jose

import (
	"encoding/json"
	"errors"
	"hash/maphash"
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

// Object returns the members of the JSON object in text, in order. Names are compared exactly, as RFC 7519 section 4
// requires and encoding/json does not: "AZP" is not "azp". A name that occurs twice is refused, because parsers disagree
// about which of the two counts. Nested objects are not parsed.
func Object(text string) ([]Member, error) {
	begin := skipSpace(text, 0)
	if !at(text, begin, '{') {
		return nil, ErrSyntax
	}
	members := make([]Member, 0, min(strings.Count(text, `":`), len(text)/shortestMember)+1)
	end := walkObject(text, begin, 0, func(name, raw string) {
		name, _ = String(name)
		members = append(members, Member{Name: name, Raw: raw})
	})
	if end == bad || skipSpace(text, end) != len(text) {
		return nil, ErrSyntax
	}
	if doubled(members) {
		return nil, ErrDuplicate
	}
	return members, nil
}

// shortestMember is the length of a member such as "a":1 and its comma, in bytes. It yields an estimate of the number of
// members that fits what issuers write, and is never much too high for what a stranger sends.
const shortestMember = 6

// few is the number up to which comparing every pair is cheapest.
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
	seed, hashes := maphash.MakeSeed(), make([]uint64, len(members))
	for i, m := range members {
		hashes[i] = maphash.String(seed, m.Name)
	}
	slices.Sort(hashes)
	if len(slices.Compact(hashes)) == len(members) {
		return false // a quarter of the memory of a map, which would be too much for a stranger's token
	}
	seen := make(map[string]struct{}, len(members))
	for _, m := range members {
		seen[m.Name] = struct{}{}
	}
	return len(seen) < len(members)
}

// Array returns the JSON texts of the elements of the array in raw, without white space around them.
func Array(raw string) ([]string, bool) {
	if !at(raw, 0, '[') {
		return nil, false
	}
	elements := []string{}
	if walkArray(raw, 0, 0, func(element string) { elements = append(elements, element) }) != len(raw) {
		return nil, false
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

// Integer decodes a JSON number that is an integer, in any spelling (60, 60.0, 6e1), within ±2^53.
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

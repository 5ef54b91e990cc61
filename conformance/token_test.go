package conformance_test

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // names a cookie, protects nothing
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
)

// A token is what can be read of a JWT without believing it: what rules ask.
type token struct {
	raw        string
	segments   []string
	head       map[string]any // nil if the header is not a JSON object
	claims     map[string]any // nil if the payload is not a JSON object
	doubled    bool           // a name stands twice in the header or the payload
	marked     bool           // a byte-order mark stands before the payload
	headerKind string         // JSON kind of the header: object, array, null, other, "" (not JSON)
	claimsKind string
}

func parseToken(raw string) *token {
	if t, ok := parsedTokens.Load(raw); ok {
		return t.(*token)
	}
	t := newToken(raw)
	parsedTokens.Store(raw, t)
	return t
}

// parsedTokens has the tokens by their text, because many rules read each. They must not be changed.
var parsedTokens sync.Map

func newToken(raw string) *token {
	t := &token{raw: raw, segments: strings.Split(raw, ".")}
	if len(t.segments) != 3 {
		return t
	}
	var a, b bool
	t.head, t.headerKind, a = parseObject(t.segments[0])
	t.claims, t.claimsKind, b = parseObject(t.segments[1])
	t.doubled = a || b
	payload, _ := base64.RawURLEncoding.DecodeString(t.segments[1])
	t.marked = bytes.HasPrefix(payload, byteOrderMark)
	return t
}

// complete reports whether both parts are JSON objects.
func (t *token) complete() bool { return t.head != nil && t.claims != nil }

// padded reports base64 padding, which JWS forbids.
func (t *token) padded() bool { return strings.Contains(t.raw, "=") }

var byteOrderMark = []byte("\ufeff")

func parseObject(segment string) (object map[string]any, kind string, doubled bool) {
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(segment, "="))
	if err != nil {
		return nil, "", false
	}
	text = bytes.TrimPrefix(text, byteOrderMark)
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, "", false
	}
	switch v := v.(type) {
	case map[string]any:
		return v, "object", twice(text)
	case []any:
		return nil, "array", false
	case nil:
		return nil, "null", false
	default:
		return nil, "other", false
	}
}

// twice reports a name that stands twice in the outermost object.
func twice(text []byte) bool {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	seen := map[string]bool{}
	depth, name := 0, true
	for {
		part, err := d.Token()
		if errors.Is(err, io.EOF) || err != nil {
			return false
		}
		delim, structural := part.(json.Delim)
		switch {
		case structural && (delim == '{' || delim == '['):
			depth++
			continue
		case structural:
			if depth--; depth != 1 {
				continue
			}
		case depth == 1 && name:
			key, _ := part.(string)
			if seen[key] {
				return true
			}
			seen[key] = true
			name = false
			continue
		case depth != 1:
			continue
		}
		name = true // the value of an outermost name has ended
	}
}

// bearer is the token of the Authorization header, and whether there is one
// in the reference's eyes: a lone word, or what follows "Bearer ".
func (c *recorded) bearer() (string, bool) {
	line := strings.Join(c.Request.values("Authorization"), ", ")
	if line == "" {
		return "", false
	}
	scheme, rest, found := strings.Cut(line, " ")
	if !found {
		return scheme, true
	}
	if scheme != "Bearer" {
		return "", false
	}
	word, _, _ := strings.Cut(rest, " ")
	return word, true
}

// suffix is what follows the underscore in the names of the instance's own cookies.
func (c *recorded) suffix() string {
	public := c.public()
	sum := sha1.Sum([]byte(public)) //nolint:gosec // names a cookie, protects nothing
	return base64.URLEncoding.EncodeToString(sum[:])[:8]
}

package jose_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"path"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/jose"
	"github.com/clerkauth/clerkauth/internal/vectors"
)

// FuzzObject compares Object with encoding/json: they accept and refuse the same texts, except for duplicates and deep
// nesting, where Object is stricter, and read the same members.
func FuzzObject(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `[]`, `null`, ` {"a" : [1, {"b":"]"}] , "c":"\"" } `, `{"a":1,"A":2}`, `{"a":1,"a":2}`, `{"\u0061":1,"a":2}`,
		`{"n":-1.5e+3,"s":"\ud800"}`, "{\"\xff\":\"\xfe\"}", `{"":{"":{"":[]}}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "[")+strings.Count(text, "{") > deepest {
			t.Skip("perhaps nested too deep")
		}
		agree(t, text)
	})
}

func agree(t *testing.T, text string) {
	t.Helper()
	members, err := object(text)
	names, double, parsed := readNames(text)
	switch {
	case !parsed:
		if !errors.Is(err, jose.ErrSyntax) {
			t.Fatalf("Object(%q): got %v, want %v: encoding/json does not take it for an object", text, err, jose.ErrSyntax)
		}
		return
	case double:
		if !errors.Is(err, jose.ErrDuplicate) {
			t.Fatalf("Object(%q): got %v, want %v", text, err, jose.ErrDuplicate)
		}
		return
	case err != nil || len(members) != len(names):
		t.Fatalf("Object(%q) = %d members, %v, want %d", text, len(members), err, len(names))
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		t.Fatalf("encoding/json disagrees with itself about %q: %v", text, err)
	}
	for i, m := range members {
		if m.Name != names[i] || m.Raw != string(values[m.Name]) {
			t.Errorf("Object(%q)[%d] = %q, want %q with %q", text, i, m, names[i], values[m.Name])
		}
		agreeOnValue(t, m.Raw)
	}
}

// readNames reads the names of an object with encoding/json, one token at a time.
func readNames(text string) (names []string, double, ok bool) {
	if !json.Valid([]byte(text)) {
		return nil, false, false
	}
	d := json.NewDecoder(strings.NewReader(text))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil, false, false
	}
	seen := map[string]bool{}
	for d.More() {
		name, _ := d.Token()
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, false, false
		}
		s, _ := name.(string)
		double = double || seen[s]
		seen[s] = true
		names = append(names, s)
	}
	return names, double, true
}

func agreeOnValue(t *testing.T, raw string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber()
	var want any
	if err := d.Decode(&want); err != nil {
		t.Fatalf("value %q is no JSON: %v", raw, err)
	}
	s, isString := jose.String(raw)
	if w, ok := want.(string); ok != isString || s != w {
		t.Errorf("String(%q) = %q, %v, want %q, %v", raw, s, isString, w, ok)
	}
	elements, isArray := jose.Array(raw)
	list, ok := want.([]any)
	if ok != isArray || len(elements) != len(list) {
		t.Errorf("Array(%q) = %d elements, %v, want %d, %v", raw, len(elements), isArray, len(list), ok)
	}
	for _, e := range elements {
		agreeOnValue(t, e)
	}
	number, isNumber := want.(json.Number)
	if n, ok := jose.Integer(raw); ok {
		if f, err := number.Float64(); !isNumber || err != nil || f != float64(n) {
			t.Errorf("Integer(%q) = %d, want %v", raw, n, want)
		}
	}
}

// Every text of JSONTestSuite, as the whole document and as a value in one.
func TestJSONTestSuite(t *testing.T) {
	taken, refused := 0, 0
	for file, text := range vectors.Files(t, "jsontestsuite") {
		agree(t, string(text))
		wrapped := `{"x":` + string(text) + "}"
		agree(t, wrapped)
		_, err := object(wrapped)
		switch name := path.Base(file); {
		case strings.HasPrefix(name, "y_"), strings.HasPrefix(file, "test_transform/"):
			taken++
			if err != nil {
				t.Errorf("%s: got %v, want it taken", name, err)
			}
		case strings.HasPrefix(name, "n_"):
			refused++
			if err == nil {
				t.Errorf("%s: %.60q was taken, want an error", name, bytes.TrimSpace(text))
			}
		}
	}
	if taken != 95+22 || refused != 188 {
		t.Errorf("%d to take and %d to refuse, want 117 and 188", taken, refused)
	}
}

package jose_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/jose"
)

func object(text string) ([]jose.Member, error) { return jose.Object(text) }

func TestObjectKeepsOrderNamesAndTexts(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []jose.Member
	}{
		{"empty", `{}`, nil},
		{"empty with white space", " \t\r\n{ \t\r\n} \t\r\n", nil},
		{"one", `{"a":1}`, []jose.Member{{"a", "1"}}},
		{"order", `{"b":1,"a":2}`, []jose.Member{{"b", "1"}, {"a", "2"}}},
		{"white space around everything", " { \"a\" \n:\t1 \r,\n \"b\" : [ 1 , 2 ] } ", []jose.Member{{"a", "1"}, {"b", "[ 1 , 2 ]"}}},
		{"every kind", `{"s":"x","n":-1.5e3,"t":true,"f":false,"z":null,"o":{"a":1},"l":[1,2]}`, []jose.Member{
			{"s", `"x"`}, {"n", "-1.5e3"}, {"t", "true"}, {"f", "false"}, {"z", "null"}, {"o", `{"a":1}`}, {"l", "[1,2]"},
		}},
		{"empty name", `{"":1}`, []jose.Member{{"", "1"}}},
		{"escaped name", `{"a\u007ap":1}`, []jose.Member{{"azp", "1"}}},
		{"quotes and brackets in strings", `{"a\"b":"}],{[:\"\\","c":["]","}"],"d":{"}":"{"}}`, []jose.Member{
			{`a"b`, `"}],{[:\"\\"`}, {"c", `["]","}"]`}, {"d", `{"}":"{"}`},
		}},
		{"backslashes before a quote", `{"a":"\\","b":"\\\\","c":"\\\""}`, []jose.Member{{"a", `"\\"`}, {"b", `"\\\\"`}, {"c", `"\\\""`}}},
		{"case tells names apart", `{"azp":1,"AZP":2,"Azp":3}`, []jose.Member{{"azp", "1"}, {"AZP", "2"}, {"Azp", "3"}}},
		{"folding tells names apart", "{\"sub\":1,\"\u017fub\":2,\"k\":3,\"\u212a\":4}", []jose.Member{{"sub", "1"}, {"\u017fub", "2"}, {"k", "3"}, {"\u212a", "4"}}},
		{"normal forms tell names apart", "{\"\u00e9\":1,\"e\u0301\":2}", []jose.Member{{"\u00e9", "1"}, {"e\u0301", "2"}}},
		{"duplicates inside are left alone", `{"o":{"a":1,"a":2}}`, []jose.Member{{"o", `{"a":1,"a":2}`}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := object(c.text)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("Object(%s) = %q, %v, want %q", c.text, got, err, c.want)
			}
		})
	}
}

// deepest is the largest allowed nesting of objects and arrays.
const deepest = 512

// nested is that many nested objects or arrays, with what is inside.
func nested(n int, kind string, inside ...string) string {
	if kind == "{}" {
		return strings.Repeat(`{"a":`, n-1) + "{}" + strings.Repeat("}", n-1)
	}
	return `{"a":` + strings.Repeat("[", n-1) + strings.Join(inside, ",") + strings.Repeat("]", n-1) + "}"
}

func TestObjectTakesWhatIsNested(t *testing.T) {
	for name, text := range map[string]string{
		"objects": nested(deepest, "{}"), "arrays": nested(deepest, "[]"), "arrays with numbers": nested(deepest, "[]", "1"),
	} {
		if _, err := object(text); err != nil {
			t.Errorf("%d %s: %v", deepest, name, err)
		}
	}
}

func TestObjectRefusesOtherTexts(t *testing.T) {
	for _, text := range []string{
		"", " ", "null", "true", "1", `"x"`, "[]", `[{"a":1}]`, "{", "}", "{}{}", "{} {}", "{}x", "x{}", "{}\x00", "\ufeff{}", "\v{}", "\u00a0{}",
		`{"a"}`, `{"a":}`, `{"a":1,}`, `{,"a":1}`, `{"a":1 "b":2}`, `{"a" 1}`, `{a:1}`, `{'a':1}`, `{1:1}`, `{"a":1;}`, `{"a":01}`, `{"a":+1}`,
		`{"a":.5}`, `{"a":1.}`, `{"a":1e}`, `{"a":0x1}`, `{"a":NaN}`, `{"a":Infinity}`, `{"a":undefined}`, `{"a":True}`, `{"a":"x}`, `{"a":'x'}`,
		"{\"a\":\"\n\"}", "{\"a\":\"\x00\"}", "{\"a\":\"\x1f\"}", `{"a":"\x41"}`, `{"a":"\v"}`, `{"a":"\u12"}`, `{"a":"\u000g"}`, `{"a":[1,]}`, `{"a":[1 2]}`, `{"a":{]}}`, `{"a":1}/**/`, "{\"a\":1}//",
		"{\x00\"a\":1}", strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000),
		nested(deepest+1, "{}"), nested(deepest+1, "[]"), nested(deepest, "[]", "[]"),
	} {
		if got, err := object(text); !errors.Is(err, jose.ErrSyntax) {
			t.Errorf("Object(%.40q) = %.60q, %v, want %v", text, got, err, jose.ErrSyntax)
		}
	}
}

func TestObjectRefusesANameThatOccursTwice(t *testing.T) {
	for _, text := range []string{
		`{"a":1,"a":1}`, `{"a":1,"b":2,"a":3}`, `{"":1,"":2}`, `{"azp":1,"\u0061zp":2}`, `{"a\/b":1,"a/b":2}`, `{"a":{"b":1},"a":{}}`,
		"{\"\xff\":1,\"\xfe\":2}", `{"\ud800":1,"\udfff":2}`, // names that decode to the same replacement
	} {
		if got, err := object(text); !errors.Is(err, jose.ErrDuplicate) {
			t.Errorf("Object(%s) = %q, %v, want %v", text, got, err, jose.ErrDuplicate)
		}
	}
}

// Up to some number of names every pair is compared, and above it they are collected: both find the same.
func TestObjectRefusesDuplicatesAmongAnyNumberOfNames(t *testing.T) {
	for _, n := range []int{1, 2, 23, 24, 25, 26, 300} {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf(`"n%d":%d`, i, i)
		}
		text := strings.Join(names, ",")
		if got, err := object("{" + text + "}"); err != nil || len(got) != n {
			t.Errorf("%d names: got %d, %v, want all", n, len(got), err)
		}
		for _, i := range []int{0, n / 2, n - 1} {
			if _, err := object(fmt.Sprintf(`{%s,"n%d":0}`, text, i)); !errors.Is(err, jose.ErrDuplicate) {
				t.Errorf("%d names and number %d again: got %v, want %v", n, i, err, jose.ErrDuplicate)
			}
		}
	}
}

func TestArray(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want []string
		ok   bool
	}{
		{`[]`, []string{}, true},
		{`[ ]`, []string{}, true},
		{`[1]`, []string{"1"}, true},
		{"[ 1 ,\n\"a,]\" , [2,[3]] , {\"x\":[4]} ,null]", []string{"1", `"a,]"`, "[2,[3]]", `{"x":[4]}`, "null"}, true},
		{`{}`, nil, false},
		{`"[]"`, nil, false},
		{`null`, nil, false},
		{`1`, nil, false},
		{``, nil, false},
		{`[`, nil, false},
		{`[1`, nil, false},
		{`[1,]`, nil, false},
		{`[1]x`, nil, false},
		{`[1] `, nil, false},
	} {
		if got, ok := jose.Array(c.raw); ok != c.ok || !slices.Equal(got, c.want) {
			t.Errorf("Array(%s) = %q, %v, want %q, %v", c.raw, got, ok, c.want, c.ok)
		}
	}
}

func TestString(t *testing.T) {
	for _, c := range []struct {
		raw, want string
		ok        bool
	}{
		{`""`, "", true},
		{`"user_1"`, "user_1", true},
		{`"\u0061\n\"\\\/"`, "a\n\"\\/", true},
		{`"\ud83d\ude00"`, "\U0001f600", true},
		{`"\ud83d"`, "\ufffd", true},
		{"\"\xff\"", "\ufffd", true},
		{"\"\u00e9\"", "\u00e9", true},
		{`null`, "", false},
		{`5`, "", false},
		{`true`, "", false},
		{`["a"]`, "", false},
		{`{"a":"b"}`, "", false},
		{``, "", false},
	} {
		if got, ok := jose.String(c.raw); ok != c.ok || got != c.want {
			t.Errorf("String(%s) = %q, %v, want %q, %v", c.raw, got, ok, c.want, c.ok)
		}
	}
}

func TestInteger(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want int64
		ok   bool
	}{
		{"0", 0, true},
		{"-0", 0, true},
		{"60", 60, true},
		{"-60", -60, true},
		{"60.0", 60, true},
		{"6e1", 60, true},
		{"600e-1", 60, true},
		{"9007199254740992", 1 << 53, true},
		{"-9007199254740992", -1 << 53, true},
		{"9007199254740993", 0, false},
		{"-9007199254740993", 0, false},
		{"9.007199254740994e15", 0, false},
		{"-9.007199254740994e15", 0, false},
		{"99999999999999999999", 0, false},
		{"1e400", 0, false},
		{"60.5", 0, false},
		{"-0.5", 0, false},
		{"1e-1", 0, false},
		{`"60"`, 0, false},
		{"null", 0, false},
		{"true", 0, false},
		{"[60]", 0, false},
		{"{}", 0, false},
		{"", 0, false},
	} {
		if got, ok := jose.Integer(c.raw); ok != c.ok || ok && got != c.want {
			t.Errorf("Integer(%s) = %d, %v, want %d, %v", c.raw, got, ok, c.want, c.ok)
		}
	}
}

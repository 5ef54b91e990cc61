package jose_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/jose"
)

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func TestSplitDecodesTheThreeParts(t *testing.T) {
	for _, c := range []struct{ name, header, payload, signature string }{
		{"ordinary", `{"alg":"RS256"}`, `{"sub":"x"}`, "\x00\xff\xfe signature"},
		{"no payload", `{}`, "", "s"},
		{"no signature", `{}`, `{}`, ""},
		{"neither", `{}`, "", ""},
		{"no JSON", "a", "b", "c"},
		{"every digit", "\x00\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f\x41\x14\x93\x51\x55\x97\x61\x96\x9b\x71\xd7\x9f", "\x82\x18\xa3\x92\x59\xa7\xa2\x9a\xab\xb2\xdb\xaf\xc3\x1c\xb3\xd3\x5d\xb7\xe3\x9e\xbb\xf3\xdf\xbf", "x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			input := encode(c.header) + "." + encode(c.payload)
			got, ok := jose.Split(input + "." + encode(c.signature))
			if !ok {
				t.Fatal("Split refuses it, want its parts")
			}
			if got.SigningInput != input {
				t.Errorf("signing input: got %q, want %q", got.SigningInput, input)
			}
			if got.Header != c.header || got.Payload != c.payload || string(got.Signature) != c.signature {
				t.Errorf("got %q, %q, %q, want %q, %q, %q", got.Header, got.Payload, got.Signature, c.header, c.payload, c.signature)
			}
		})
	}
}

func TestSplitRefusesOtherForms(t *testing.T) {
	for _, c := range []struct{ name, token string }{
		{"empty", ""},
		{"one part", "e30"},
		{"two parts", "e30.e30"},
		{"four parts", "e30.e30.e30.e30"},
		{"five parts, as of an encrypted token", "e30.e30.e30.e30.e30"},
		{"only dots", ".."},
		{"many dots", strings.Repeat(".", 1000)},
		{"no header", ".e30.e30"},
		{"dot before", ".e30.e30.e30"},
		{"dot after", "e30.e30.e30."},
		{"padded header", "e30=.e30.e30"},
		{"padded payload", "e30.e30=.e30"},
		{"padded signature", "e30.e30.e30="},
		{"one digit left over in the header", "e30e3.e30.e30"},
		{"one digit left over in the payload", "e30.e.e30"},
		{"one digit left over in the signature", "e30.e30.e"},
		{"spare bits in the header", "e31.e30.e30"},
		{"spare bits in the payload", "e30.e31.e30"},
		{"spare bits in the signature", "e30.e30.e31"},
		{"four spare bits", "e30.e30.eR"},
		{"line feed in the header", "e\n30.e30.e30"},
		{"line feed in the payload", "e30.e\n30.e30"},
		{"line feed in the signature", "e30.e30.e\n30"},
		{"carriage return in the header", "e3\r0.e30.e30"},
		{"carriage return in the payload", "e30.e3\r0.e30"},
		{"carriage return in the signature", "e30.e30.e3\r0"},
		{"line break at the end", "e30.e30.e30\r\n"},
		{"space before", " e30.e30.e30"},
		{"space after", "e30.e30.e30 "},
		{"standard alphabet, plus", "e30.e30.++++"},
		{"standard alphabet, slash", "e30.e30.////"},
		{"NUL", "e30.e30.e30\x00"},
		{"beyond ASCII", "e30.e30.é30"},
		{"invalid UTF-8", "e30.e30.\xff30"},
		{"percent-encoded", "e30%2Ee30%2Ee30"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := jose.Split(c.token); ok {
				t.Errorf("Split(%q) = %q, want it refused", c.token, got)
			}
		})
	}
}

// A token of dots alone made older parsers of JWTs split it into as many parts, before they looked at any.
func TestSplitRefusesDotsWithoutAllocating(t *testing.T) {
	dots := strings.Repeat(".", 1<<20)
	if n := testing.AllocsPerRun(10, func() { jose.Split(dots) }); n != 0 {
		t.Errorf("a megabyte of dots: %v allocations, want 0", n)
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"", "..", "e30.e30.e30", "e31.e30.e30", "e30..", "e30.e30.e30.e30", "e30.e\r30.e30", "e30.e30=.e30", "A.B.C"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		got, ok := jose.Split(token)
		parts := strings.Split(token, ".")
		want := len(parts) == 3 && parts[0] != ""
		decoded := make([][]byte, len(parts))
		for i, p := range parts {
			var err error
			decoded[i], err = base64.RawURLEncoding.DecodeString(p)
			want = want && err == nil && base64.RawURLEncoding.EncodeToString(decoded[i]) == p
		}
		if ok != want {
			t.Fatalf("Split(%q): got %v, want %v", token, ok, want)
		}
		if ok && (got.Header != string(decoded[0]) || got.Payload != string(decoded[1]) || !bytes.Equal(got.Signature, decoded[2])) {
			t.Errorf("Split(%q) = %q, want %q", token, got, decoded)
		}
	})
}

package clerkauth

import (
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
)

// What holds a secret, a token or a cookie says something else of itself, whoever asks: fmt under every verb, log/slog,
// encoding/json and what else knows encoding.TextMarshaler. Where fmt asks no method, it cannot: in an unexported field of
// another struct, and under %w and %p, which go vet finds.

// String names the fields that are set, and shows none of them.
func (c Config) String() string {
	var set []string
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() {
			set = append(set, f.Name)
		}
	}
	return "clerkauth.Config{" + strings.Join(set, ", ") + "}"
}

// Format writes String, under every verb.
func (c Config) Format(f fmt.State, _ rune) { write(f, c.String()) }

// MarshalText is String.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// LogValue is String.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// String is the Status. It keeps the token, the claims and the cookies out of messages.
func (s RequestState) String() string { return s.Status.String() }

// Format writes String, under every verb.
func (s RequestState) Format(f fmt.State, _ rune) { write(f, s.String()) }

// MarshalText is String.
func (s RequestState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue is String.
func (s RequestState) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Format writes the name of the type, under every verb.
func (a Authenticator) Format(f fmt.State, _ rune) { write(f, "clerkauth.Authenticator") }

func write(f fmt.State, text string) { _, _ = io.WriteString(f, text) } // fmt's own buffer takes it all

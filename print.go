package clerkauth

import (
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
)

// Values that contain a secret, a token or a cookie print something else instead: with fmt under every verb, log/slog,
// encoding/json, and whatever uses encoding.TextMarshaler. fmt calls no method for an unexported field of another struct,
// nor under %w and %p, which go vet reports.

// String names the fields that are set, without their values.
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

// String is the Status. The token, the claims and the cookies stay out of messages.
func (s RequestState) String() string { return s.Status.String() }

// Format writes String, under every verb.
func (s RequestState) Format(f fmt.State, _ rune) { write(f, s.String()) }

// MarshalText is String.
func (s RequestState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue is String.
func (s RequestState) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Format writes the name of the type, under every verb.
func (a Authenticator) Format(f fmt.State, _ rune) { write(f, "clerkauth.Authenticator") }

func write(f fmt.State, text string) { _, _ = io.WriteString(f, text) } // into fmt's own buffer, which takes everything

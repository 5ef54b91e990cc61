package conformance_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// differences lists where got differs from want, one per line.
func differences(got, want outcome) []string {
	var lines []string
	check := func(what string, got, want any) {
		if !reflect.DeepEqual(got, want) {
			lines = append(lines, fmt.Sprintf("%s: got %s, want %s", what, show(got), show(want)))
		}
	}
	check("status", got.Status, want.Status)
	check("reason", got.Reason, want.Reason)
	if want.Status == refused || got.Status == refused {
		return lines
	}
	check("location", got.Location, want.Location)
	check("cookies", slices.Clip(append([]string{}, got.Cookies...)), slices.Clip(append([]string{}, want.Cookies...)))
	for _, name := range slices.Sorted(maps.Keys(union(got.Headers, want.Headers))) {
		check("header "+name, got.Headers[name], want.Headers[name])
	}
	check("pending", got.Pending, want.Pending)
	check("new token", got.Token, want.Token)
	if got.Auth != nil && want.Auth != nil {
		lines = append(lines, strangers(*got.Auth, *want.Auth)...)
	} else {
		check("identity", got.Auth, want.Auth)
	}
	check("calls", comparable(got.Calls), comparable(want.Calls))
	return lines
}

// strangers lists where two identities differ.
func strangers(got, want identity) []string {
	var lines []string
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		a, b := g.Field(i).Interface(), w.Field(i).Interface()
		if !reflect.DeepEqual(a, b) && show(a) != show(b) {
			lines = append(lines, fmt.Sprintf("identity %s: got %s, want %s", g.Type().Field(i).Name, show(a), show(b)))
		}
	}
	return lines
}

func union(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// comparable are calls in a comparable form: bodies as text, without the host among the request headers, which the
// recording omits, and without the cookie that sendOut adds.
func comparable(calls []call) []string {
	texts := []string{}
	for _, c := range calls {
		if body, ok := c.Body.(map[string]any); ok {
			if headers, ok := body["request_headers"].(map[string]any); ok {
				headers = maps.Clone(headers)
				delete(headers, "host")
				if lines, ok := headers["cookie"].([]any); ok && len(lines) == 1 {
					own, _, _ := strings.Cut(fmt.Sprint(lines[0]), "; clerkauth_handshake="+sentOut)
					headers["cookie"] = []any{own}
				}
				body = maps.Clone(body)
				body["request_headers"] = headers
				c.Body = body
			}
		}
		texts = append(texts, show(c))
	}
	return texts
}

func show(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	if s := string(text); s != "null" {
		return s
	}
	return "[]"
}

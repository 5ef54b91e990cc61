package clerkauth

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clerkauth/clerkauth/internal/origin"
)

// mistake is what is wrong with one field of a Config.
type mistake struct {
	field string // an entry of a list with its index: "AuthorizedParties[0]"
	text  error
}

// wrong is a mistake in a field. The text follows the field's name directly and begins with its separator.
func wrong(field, format string, args ...any) error {
	return &mistake{field, fmt.Errorf(format, args...)}
}

func (m *mistake) Error() string { return called(m.field) + m.text.Error() }
func (m *mistake) Unwrap() error { return m.text }

// variables are the environment variables that ConfigFromEnv reads for each field.
var variables = map[string]string{
	"PublishableKey":    "CLERK_PUBLISHABLE_KEY",
	"SecretKey":         "CLERK_SECRET_KEY",
	"JWTKey":            "CLERK_JWT_KEY",
	"BackendAPIURL":     "CLERK_API_URL",
	"SignInURL":         "CLERK_SIGN_IN_URL",
	"ProxyURL":          "CLERK_PROXY_URL",
	"Satellite.Domain":  "CLERK_DOMAIN",
	"AuthorizedParties": "CLERK_AUTHORIZED_PARTIES",
	"MachineSecretKey":  "CLERK_MACHINE_SECRET_KEY",
}

// called names a field and the variable that sets it: "SecretKey (CLERK_SECRET_KEY)".
func called(field string) string {
	list, _, _ := strings.Cut(field, "[")
	if variable := variables[list]; variable != "" {
		return field + " (" + variable + ")"
	}
	return field
}

// tidy trims white space from every text of c, which it copies first. It reports what is invisible or was written by
// mistake in one; other problems of such a field are then not reported.
func tidy(c *Config) []error {
	var problems []error
	for _, t := range texts(c) {
		if trimmed := strings.TrimSpace(*t.value); trimmed != "" {
			*t.value = trimmed
		}
		if err := blemish(t.field, *t.value); err != nil {
			problems = append(problems, err)
		}
	}
	return problems
}

// unspoiled are the problems of fields that have none in the first list.
func unspoiled(first, problems []error) []error {
	return slices.DeleteFunc(problems, func(err error) bool {
		return slices.ContainsFunc(first, func(f error) bool { return fieldOf(f) != "" && fieldOf(f) == fieldOf(err) })
	})
}

func fieldOf(err error) string {
	if m, ok := err.(*mistake); ok { //nolint:errorlint // only *mistake itself, never wrapped
		return m.field
	}
	return ""
}

type text struct {
	field string
	value *string
}

// texts are the texts of a Config. Its lists and its Satellite are copied first.
func texts(c *Config) []text {
	all := []text{
		{"PublishableKey", &c.PublishableKey},
		{"SecretKey", &c.SecretKey},
		{"JWTKey", &c.JWTKey},
		{"SignInURL", &c.SignInURL},
		{"ProxyURL", &c.ProxyURL},
		{"MachineID", &c.MachineID},
		{"MachineSecretKey", &c.MachineSecretKey},
		{"FrontendAPIURL", &c.FrontendAPIURL},
		{"BackendAPIURL", &c.BackendAPIURL},
	}
	if c.Satellite != nil {
		satellite := *c.Satellite
		c.Satellite = &satellite
		all = append(all, text{"Satellite.Domain", &satellite.Domain})
	}
	for _, list := range []struct {
		field   string
		entries *[]string
	}{
		{"AuthorizedParties", &c.AuthorizedParties},
		{"TrustedOrigins", &c.TrustedOrigins},
		{"Audience", &c.Audience},
		{"Issuers", &c.Issuers},
		{"MachineAudience", &c.MachineAudience},
		{"OrganizationSync.OrganizationPatterns", &c.OrganizationSync.OrganizationPatterns},
		{"OrganizationSync.PersonalAccountPatterns", &c.OrganizationSync.PersonalAccountPatterns},
	} {
		*list.entries = slices.Clone(*list.entries)
		for i := range *list.entries {
			all = append(all, text{list.field + "[" + strconv.Itoa(i) + "]", &(*list.entries)[i]})
		}
	}
	return all
}

// assignment matches the name and = of a line of a .env file or of a shell.
var assignment = regexp.MustCompile(`^(?:export\s+)?([A-Z0-9_]*CLERK_[A-Z0-9_]+)\s*=`)

// blemish finds what no text may contain.
func blemish(field, value string) error {
	key := slices.Contains([]string{"PublishableKey", "SecretKey", "MachineSecretKey", "MachineID"}, field)
	shown := value
	if key || field == "JWTKey" {
		shown = cut(value)
	}
	name := assignment.FindStringSubmatch(value)
	switch {
	case value != "" && strings.TrimSpace(value) == "":
		return wrong(field, ": %q is white space alone; set a value, or leave it empty", shown)
	case name != nil:
		return wrong(field, ": the value begins with the name of a variable, %s; set only what stands behind its =", name[1])
	case field != "JWTKey" && quoted(value): // in a JWTKey they are ignored
		return wrong(field, ": %q has a quotation mark around it; leave those out", shown)
	}
	place := 0
	for i, r := range value {
		place++
		_, size := utf8.DecodeRuneInString(value[i:])
		c := value[i : i+size]
		switch {
		case key && (r == ' ' || r == '\n' || r == '\r' || r == '\t'):
			return wrong(field, ": %q has %q in it, as character %d of %d, and no key has white space; copy the key alone, on one line", shown, c, place, utf8.RuneCountInString(value))
		case unseen(r, size) && (field != "JWTKey" || !strings.ContainsRune("\t\r\n", r)):
			return wrong(field, ": %q has %s, which cannot be seen, as character %d of %d; delete it", shown, strconv.QuoteToASCII(c), place, utf8.RuneCountInString(value))
		case key && r > '~':
			return wrong(field, ": %q has %q, which is in no key, as character %d of %d; copy the whole key once more", shown, c, place, utf8.RuneCountInString(value))
		}
	}
	return nil
}

// quoted reports whether a value begins or ends with a quotation mark, also with that of a word processor. Of a quoted
// list, the first entry has one and the last the other.
func quoted(value string) bool {
	return strings.TrimFunc(value, func(r rune) bool { return strings.ContainsRune("\"'`“”‘’„", r) }) != value
}

// unseen reports whether a character of size bytes is invisible, or looks like another.
func unseen(r rune, size int) bool {
	return !unicode.IsPrint(r) || r == utf8.RuneError && size == 1 || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// cut is the part of a key that may be shown: a prefix such as sk_live_, and one letter after the short one of machines.
func cut(key string) string {
	if strings.HasPrefix(key, "ak_") {
		return key[:min(len(key), 4)]
	}
	return key[:min(len(key), 8)]
}

// proposal is what to write instead of a value that lacks its scheme, or else the examples.
func proposal(value, examples string) string {
	meant, ok := origin.Meant(value)
	_, host, _ := strings.Cut(meant, "://")
	if rest, bare := strings.CutPrefix(value, host); ok && bare {
		return strconv.Quote(meant + rest)
	}
	return examples
}

// withoutUnit reports a duration that is so short that its unit must have been forgotten; nil: nothing is wrong.
func withoutUnit[D ~int64](field string, d D) error {
	if d <= 0 || d >= 1e6 {
		return nil
	}
	return wrong(field, ": %d is %d nanoseconds; write a unit, such as %d * time.Second", d, d, d)
}

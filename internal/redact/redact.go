// Package redact removes secrets from messages.
package redact

import (
	"regexp"
	"strconv"
	"strings"
)

// Text removes from a message about a configuration everything that looks like a key, a token or the user info of a URL,
// and these secrets. A mistake is often a secret in the wrong field, and errors are logged.
func Text(message string, secrets ...string) string {
	for _, secret := range secrets {
		if len(secret) < shortestSecret {
			continue
		}
		quoted := strconv.Quote(secret)
		message = strings.NewReplacer(secret, "…", quoted[1:len(quoted)-1], "…").Replace(message)
	}
	message = pemBlock.ReplaceAllString(message, "-----BEGIN…")
	message = userInfo.ReplaceAllString(message, `"$1…@`)
	return word.ReplaceAllStringFunc(message, redactWord)
}

var (
	pemBlock  = regexp.MustCompile(`(?s)-----BEGIN.*?(?:-----END[A-Z ]*-----|$)`)
	userInfo  = regexp.MustCompile(`(?s)"([A-Za-z]+://)?(?:[^"\\]|\\.)*@`) // all values are written with %q
	word      = regexp.MustCompile(`[A-Za-z0-9_+=~/-]+`)                   // base64, in all of its alphabets
	keyPrefix = regexp.MustCompile(`[a-z]k_(?:live|test|prod)_|(?:sk|pk|ak|mt|oat|whsec)_`)
)

const (
	shortestKey    = 6  // the length of a key after its prefix
	shortestSecret = 16 // recognised by its looks alone
	shown          = 4  // characters that are shown of it

	alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// Begin is the beginning of a secret, in quotes, to identify it. Nothing is shown of one that is short enough to be
// guessed.
func Begin(secret string) string {
	if len(secret) < shortestSecret {
		return `"…"`
	}
	return strconv.Quote(secret[:shown] + "…")
}

// redactWord keeps the part of a secret that identifies it.
func redactWord(s string) string {
	if i := keyPrefix.FindStringIndex(s); i != nil && len(s)-i[1] >= shortestKey {
		head, prefix := s[:i[0]], s[i[0]:i[1]]
		if strings.Trim(head, alphanumeric) == "" && len(head) > shown {
			return head[:shown] + "…" + prefix // a random secret may contain a prefix
		}
		return redactWord(head) + prefix
	}
	if strings.HasPrefix(s, "eyJ") || looksRandom(s) {
		return s[:min(len(s), shown)] + "…"
	}
	return s
}

// looksRandom reports whether s mixes letters with so many digits and capitals that it is neither a name of this package
// nor, usually, a part of an address.
func looksRandom(s string) bool {
	var small, capitals, digits int
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z':
			small++
		case 'A' <= c && c <= 'Z':
			capitals++
		case '0' <= c && c <= '9':
			digits++
		}
	}
	return len(s) >= shortestSecret && (digits > 0 && digits+capitals >= 4 || small > 0 && capitals >= 5)
}

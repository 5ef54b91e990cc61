package harness

import (
	"strings"

	"github.com/clerkauth/clerkauth/clerktest"
)

const base64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// SpoilSignature changes the first bit of a signature, and keeps its form.
func SpoilSignature(token string) string {
	i := strings.LastIndexByte(token, '.') + 1
	flipped := byte('A')
	if token[i] == 'A' {
		flipped = 'B'
	}
	return token[:i] + string(flipped) + token[i+1:]
}

// SpareBits changes the last character of a token in bits that are not used: a signature of 256 bytes leaves some.
func SpareBits(token string) string {
	last := len(token) - 1
	return token[:last] + string(base64URL[strings.IndexByte(base64URL, token[last])+1])
}

// Claim sets a claim of a token whose Extra is not nil.
func Claim(name string, value any) func(*clerktest.Claims) {
	return func(c *clerktest.Claims) { c.Extra[name] = value }
}

// HeaderMember sets a member of the header of a token whose Header is not nil.
func HeaderMember(name string, value any) func(*clerktest.Claims) {
	return func(c *clerktest.Claims) { c.Header[name] = value }
}

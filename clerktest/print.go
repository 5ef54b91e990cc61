package clerktest

import (
	"fmt"
	"io"
)

// Format writes the issuer, under every verb: never a key. An Instance can be printed in no other way.
func (in *Instance) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "clerktest.Instance "+in.Issuer())
}

// Format writes the ID, under every verb: never a token.
func (s *BrowserSession) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "clerktest.BrowserSession "+s.ID)
}

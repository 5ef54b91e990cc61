package conformance_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestTmpB(t *testing.T) {
	n := os.Getenv("CASE")
	if n == "" {
		t.Skip()
	}
	for _, f := range load(t).families {
		for _, c := range load(t).cases[f] {
			if c.Name != n {
				continue
			}
			for _, k := range c.candidates() {
				fmt.Println("cand", k.raw[max(0, len(k.raw)-8):], k.head, k.claims, "=>", c.verdict(k.token), "kind", c.kindOf(k.token))
			}
			s := c.judged()
			fmt.Printf("chosen %v reason %q pair %q amb %v foreign %v hidden %v unread %v; ref pair %q\n", s.chosen.raw[max(0, len(s.chosen.raw)-8):], s.reason, s.pair, s.ambiguous, s.foreign, s.hidden, s.unread, c.chosenSuffix())
			w, a := c.expected(t)
			fmt.Println(w.Status, w.Reason, a, "decision", c.decision().Status, c.decision().Reason, "ref", c.reference().Status, c.reference().Reason)
			here, ok := c.origin()
			fmt.Println("origin", here, ok, "ref origin", c.referenceOrigin(), strings.Join(c.parties(), " "))
		}
	}
}

package inbound_test

import (
	"slices"
	"strings"
	"testing"
)

// The second cookie of a pair is compared to the first before its end is searched.
func TestPairsOfCookies(t *testing.T) {
	a := session('a')
	for line, want := range map[string][]string{
		"__session=" + a + "; __session_abcd1234=" + a:                      {a, a},
		"__session=" + a + ";__session_abcd1234=" + a + ";theme=dark":       {a, a},
		"__session=" + a + "; __session_abcd1234=" + a + " ; theme=dark":    {a, a},
		"__session=" + a + "; __session_abcd1234= " + a + "; theme=dark":    {a, a},
		"__session=" + a + "; __session_abcd1234=" + a + "a":                {a, a + "a"},
		"__session=" + a + "; __session_abcd1234=" + a[:len(a)-1]:           {a, a[:len(a)-1]},
		"__session=" + a + "; __session_abcd1234=" + a + "=; theme=dark":    {a, a + "="},
		"__session=x; __client_uat=x; __session_abcd1234=xx":                {"x", "xx"},
		"__session_abcd1234=" + a + "; __session=\"" + a + "\"; theme=dark": {a, `"` + a + `"`},
	} {
		var got []string
		for _, c := range read(t, live, "/", "Cookie: "+line).SessionCookies() {
			got = append(got, c.Token())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

// What fills a jar must not push out the visitor's own session.
func TestManySessionCookies(t *testing.T) {
	var jar []string
	for range 100 {
		jar = append(jar, "__session=garbage")
	}
	jar = append(jar, "__session="+session('a'))
	f := read(t, live, "/", "Cookie: "+strings.Join(jar, "; "))
	if got := f.SessionCookies(); len(got) != 2 || got[1].Token() != session('a') || f.Unread {
		t.Errorf("%d cookies of 101 kept, the last %.20q; want the first of the garbage and the token", len(got), got[len(got)-1].Sent)
	}
	jar = nil
	for i := range 70 {
		jar = append(jar, "__session="+session(byte('A'+i%26))+string(rune('a'+i/26)))
	}
	if f := read(t, live, "/", "Cookie: "+strings.Join(jar, "; ")); len(f.SessionCookies()) != 64 || !f.Unread {
		t.Errorf("got %d of 70 tokens, and that some were not kept is %t, want 64 and true", len(f.SessionCookies()), f.Unread)
	}
}

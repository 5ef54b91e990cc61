package orgpath

import (
	"fmt"
	"strings"
	"testing"
)

// The result for a URL: noTarget, toPersonal, bySlug or byID.
var (
	noTarget   = Target{}
	toPersonal = Target{Personal: true}
)

func bySlug(slug string) Target { return Target{Slug: slug} }
func byID(id string) Target     { return Target{ID: id} }

func mustSync(t testing.TB, c Lists) *Patterns {
	t.Helper()
	o, errs := New(c)
	if len(errs) > 0 {
		t.Fatalf("New(%q) reports %v, want no error", c, errs)
	}
	return o
}

// checkTarget compares both results: there is a target exactly when it is not the zero one.
func checkTarget(t *testing.T, o *Patterns, path string, want Target) {
	t.Helper()
	got, ok := o.Target(path)
	if got != want || ok != (want != noTarget) {
		t.Errorf("target(%.80q) = %+v, %t; want %+v, %t", path, got, ok, want, want != noTarget)
	}
}

func TestOrganizationPatternMatchesThePath(t *testing.T) {
	for _, tt := range []struct {
		name, pattern, path string
		want                Target
	}{
		{"slug", "/teams/:slug", "/teams/blue", bySlug("blue")},
		{"id", "/teams/:id", "/teams/org_1", byID("org_1")},
		{"id beats slug before it", "/:slug/:id", "/blue/org_1", byID("org_1")},
		{"id beats slug behind it", "/:id/:slug", "/org_1/blue", byID("org_1")},
		{"slug counts when the id is empty", "/:slug{/:id([0-9]*)}", "/blue/", bySlug("blue")},
		{"other name", "/teams/:team", "/teams/blue", noTarget},
		{"names are case-sensitive", "/teams/:Slug", "/teams/blue", noTarget},
		{"no parameter", "/teams/blue", "/teams/blue", noTarget},
		{"empty pattern", "", "/teams", noTarget},

		{"one segment only", "/teams/:slug", "/teams/blue/x", noTarget},
		{"segment not empty", "/teams/:slug", "/teams/", noTarget},
		{"nothing before", "/teams/:slug", "/x/teams/blue", noTarget},
		{"double slash", "/teams/:slug", "/teams//blue", noTarget},
		{"slash at the end", "/teams/:slug", "/teams/blue/", bySlug("blue")},
		{"two slashes at the end", "/teams/:slug", "/teams/blue//", noTarget},
		{"slash at the end of the pattern is a must", "/teams/:slug/", "/teams/blue", noTarget},
		{"slash at the end of both", "/teams/:slug/", "/teams/blue/", bySlug("blue")},
		{"pattern without a slash in front", "teams/:slug", "/teams/blue", noTarget},
		{"query is no path", "/teams/:slug", "/teams/blue?x", noTarget},

		{"case of text", "/Teams/:slug", "/tEAMS/blue", bySlug("blue")},
		{"case of a value stays", "/teams/:slug", "/teams/BLUE", bySlug("BLUE")},
		{"undecoded value", "/teams/:slug", "/teams/bl%75e", bySlug("bl%75e")},
		{"encoded slash is no slash", "/teams/:slug", "/teams/a%2Fb", bySlug("a%2Fb")},
		{"undecoded text", "/te%61ms/:slug", "/teams/blue", noTarget},
		{"other characters", "/teams/:slug", "/teams/@a.b,c;d=e&f+g", bySlug("@a.b,c;d=e&f+g")},

		{"dot is text", "/v1.2/:slug", "/v1x2/blue", noTarget},
		{"escaped colon", `/teams/\:slug`, "/teams/:slug", noTarget},
		{"escaped character is text", `/a\+b/:slug`, "/a+b/blue", bySlug("blue")},
		{"closing parenthesis is text", "/a)/:slug", "/a)/blue", bySlug("blue")},
		{"text around", "/team-:slug-home", "/team-blue-home", bySlug("blue")},
		{"name ends at the first other character", "/teams/:slug.json", "/teams/blue.json", bySlug("blue")},
		{"value without the character before it", "/:region-:slug", "/eu-west-blue", bySlug("blue")},
		{"value without the dot before it", "/:slug.:format", "/a.b.c", bySlug("a.b")},
		{"dot is optional with what is behind it", "/:slug.:format?", "/blue", bySlug("blue")},
		{"value may have the slash's neighbour", "/:region/t-:slug", "/eu/t-t-blue", bySlug("t-blue")},

		{"wildcard behind", "/teams/:slug/(.*)", "/teams/blue/a/b", bySlug("blue")},
		{"wildcard before", "/(.*)/teams/:slug", "/a/b/teams/blue", bySlug("blue")},
		{"own expression fits", "/:slug([a-z]{2,4})", "/blue", bySlug("blue")},
		{"own expression does not fit", "/:slug([a-z]{2,4})", "/green", noTarget},
		{"own expression over segments", "/:slug(.+)/end", "/a/b/end", bySlug("a/b")},
		{"own expression that is empty", "/teams/:slug(.*)", "/teams/", noTarget},
		{"own expression, either of two", "/:slug(blue|green)/x", "/green/x", bySlug("green")},
		{"own expression, closing bracket escaped", `/:slug([\]a]+)`, "/a]", bySlug("a]")},
		{"own expression, opening bracket escaped", `/:slug(\[])`, "/[]", bySlug("[]")},
		{"own expression, two classes", "/:slug([a-z][:]b)", "/a:b", bySlug("a:b")},
		{"own expression, parenthesis escaped", `/:slug(\(a\))`, "/(a)", bySlug("(a)")},
		{"own expression, group inside", "/:slug((?:ab)+)", "/abab", bySlug("abab")},
		{"own expressions side by side", `/:id(\d+):slug(\D+)`, "/12ab", byID("12")},

		{"optional and there", "/teams/:slug?", "/teams/blue", bySlug("blue")},
		{"optional and not there", "/teams/:slug?", "/teams", noTarget},
		{"optional keeps its slash", "/teams/:slug?/x", "/teams/x", noTarget},
		{"escaped slash is not optional", `/teams\/:slug?`, "/teams", noTarget},
		{"one or more", "/teams/:slug+", "/teams/a/b/c", bySlug("a,b,c")},
		{"one or more, once", "/teams/:slug+", "/teams/a", bySlug("a")},
		{"one or more, none", "/teams/:slug+", "/teams", noTarget},
		{"any number", "/teams/:slug*", "/teams/a/b", bySlug("a,b")},
		{"any number in the middle", "/teams/:any*/x/:slug", "/teams/a/b/x/blue", bySlug("blue")},
		{"any number in the middle, none", "/teams/:any*/x/:slug", "/teams/x/blue", bySlug("blue")},
		{"group", "/teams{/x-:slug-y}?", "/teams/x-blue-y", bySlug("blue")},
		{"optional group left out", "/teams{/x}?/:slug", "/teams/blue", bySlug("blue")},
		{"group of text repeated", "/teams{-x}+/:slug", "/teams-x-X/blue", bySlug("blue")},
		{"group repeated", "/teams{-:slug(a|b)}+", "/teams-a-b", bySlug("a,b")},
		{"group repeated between its texts", "/teams{<:slug(a|b)>}*", "/teams<a><b>", bySlug("a><b")},
		{"group of what means something to regexp", "/teams{$:slug^}", "/teams$blue^", bySlug("blue")},
		{"group with an escaped brace", `/teams{\}:slug}`, "/teams}blue", bySlug("blue")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := mustSync(t, Lists{OrganizationPatterns: []string{tt.pattern}})
			checkTarget(t, o, tt.path, tt.want)
		})
	}
}

func TestOrganizationPatternsInOrder(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config Lists
		path   string
		want   Target
	}{
		{"first of two", Lists{OrganizationPatterns: []string{"/t/:slug", "/t/:id"}}, "/t/x", bySlug("x")},
		{"second of two", Lists{OrganizationPatterns: []string{"/u/:slug", "/t/:id"}}, "/t/x", byID("x")},
		{"organization before personal", Lists{[]string{"/t/:slug"}, []string{"/t/(.*)"}}, "/t/x", bySlug("x")},
		{"without slug and id to personal", Lists{[]string{"/t/:any"}, []string{"/t/(.*)"}}, "/t/x", toPersonal},
		{"the first decides, even without slug and id", Lists{OrganizationPatterns: []string{"/t/:any", "/t/:slug"}}, "/t/x", noTarget},
		{"personal", Lists{[]string{"/t/:slug"}, []string{"/me", "/me/(.*)"}}, "/ME/x/y", toPersonal},
		{"personal alone", Lists{PersonalAccountPatterns: []string{"/me"}}, "/me/", toPersonal},
		{"personal with a slug in it", Lists{PersonalAccountPatterns: []string{"/u/:slug"}}, "/u/x", toPersonal},
		{"neither", Lists{[]string{"/t/:slug"}, []string{"/me"}}, "/about", noTarget},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkTarget(t, mustSync(t, tt.config), tt.path, tt.want)
		})
	}
}

func TestNoPatterns(t *testing.T) {
	for _, c := range []Lists{{}, {[]string{}, []string{}}} {
		if o := mustSync(t, c); o != nil {
			t.Errorf("New(%#v) = %v, want nil", c, o)
		}
	}
	checkTarget(t, nil, "/teams/blue", noTarget)
}

// Only browsers go through a handshake, and none sends such paths.
func TestOddPathsAreLeftAlone(t *testing.T) {
	o := mustSync(t, Lists{OrganizationPatterns: []string{"/kiss/:slug"}, PersonalAccountPatterns: []string{"/(.*)"}})
	long := "/kiss/" + strings.Repeat("a", longestPath-len("/kiss/"))
	checkTarget(t, o, long, bySlug(long[len("/kiss/"):]))
	for _, path := range []string{
		long + "a",
		"/kiss/caf\u00e9",
		"/kiss/\xff",
		"/ki\u017f\u017f/blue", // long s, which folds to s
		"/\u212aiss/blue",      // Kelvin sign, which folds to k
	} {
		checkTarget(t, o, path, noTarget)
	}
	checkTarget(t, o, "", noTarget)
	checkTarget(t, o, "*", noTarget)
}

func TestNewReportsBadPatterns(t *testing.T) {
	for _, tt := range []struct{ name, pattern string }{
		{"colon without name", "/teams/:"},
		{"address instead of a path", "https://example.com/:slug"},
		{"query", "/teams?slug=:slug"},
		{"star alone", "/teams/*"},
		{"plus alone", "/teams/+"},
		{"two modifiers", "/:slug??"},
		{"brace not opened", "/teams}"},
		{"brace not closed", "/teams{/x"},
		{"brace in brace", "/teams{/x{/y}}"},
		{"two parameters in a brace", `/teams{/:slug(\d)/:id}`},
		{"backslash at the end", `/teams\`},
		{"backslash at the end of a group", `/teams{x\`},
		{"backslash at the end of a group's second text", `/teams{:slug(a)x\`},
		{"parenthesis not closed", "/teams/(abc"},
		{"parenthesis closed by an escaped one", `/teams/(abc\)`},
		{"parenthesis that ends in a backslash", `/teams/(abc\`},
		{"empty expression", "/teams/()"},
		{"expression that begins like a group", "/teams/(?:abc)"},
		{"capture", "/:slug((a)b)"},
		{"named capture", "/:slug((?<x>a)b)"},
		{"capture with the name slug", "/((?P<slug>a)b)"},
		{"lookahead", "/:slug((?!me)[a-z]+)"},
		{"lookbehind", "/:slug([a-z]+(?<!me))"},
		{"flags", "/:slug((?-i)a)"},
		{"flags for a group", "/:slug((?-i:a))"},
		{"back reference", `/:slug(a\1)`},
		{"expression that does not parse", "/:slug([a-z)"},
		{"expression that parses with what follows", "/:slug([a)/([b])x"},
		{"expression with a star alone", "/:slug(*)"},
		{"expression in a group that does not parse", "/x{-:slug(+)}"},
		{"Go's text anchor", `/:slug(\Aa)`},
		{"Go's quotation", `/:slug(\Qa\E)`},
		{"Go's Unicode class", `/:slug(\pL)`},
		{"Go's bell", `/:slug(\a)`},
		{"Go's octal", `/:slug(\07)`},
		{"Go's named class", "/:slug([[:alpha:]]+)"},
		{"JavaScript's class of everything", "/:slug([^]x]+)"},
		{"JavaScript's class of nothing", "/:slug([]x]+)"},
		{"two of one name", "/:slug/:slug"},
		{"two of one name, unused", "/:any/:any/:slug"},
		{"parameters side by side", "/:id:slug"},
		{"parameter behind an optional group", "/a{-b}?:slug"},
		{"two characters between parameters", "/:any--:slug"},
		{"two characters in a group", "/:any{--:slug}"},
		{"repeated without text", "/teams/x:slug(a)+"},
		{"repeated in a group without text", "/teams{:slug(a)}*"},
		{"repeated wildcard without text", "/teams/x(.*)*"},
		{"too many steps", "/:slug([a-z]{1000})/([a-z]{1000})"},
		{"nested too deeply for RE2", "/(" + strings.Repeat("(?:", 600) + "a" + strings.Repeat(")*b", 600) + ")"},
		{"nested too deeply once it is repeated", "/(" + strings.Repeat("(?:", 499) + "a" + strings.Repeat(")*b", 499) + ")+"},
		{"not UTF-8", "/teams\xff/:slug"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for field, c := range map[string]Lists{
				"OrganizationPatterns":    {OrganizationPatterns: []string{"/fine", tt.pattern}},
				"PersonalAccountPatterns": {PersonalAccountPatterns: []string{"/fine", tt.pattern}},
			} {
				o, errs := New(c)
				if o != nil || len(errs) != 1 {
					t.Fatalf("New with %.80q in %s = %v, %v; want nil and one error", tt.pattern, field, o, errs)
				}
				if got, want := errs[0].Error(), fmt.Sprintf("%s[1]: %q ", field, tt.pattern); !strings.HasPrefix(got, want) {
					t.Errorf("error is %.120q, want one that begins with %.120q", got, want)
				}
			}
		})
	}
}

func TestNewReportsEveryBadPatternAtOnce(t *testing.T) {
	o, errs := New(Lists{[]string{"/:", "/:slug", "/("}, []string{"/{", "/me"}})
	if o != nil || len(errs) != 3 {
		t.Errorf("New = %v, %v; want nil and three errors", o, errs)
	}
}

func TestTargetActive(t *testing.T) {
	type organization struct{ ID, Slug string }
	blue := organization{ID: "org_1", Slug: "blue"}
	noSlug := organization{ID: "org_1"}
	for _, tt := range []struct {
		name   string
		target Target
		org    organization
		want   bool
	}{
		{"slug of the active one", bySlug("blue"), blue, true},
		{"slug of another", bySlug("green"), blue, false},
		{"slug in another case", bySlug("BLUE"), blue, false},
		{"slug encoded", bySlug("bl%75e"), blue, false},
		{"slug that is the id", bySlug("org_1"), blue, false},
		{"slug, the active one has none", bySlug("blue"), noSlug, false},
		{"slug, none active", bySlug("blue"), organization{}, false},
		{"id of the active one", byID("org_1"), blue, true},
		{"id of the active one without slug", byID("org_1"), noSlug, true},
		{"id of another", byID("org_2"), blue, false},
		{"id in another case", byID("ORG_1"), blue, false},
		{"id that is the slug", byID("blue"), blue, false},
		{"id, none active", byID("org_1"), organization{}, false},
		{"personal, none active", toPersonal, organization{}, true},
		{"personal, one active", toPersonal, blue, false},
		{"personal, one without slug active", toPersonal, noSlug, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.target.Active(tt.org.ID, tt.org.Slug); got != tt.want {
				t.Errorf("%+v.Active(%+v) = %t, want %t", tt.target, tt.org, got, tt.want)
			}
		})
	}
}

func TestTargetParameter(t *testing.T) {
	for target, want := range map[Target]string{bySlug("bl%75e"): "bl%75e", byID("org_1"): "org_1", toPersonal: ""} {
		if got := target.Parameter(); got != want {
			t.Errorf("%+v.Parameter() = %q, want %q", target, got, want)
		}
	}
}

// Every pattern is refused, or matches every path ignoring case and finds the values in the path.
func FuzzOrganizationPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"/teams/:slug/(.*)", "/teams/blue/a"},
		{"/teams{/x-:slug-y}*", "/teams/x-a-y/x-b-y"},
		{`/\::id(\d{1,9})-:slug([^/]+?)?`, "/:12-ab"},
		{"/:any-:slug.:format+", "/a-b.c.d"},
		{"/((?:a|b)*)*:slug", "/abababab"},
		{"/((?=a)", "/"},
		{`/:slug([\]\\[]+)`, "/]["},
		{"/:slug\xff", "/\xff"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		patterns := []string{pattern}
		o, errs := New(Lists{patterns, patterns})
		if (o == nil) != (len(errs) == 2) {
			t.Fatalf("New with %q twice = %v, %v; want a result or two errors", pattern, o, errs)
		}
		got, ok := o.Target(path)
		if got.Personal && got.Parameter() != "" || got.ID != "" && got.Slug != "" || ok == (got == noTarget) {
			t.Errorf("%q: target(%q) = %+v, %t; want exactly one thing asked for, or false", pattern, path, got, ok)
		}
		if _, upper := o.Target(strings.ToUpper(path)); ok && !upper {
			t.Errorf("%q matches %q, but not in upper case", pattern, path)
		}
		for value := range strings.SplitSeq(got.Parameter(), ",") {
			if !strings.Contains(path, value) {
				t.Errorf("%q: target(%q) = %+v, which is not in the path", pattern, path, got)
			}
		}
	})
}

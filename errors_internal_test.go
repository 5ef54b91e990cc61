package clerkauth

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/reasons"
)

// declaredReasons are the constants of type Reason in the source. The table is compared with them.
func declaredReasons(t *testing.T, folder string) map[Reason]string {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[Reason]string{}
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Reason" {
				return true
			}
			for i, value := range spec.Values {
				text, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				if other, ok := reasons[Reason(text)]; ok {
					t.Errorf("%s and %s have the same text", spec.Names[i].Name, other)
				}
				reasons[Reason(text)] = spec.Names[i].Name
			}
			return true
		})
	}
	return reasons
}

// The table has every reason and nothing else: a reason that is missing would get a wrong response.
func TestReasonsAreAClosedSet(t *testing.T) {
	declared := declaredReasons(t, ".")
	if len(declared) < 20 {
		t.Fatalf("%d reasons are declared, want all of them to be found", len(declared))
	}
	form, sentence := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`), regexp.MustCompile(`^[A-Z][A-Za-z0-9 ,'_-]*\.$`)
	for reason, name := range declared {
		entry, ok := table[reason]
		if !ok {
			t.Errorf("the reason %s has no entry in the table", name)
			continue
		}
		if !form.MatchString(string(reason)) || !strings.HasPrefix(name, "Reason") {
			t.Errorf("%s is %q, want small letters and hyphens", name, reason)
		}
		if !sentence.MatchString(entry.message) {
			t.Errorf("%s has the message %q, want a plain sentence: it is sent in a quoted string of a header", name, entry.message)
		}
		if entry.nothing && entry.status != http.StatusUnauthorized {
			t.Errorf("%s means that nothing was sent: got status %d, want 401", name, entry.status)
		}
		if err := refused(reason); err.Reason != reason || err.StatusCode() != entry.status || err.Error() != "clerkauth: "+string(reason) || errors.Unwrap(err) != nil {
			t.Errorf("refused(%s): got %v with %d, want the reason and the table's status", name, err, err.StatusCode())
		}
	}
	if len(table) != len(declared) {
		t.Errorf("the table has %d entries for %d reasons", len(table), len(declared))
	}
}

// The strings are written twice, so that the documentation of the root shows them.
func TestReasonsAreWhatDecisionsSay(t *testing.T) {
	ours, theirs := declaredReasons(t, "."), declaredReasons(t, "internal/reasons")
	for reason, name := range theirs {
		theirs[reason] = "Reason" + name
	}
	if !maps.Equal(ours, theirs) {
		t.Errorf("the root has the reasons\n%v\nwant those of internal/reasons\n%v", ours, theirs)
	}
	for reason := range ours {
		if want := reasons.Reason(reason).CannotTell(); (table[reason].status == http.StatusServiceUnavailable) != want {
			t.Errorf("%s: got status %d, want 503: %t", reason, table[reason].status, want)
		}
	}
}

// All other reasons mean: sign in and try again.
func TestStatusByReason(t *testing.T) {
	others := map[Reason]int{
		ReasonMultipleAuthorization: 400, ReasonCrossOriginRequest: 403, ReasonCheckFailed: 403, ReasonKeysUnavailable: 503,
		ReasonHandshakeUnavailable:     503,
		ReasonRequestHostNotAuthorized: 403,
		ReasonCredentialUnverifiable:   503, ReasonSecretKeyInvalid: 503, ReasonInsufficientScope: 403,
	}
	for _, reason := range slices.Sorted(maps.Keys(table)) {
		want, ok := others[reason]
		if !ok {
			want = 401
		}
		if got := (&Error{Reason: reason}).StatusCode(); got != want {
			t.Errorf("%s: got %d, want %d", reason, got, want)
		}
	}
	if got := (&Error{Reason: "made-up"}).StatusCode(); got != 401 {
		t.Errorf("an unknown reason: got %d, want 401", got)
	}
}

// The detail is for errors.Is and logs; the message does not contain it.
func TestErrorUnwrapsItsDetail(t *testing.T) {
	detail := errors.New("the endpoint answered 500")
	err := error(&Error{Reason: ReasonKeysUnavailable, detail: detail})
	if !errors.Is(err, detail) || strings.Contains(err.Error(), "500") {
		t.Errorf("got %q, detail found by errors.Is %t; want only the reason in the text, and the detail found", err, errors.Is(err, detail))
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEveryCodeIsExplained(t *testing.T) {
	page, err := os.ReadFile("FINDINGS.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| <a id=\"([^\"]+)\"></a>`([^`]+)` \\| ([a-z]+)(, \\*waits\\*)? \\| ([^|]+) \\| [^|]+ \\|$")
	rows := row.FindAllStringSubmatch(string(page), -1)
	if len(rows) != len(catalogue) || strings.Count(string(page), "<a id=") != len(rows) {
		t.Errorf("FINDINGS.md has %d rows, want %d", len(rows), len(catalogue))
	}
	for i, k := range catalogue {
		if k.id == "" || k.group == "" || k.title == "" {
			t.Errorf("code %d has no ID, group or title", i)
			continue
		}
		at := slices.IndexFunc(rows, func(r []string) bool { return r[2] == k.id })
		if at < 0 {
			t.Errorf("FINDINGS.md does not explain %s", k.id)
			continue
		}
		if r := rows[at]; r[1] != k.id || r[3] != string(k.status) || (r[4] != "") != k.waits || r[5] != k.title {
			t.Errorf("FINDINGS.md has %q, want %+v", r[0], k)
		}
	}
}

func TestEveryProblemIsInAStory(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // of testdata
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	for _, k := range catalogue {
		if k.status != ok && k.status != skipped && !bytes.Contains(all, []byte("("+k.id+")")) {
			t.Errorf("no story shows the finding %s", k.id)
		}
	}
}

// TestJSONKeepsItsForm has a second copy of the form of -json, so that a change must be made in both.
func TestJSONKeepsItsForm(t *testing.T) {
	type form struct {
		Schema   *int   `json:"schema"`
		Domain   string `json:"domain"`
		Typed    string `json:"typed"`
		Exit     *int   `json:"exit"`
		Findings []struct {
			Code    string                         `json:"code"`
			Status  string                         `json:"status"`
			Group   string                         `json:"group"`
			Title   string                         `json:"title"`
			Page    string                         `json:"page"`
			Items   []struct{ Name, Says string }  `json:"items"`
			Fix     []string                       `json:"fix"`
			See     []string                       `json:"see"`
			Affects []struct{ Group, Name string } `json:"affects"`
		} `json:"findings"`
	}
	checks := []check{
		{code: cnameWrong, name: "clerk.example.com", says: "to <elsewhere>", fix: []string{"change it"}, see: []string{"dig"}},
		{code: certNotServed, name: "clerk.example.com", cause: &ref{cnameWrong, "clerk.example.com"}},
		{code: apiFails, name: "keys", cause: &ref{certNotServed, "clerk.example.com"}},
		{code: keyNotGiven, name: "publishable key"},
	}
	var b bytes.Buffer
	if err := writeJSON(&b, newReport(options{domain: "example.com", typed: "www.example.com"}, checks)); err != nil {
		t.Fatal(err)
	}
	in := json.NewDecoder(bytes.NewReader(b.Bytes()))
	in.DisallowUnknownFields()
	var got form
	if err := in.Decode(&got); err != nil {
		t.Fatalf("decoding %s: %v", &b, err)
	}
	if got.Schema == nil || *got.Schema != 1 || got.Exit == nil || *got.Exit != exitFails || got.Domain != "example.com" || got.Typed != "www.example.com" || len(got.Findings) != 2 {
		t.Fatalf("got %s, want schema 1, exit 1 and two findings", &b)
	}
	f := got.Findings[0]
	if f.Code != "cname-wrong-target" || f.Status != "fail" || f.Group != "DNS" || !strings.HasSuffix(f.Page, "/FINDINGS.md#cname-wrong-target") ||
		f.Items[0].Says != "to <elsewhere>" || len(f.Affects) != 2 || f.Affects[1].Group != "Frontend API" || !slices.Equal(f.See, []string{"dig"}) {
		t.Errorf("got %+v, want the wrong target with what it affects", f)
	}
	if want := []string{"change it", `then press "Deploy certificates" in Clerk's Dashboard`}; !slices.Equal(f.Fix, want) {
		t.Errorf("got steps %q, want %q", f.Fix, want)
	}
}

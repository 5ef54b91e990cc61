package main

import (
	"os"
	"strings"
	"testing"
)

func TestReadmeShowsARealRun(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	run, err := os.ReadFile("testdata/golden/proxied-by-Cloudflare.golden")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```console\n"+string(run)+"```\n") {
		t.Error("the run in README.md differs from testdata/golden/proxied-by-Cloudflare.golden")
	}
}

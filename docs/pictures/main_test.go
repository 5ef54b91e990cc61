package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// The picture in the repository is the one that the program draws.
func TestRequestIsDrawn(t *testing.T) {
	drawn, err := os.ReadFile("request.svg")
	if err != nil {
		t.Fatal(err)
	}
	if string(drawn) != request() {
		t.Error("request.svg is another picture; go run ./docs/pictures draws it")
	}
	d := xml.NewDecoder(strings.NewReader(request()))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// A picture is small enough to load at once.
func TestScreenshotsAreSmall(t *testing.T) {
	for _, name := range []string{"quickstart-light.png", "quickstart-dark.png"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 80<<10 {
			t.Errorf("%s has %d bytes, want 80 KiB at most", name, info.Size())
		}
	}
}

// Pictures makes the pictures of the documentation:
//
//	go run ./docs/pictures                 draw request.svg
//	go run ./docs/pictures -screenshots    also take the quickstart's screenshots, with Chromium
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

const dir = "docs/pictures"

func main() {
	screenshots := flag.Bool("screenshots", false, "take the quickstart's screenshots, too: it needs Chromium")
	flag.Parse()
	err := os.WriteFile(filepath.Join(dir, "request.svg"), []byte(request()), 0o600)
	if err == nil && *screenshots {
		err = shoot(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

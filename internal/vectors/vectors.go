// Package vectors has test vectors from other projects, for the tests of several packages. README.md lists their sources.
// Only tests import it.
package vectors

import (
	"archive/zip"
	"bytes"
	"embed"
	"io"
	"testing"
)

//go:embed */vectors.zip
var collections embed.FS

// Files returns the files of a collection, by name: cookbook, jsontestsuite or wycheproof.
func Files(tb testing.TB, collection string) map[string][]byte {
	tb.Helper()
	packed, err := collections.ReadFile(collection + "/vectors.zip")
	if err != nil {
		tb.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		tb.Fatal(err)
	}
	files := make(map[string][]byte, len(archive.File))
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			tb.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			tb.Fatal(err)
		}
	}
	return files
}

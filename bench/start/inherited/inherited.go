// Package inherited serves on a socket that the process that started this one opened: its first request waits there, so
// that its parent need not poll.
package inherited

import (
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

// Serve answers the connections of file descriptor 3 until the standard input ends, which it does when the parent does.
func Serve(h http.Handler) {
	l, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	log.Print(server.Serve(l))
}

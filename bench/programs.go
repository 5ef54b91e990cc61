package bench

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Programs are the two programs below start, built with the same flags: one with clerkauth before its handler, one without.
type Programs struct{ Guarded, Bare string }

// LargestProgram is how many bytes clerkauth may add to a stripped program that has a server already.
const LargestProgram = 3 << 20

// Stripped leaves the debug information out of a program, as images do that are made for production.
const Stripped = "-s -w"

// BuildPrograms builds both into a directory, with flags for the linker.
func BuildPrograms(ctx context.Context, dir, linker string) (Programs, error) {
	p := Programs{filepath.Join(dir, "guarded"), filepath.Join(dir, "bare")}
	const packages = "github.com/clerkauth/clerkauth/bench/"
	for path, from := range map[string]string{p.Guarded: "start", p.Bare: "start/bare"} {
		build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags="+linker, "-o", path, packages+from) //nolint:gosec // constant packages
		build.Env = append(os.Environ(), "GOWORK=off")
		if out, err := build.CombinedOutput(); err != nil {
			return p, fmt.Errorf("%w: %s", err, out)
		}
	}
	return p, nil
}

// Sizes are the sizes of both, in bytes.
func (p Programs) Sizes() (guarded, bare int64, err error) {
	for path, size := range map[string]*int64{p.Guarded: &guarded, p.Bare: &bare} {
		info, err := os.Stat(path)
		if err != nil {
			return 0, 0, err
		}
		*size = info.Size()
	}
	return guarded, bare, nil
}

// Start is one way to start a program.
type Start struct {
	Name    string
	program string
	env     []string
	token   string
}

// Starts are the ways whose times are compared. The first has no authentication.
func (p Programs) Starts(c *Course) ([]Start, error) {
	der, err := x509.MarshalPKIXPublicKey(&c.Pool.Key.PublicKey)
	if err != nil {
		return nil, err
	}
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	env := []string{"CLERK_PUBLISHABLE_KEY=" + publishableKey, "CLERK_AUTHORIZED_PARTIES=" + Party}
	return []Start{
		{"net/http alone", p.Bare, nil, c.Pool.Tokens[0]},
		{StartedWithKey, p.Guarded, append(env, "CLERK_JWT_KEY="+key), c.Pool.Tokens[0]},
		{"keys fetched from this machine", p.Guarded, append(env, "BENCH_KEYS="+c.site.Server), c.Pool.Tokens[0]},
	}, nil
}

// StartedWithKey is the way to start that the goals are about.
const StartedWithKey = "key from Config.JWTKey"

// FirstAnswer starts the program and says how long it takes until its first request is answered with 200. The program has
// ended when FirstAnswer returns.
func (s Start) FirstAnswer(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close() //nolint:errcheck // nothing is accepted here
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		return 0, err
	}
	defer socket.Close()                       //nolint:errcheck // the program has its own
	cmd := exec.CommandContext(ctx, s.program) //nolint:gosec // it was built here
	cmd.Env, cmd.ExtraFiles, cmd.Stderr = append(os.Environ(), s.env...), []*os.File{socket}, nil
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	status, err := s.send(ctx, l.Addr().String())
	took := time.Since(began)
	stdin.Close() //nolint:errcheck // the program ends then
	if waited := cmd.Wait(); err == nil {
		err = waited
	}
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s: the first answer has status %d", s.Name, status)
	}
	return took, err
}

func (s Start) send(ctx context.Context, address string) (status int, err error) {
	r := script().WithContext(ctx)
	r.RequestURI, r.URL.Scheme, r.URL.Host = "", "http", address
	r.Header.Set("Authorization", bearerScheme+s.token)
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

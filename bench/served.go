package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Served is one kind of request to one kind of server, as a load tool sends it.
type Served struct {
	Request, Server string

	send func(c *Course) (*http.Request, error)
}

// The servers and requests that the report refers to.
const (
	OpenServer     = "no middleware"
	FloorServer    = "a context value"
	OwnServer      = "clerkauth"
	loadTool       = "wrk"
	loadConnection = 16
)

// ServedRequests are the rows of the table of served requests.
func ServedRequests() []Served {
	bearer := func(c *Course) (*http.Request, error) {
		r := script()
		r.Header.Set("Authorization", bearerScheme+c.Pool.Tokens[0])
		return r, nil
	}
	withCookies := func(request func() *http.Request) func(c *Course) (*http.Request, error) {
		return func(c *Course) (*http.Request, error) {
			h, err := c.Handler(ours()[0], Workload{})
			if err != nil {
				return nil, err
			}
			line, err := withParty(h, cookies(c.Pool.Tokens[0], both))
			r := request()
			r.Header.Set("Cookie", line)
			return r, err
		}
	}
	rows := []Served{
		{BearerRow, OpenServer, bearer}, {BearerRow, FloorServer, bearer}, {BearerRow, OwnServer, bearer},
	}
	for _, g := range []Guard{clerkSDK(), goOIDC()} {
		rows = append(rows, Served{BearerRow, g.Name, bearer})
	}
	return append(
		rows,
		Served{CookiesRow, OpenServer, withCookies(script)}, Served{CookiesRow, OwnServer, withCookies(script)},
		Served{PageRow, OpenServer, withCookies(page)}, Served{PageRow, OwnServer, withCookies(page)},
	)
}

// Serve is a server's process: it serves on a port of this machine, which it prints, until stdin ends.
func Serve(server string, stdin io.Reader, stdout io.Writer) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c, err := NewCourse(ctx)
	if err != nil {
		return err
	}
	h := http.Handler(http.HandlerFunc(Handler))
	switch server {
	case OpenServer:
	case FloorServer:
		h = contextOnly(h)
	default:
		i := slices.IndexFunc(Guards(), func(g Guard) bool { return g.Name == server })
		if i < 0 {
			return fmt.Errorf("there is no guard %q", server)
		}
		if h, err = c.Handler(Guards()[i], Workload{}); err != nil {
			return err
		}
	}
	s := httptest.NewServer(h)
	defer s.Close()
	c.Pool = nil                            // its tokens are not the server's memory
	fmt.Fprintln(stdout, s.Listener.Addr()) //nolint:errcheck // the parent is gone then, and stdin with it
	_, err = io.Copy(io.Discard, stdin)
	return err
}

// Servers are processes of Serve, and the load tool beside them.
type Servers struct {
	course    *Course
	addresses map[string]string
	stop      []func()
	pinned    bool
}

// ErrNoLoadTool is returned where there is no wrk.
var ErrNoLoadTool = errors.New("wrk is not installed (Debian: apt-get install wrk)")

// StartServers starts a process of program for each server: on the first core, where there are two and taskset, and with
// GOMAXPROCS=1. Close ends them.
func StartServers(ctx context.Context, c *Course, program string, args ...string) (*Servers, error) {
	if _, err := exec.LookPath(loadTool); err != nil {
		return nil, ErrNoLoadTool
	}
	_, err := exec.LookPath("taskset")
	s := &Servers{course: c, addresses: map[string]string{}, pinned: err == nil && runtime.NumCPU() > 1}
	for _, row := range ServedRequests() {
		if s.addresses[row.Server] != "" {
			continue
		}
		if err := s.start(ctx, row.Server, append(append([]string{program}, args...), row.Server)); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// on puts a command on a core.
func (s *Servers) on(ctx context.Context, core string, command []string) *exec.Cmd {
	if s.pinned {
		command = append([]string{"taskset", "-c", core}, command...)
	}
	return exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // our own program, and wrk
}

func (s *Servers) start(ctx context.Context, server string, command []string) error {
	cmd := s.on(ctx, "0", command)
	cmd.Env, cmd.Stderr = append(os.Environ(), "GOMAXPROCS=1"), os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.stop = append(s.stop, func() {
		stdin.Close() //nolint:errcheck // what ends the process
		cmd.Wait()    //nolint:errcheck // its stdin ended
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the server %q does not start: %w", server, err)
	}
	s.addresses[server] = strings.TrimSpace(line)
	return nil
}

// Close ends the servers.
func (s *Servers) Close() {
	for _, stop := range s.stop {
		stop()
	}
}

var (
	perSecond = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	unwanted  = regexp.MustCompile(`(?m)^\s*(Non-2xx.*|Socket errors.*)$`)
)

// Load lets the load tool send a row's requests for a while and returns how many are answered in a second.
func (s *Servers) Load(ctx context.Context, row Served, d time.Duration) (float64, error) {
	r, err := row.send(s.course)
	if err != nil {
		return 0, err
	}
	command := []string{loadTool, "-t1", "-c" + strconv.Itoa(loadConnection), fmt.Sprintf("-d%ds", max(1, int(d.Seconds()))), "-H", "Host: " + r.Host}
	for name, values := range r.Header {
		command = append(command, "-H", name+": "+values[0])
	}
	url := "http://" + s.addresses[row.Server] + r.URL.RequestURI()
	out, err := s.on(ctx, "1", append(command, url)).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	rate, err := rateIn(out)
	if err != nil {
		return 0, fmt.Errorf("%s, %s: %w", row.Server, row.Request, err)
	}
	return rate, nil
}

// rateIn reads what the load tool prints. A server that does not answer every request as it must has no rate.
func rateIn(out []byte) (float64, error) {
	if bad := unwanted.Find(out); bad != nil {
		return 0, fmt.Errorf("%s: %s", loadTool, bytes.TrimSpace(bad))
	}
	found := perSecond.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("%s says nothing of requests: %s", loadTool, out)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

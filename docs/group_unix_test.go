//go:build unix

package docs_test

import (
	"os/exec"
	"syscall"
)

// inGroup has a command and all that it starts be interrupted together: go run starts the program that it builds.
func inGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
}

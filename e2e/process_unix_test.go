//go:build unix

package e2e_test

import (
	"os/exec"
	"syscall"
)

// group puts a program, and the processes that it starts, into a process group of its own.
func group(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// end kills the group.
func end(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

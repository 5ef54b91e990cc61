//go:build unix

package e2e_test

import (
	"os/exec"
	"syscall"
)

// group makes a program, once started, the first of a group of its own, to which the processes that it starts belong.
func group(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// end ends the group.
func end(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

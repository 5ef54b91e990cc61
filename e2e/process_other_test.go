//go:build !unix

package e2e_test

import "os/exec"

func group(*exec.Cmd) {}

func end(cmd *exec.Cmd) error { return cmd.Process.Kill() }

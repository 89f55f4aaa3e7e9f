//go:build unix

package pilot

import (
	"os/exec"
	"syscall"
)

// inGroup makes a command the leader of a process group of its own, so that
// what it starts can be ended with it.
func inGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// askGroup asks a process group to end.
func askGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGTERM) }

// killGroup ends a process group. One that is gone already is no error.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

// groupLives says whether a process of the group is still there.
func groupLives(pid int) bool { return syscall.Kill(-pid, 0) == nil }

//go:build !unix

package pilot

import (
	"os"
	"os/exec"
)

// Without process groups only the command itself is ended; what it started in
// turn is left to the system.
func inGroup(*exec.Cmd) {}

func askGroup(pid int) { killGroup(pid) }

func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}

func groupLives(int) bool { return false }

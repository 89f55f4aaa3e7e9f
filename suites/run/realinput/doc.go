// Package realinput tries the harness on a candidate that nobody wrote for it:
// one that feeds what other people published, as they published it. What comes
// of it is told in docs/real-input.md; nothing of that material is part of the
// project.
package realinput

package run

import (
	"fmt"
	"os"
)

// HoldsRun says whether a folder holds a run of ours.
func HoldsRun(path string) bool { return holdsRun(path) }

// RemoveRun removes a run from its folder, and the folder when nothing of others,
// and no decision of a person, is left in it.
func RemoveRun(path string) error {
	if !holdsRun(path) {
		return fmt.Errorf("remove the run in %s: %w", path, ErrForeign)
	}
	folder, err := CreateFolder(path) // which removes what the run had left
	if err != nil {
		return err
	}
	if err := folder.Abandon(); err != nil {
		return err
	}
	if left, err := os.ReadDir(path); err == nil && len(left) == 0 {
		return os.Remove(path)
	}
	return nil
}

package run

import (
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
)

// PublishAgain publishes what stands in a folder, for tests: what was written there
// went past the redactor.
func PublishAgain(path string, o Options, r *record.Redactor) error {
	if o.Register == nil {
		o.Register, o.Now = Register, time.Now
	}
	_, err := publish(&Folder{Path: path}, o, r)
	return err
}

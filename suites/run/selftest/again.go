package selftest

import (
	"context"
	"fmt"
	"strings"

	"github.com/etalon-sante/etalon/fixtures/flaws"
)

// faults says what is wrong with a row, "" when all is as declared.
func (r Row) faults() string {
	var out []string
	if r.Error != "" {
		return r.Error
	}
	if !r.Killed {
		out = append(out, fmt.Sprintf("%s was %s", r.Check, r.Verdict))
	}
	for _, id := range r.Unmoved {
		out = append(out, id+" did not move")
	}
	return strings.Join(append(out, r.Stray...), "; ")
}

// maxAgain is how many flaws are tried a second time: more of them are no matter
// of chance.
const maxAgain = 12

// again tries, one at a time, the flaws that did not come out as declared. Some
// are about which of two comes first, and a busy machine may turn that round.
// What differs the second time is told, and not taken for the same.
func (t *tester) again(ctx context.Context, all []flaws.Flaw, rows []Row) {
	var doubtful []int
	for i, r := range rows {
		if r.faults() != "" && t.lacks(all[i].Check) == "" {
			doubtful = append(doubtful, i)
		}
	}
	if len(doubtful) > maxAgain {
		return
	}
	for _, i := range doubtful {
		if second := t.try(ctx, all[i]); second.faults() == "" {
			second.First = rows[i].faults()
			rows[i] = second
		}
		t.tell(len(all), len(all), all[i].ID)
	}
}

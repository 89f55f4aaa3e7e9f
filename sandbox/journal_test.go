package sandbox

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/etalon-sante/etalon/sandbox/record"
)

func exchangeOf(id, patient string) record.Record {
	return record.Record{Kind: record.KindExchange, Patient: patient, Exchange: &record.Exchange{ID: id, Facts: &record.Facts{}}}
}

func idsOf(records []record.Record) (out []string) {
	for _, r := range records {
		out = append(out, r.Exchange.ID+"/"+r.Patient)
	}
	return out
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

func TestJournalGivesOutWhatNobodySignedInToWhenTheInteractionHasEnded(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	j := newJournal(record.NewRedactor(), func() time.Time { return now })
	ctx := context.Background()
	j.add(exchangeOf("x1", ""), "left")
	now = now.Add(time.Minute)
	j.add(exchangeOf("x2", ""), "going")
	j.add(exchangeOf("x3", ""), "") // belongs to no interaction
	read := func(after int) []string {
		records, err := j.read(ctx, after, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		return idsOf(records)
	}
	equal(t, read(0), []string{"x3/"})
	now = now.Add(heldFor - time.Minute)
	equal(t, read(1), []string{"x1/"})
	j.add(exchangeOf("x4", "anna"), "going")
	equal(t, read(2), []string{"x2/anna", "x4/anna"})
	now = now.Add(heldFor)
	equal(t, read(4), nil)
}

func TestJournalTellsAReaderWhoWaitsWhenTheContextOrTheSpaceEnds(t *testing.T) {
	j := newJournal(record.NewRedactor(), time.Now)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if records, err := j.read(ctx, 0, time.Hour, false); err != nil || len(records) != 0 {
		t.Fatalf("got %v, %v", records, err)
	}
	j.close()
	if _, err := j.read(context.Background(), 0, time.Hour, false); !errors.Is(err, errSpaceClosed) {
		t.Fatalf("got %v", err)
	}
}

func TestSecretsAreNotedWhereTheyStood(t *testing.T) {
	for _, c := range []struct {
		text string
		want bool
	}{
		{"/cb?code=«code-1»", true},
		{"code_challenge=«code-challenge-1»&code_verifier=«code-verifier-2»", false},
		{"«code-challenge-1» and «code-2»", true},
		{"Bearer «access-token-12»", true},
		{"Basic «basic-credentials-1»", true},
		{"state=«state-1»&nonce=«nonce-1»", false},
		{"«code-", false},
	} {
		if got := holdsSecret(c.text); got != c.want {
			t.Errorf("%s: got %v", c.text, got)
		}
	}
}

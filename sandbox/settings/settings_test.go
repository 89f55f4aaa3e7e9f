package settings

import "testing"

func TestTheEmbeddedSettingsAreRead(t *testing.T) {
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if s.ID() != "mes-2023" || s.Int("search.count-max") != 100 || len(s.Finalites()) != 4 {
		t.Fatalf("unexpected settings: %s %d %v", s.ID(), s.Int("search.count-max"), s.Finalites())
	}
}

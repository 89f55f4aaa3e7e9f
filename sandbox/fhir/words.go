package fhir

import "fmt"

// Wording is what a rule says, for those who must obey it.
type Wording struct {
	Rule   string               `yaml:"rule"`
	Source string               `yaml:"source"` // keys of the catalogue's sources.yaml, with sections
	Remedy Bilingual            `yaml:"remedy"`
	Says   map[string]Bilingual `yaml:"says"` // by case
}

// Bilingual is a text in the two languages of the house.
type Bilingual struct {
	EN string `yaml:"en"`
	FR string `yaml:"fr"`
}

// Words returns the wording of every rule of Catalogue, by id. It fails when the
// embedded tables cannot be read or give a rule twice.
func Words() (map[string]Wording, error) {
	const folder = "rules"
	files, err := tables.ReadDir("tables/" + folder)
	if err != nil {
		return nil, fmt.Errorf("read embedded tables: %w", err)
	}
	out := map[string]Wording{}
	for _, f := range files {
		var rows []Wording
		if err := readTable(folder+"/"+f.Name(), &rows); err != nil {
			return nil, err
		}
		for _, w := range rows {
			if out[w.Rule].Rule != "" {
				return nil, fmt.Errorf("read embedded table %s: %s is worded twice", f.Name(), w.Rule)
			}
			out[w.Rule] = w
		}
	}
	return out, nil
}

package identity

import (
	"fmt"
	"strconv"
	"strings"
)

// OIDs of the naming authorities of INS matricules that name no real person.
const (
	INSTestOID          = "1.2.250.1.213.1.4.10"
	INSDemonstrationOID = "1.2.250.1.213.1.4.11"
)

// CheckINS refuses an INS identity that is not a test one, or whose matricule is
// not well formed: no real person may enter the sandbox. The key is 97 less the
// remainder by 97 of the first 13 characters, the departments of Corsica being
// counted as 19 and 18.
func CheckINS(oid, ins string) error {
	if oid != INSTestOID && oid != INSDemonstrationOID {
		return fmt.Errorf("the INS authority %q is not a test one: only %s (test) and %s (demonstration) enter the sandbox, so that no real person can", oid, INSTestOID, INSDemonstrationOID)
	}
	if len(ins) != 15 {
		return fmt.Errorf("the INS matricule has %d characters, 15 are expected (13 and a key of 2)", len(ins))
	}
	body := ins[:13]
	switch strings.ToUpper(ins[5:7]) {
	case "2A":
		body = ins[:5] + "19" + ins[7:13]
	case "2B":
		body = ins[:5] + "18" + ins[7:13]
	}
	for _, c := range []byte(body + ins[13:]) {
		if c < '0' || c > '9' {
			return fmt.Errorf("the INS matricule holds the character %q where a digit is expected", c)
		}
	}
	n, err := strconv.ParseUint(body, 10, 64)
	if err != nil {
		return fmt.Errorf("read the INS matricule: %w", err)
	}
	key, err := strconv.ParseUint(ins[13:], 10, 64)
	if err != nil {
		return fmt.Errorf("read the key of the INS matricule: %w", err)
	}
	if want := 97 - n%97; key != want {
		return fmt.Errorf("the key of the INS matricule is %02d, %02d is expected", key, want)
	}
	return nil
}

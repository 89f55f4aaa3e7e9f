package cda

import (
	"fmt"
	"strconv"
	"strings"
)

// The naming authorities of the INS (hl7.fr.core, fr-core-patient-ins). The
// production ones name real people: no test may carry them.
const (
	OIDNIR           = "1.2.250.1.213.1.4.8"
	OIDNIA           = "1.2.250.1.213.1.4.9"
	OIDTest          = "1.2.250.1.213.1.4.10"
	OIDDemonstration = "1.2.250.1.213.1.4.11"
	OIDINSC          = "1.2.250.1.213.1.4.2" // computed by the software, no longer in use
)

// Production says whether an authority names real people.
func Production(oid string) bool { return oid == OIDNIR || oid == OIDNIA }

func isINS(oid string) bool { return Production(oid) || oid == OIDTest || oid == OIDDemonstration }

// CheckKey says what is wrong with the form or the key of an INS matricule: 13
// characters and a key of 2, which is 97 less the remainder by 97 of the first
// 13, Corsica's departments 2A and 2B being counted as 19 and 18. It returns ""
// when nothing is.
func CheckKey(ins string) string {
	if len(ins) != 15 {
		return fmt.Sprintf("%d characters", len(ins))
	}
	body := ins[:13]
	switch ins[5:7] {
	case "2A":
		body = ins[:5] + "19" + ins[7:13]
	case "2B":
		body = ins[:5] + "18" + ins[7:13]
	}
	if strings.Trim(body+ins[13:], "0123456789") != "" {
		return quote(ins)
	}
	n, err := strconv.ParseUint(body, 10, 64)
	if err != nil {
		return quote(ins)
	}
	if want := fmt.Sprintf("%02d", 97-n%97); want != ins[13:] {
		return fmt.Sprintf("%s (97 − %s mod 97 = %s)", ins[13:], ins[:13], want)
	}
	return ""
}

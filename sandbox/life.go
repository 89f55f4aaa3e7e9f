package sandbox

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/identity"
)

// checkLife refuses a patient whose profile or space makes no sense.
func checkLife(req control.PatientRequest) error {
	if (req.Holder == "") != (req.Profile == "") {
		return fmt.Errorf("an attached profile has a holder and a kind, holder is %q and profile %q", req.Holder, req.Profile)
	}
	if req.Profile != "" && !slices.Contains(control.ProfileKinds(), req.Profile) {
		return fmt.Errorf("profile is %q, it is one of %s", req.Profile, strings.Join(control.ProfileKinds(), ", "))
	}
	if req.Space != "" && !slices.Contains(control.SpaceStates(), req.Space) {
		return fmt.Errorf("space is %q, it is one of %s", req.Space, strings.Join(control.SpaceStates(), ", "))
	}
	return nil
}

// checkCard refuses addresses that a page cannot lead to.
func checkCard(c control.ServiceCard) error {
	for _, l := range []struct{ name, value string }{{"link", c.Link}, {"terms", c.Terms}} {
		u, err := url.Parse(l.value)
		if l.value != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
			return fmt.Errorf("card.%s is %q, an address that begins with https:// is expected", l.name, l.value)
		}
	}
	if len(c.Name) > 200 {
		return fmt.Errorf("card.name has %d characters, 200 at most are expected", len(c.Name))
	}
	return nil
}

// settle gives a new patient's space its state, and an attached profile the
// login of its holder.
func (sp *space) settle(acc *identity.Account, req control.PatientRequest) error {
	if req.Holder != "" {
		holder, ok := sp.identity.Account(req.Holder)
		if !ok {
			return fmt.Errorf("there is no holder %q", req.Holder)
		}
		acc.Login, acc.Password = holder.Login, holder.Password
	}
	if req.Space != "" {
		return sp.mes.SetSpace(req.Handle, req.Space)
	}
	return nil
}

// change carries out what a patch asks of the space besides its redirect URIs.
func (sp *space) change(p control.SpacePatch) error {
	if p.Card != nil {
		if err := checkCard(*p.Card); err != nil {
			return err
		}
		sp.identity.SetCard(*p.Card)
	}
	if p.ServiceStatus != "" {
		return sp.mes.SetServiceStatus(p.ServiceStatus)
	}
	return nil
}

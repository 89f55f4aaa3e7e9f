package control

// The statuses of a service in the catalogue of Mon espace santé, as its mobile
// application names them (ServiceStatusEnum).
const (
	ServiceOnline    = "EN_LIGNE"
	ServiceOffline   = "HORS_LIGNE"
	ServiceDelisted  = "DEREFERENCEE"
	ServicePilot     = "PRESERIE"
	ServiceSuspended = "SUSPENDUE"
)

// ServiceStatuses lists the statuses of a service.
func ServiceStatuses() []string {
	return []string{ServiceOnline, ServiceOffline, ServiceDelisted, ServicePilot, ServiceSuspended}
}

// The states of the space that Mon espace santé opens for a holder, who may
// oppose it beforehand, never activate it, or close it later. The words are
// ours: those of the real API are not public.
const (
	SpaceActive         = "active"
	SpaceRefused        = "refused"
	SpaceNeverActivated = "never-activated"
	SpaceClosed         = "closed"
)

// SpaceStates lists the states of a holder's space.
func SpaceStates() []string {
	return []string{SpaceActive, SpaceRefused, SpaceNeverActivated, SpaceClosed}
}

// The reasons for which consents must be approved again before a date.
const (
	ReapprovalVersion  = "version"  // the service has a new version of its authorisations
	ReapprovalMajority = "majority" // the patient has come of age
)

// ReapprovalReasons lists the reasons.
func ReapprovalReasons() []string { return []string{ReapprovalVersion, ReapprovalMajority} }

// The acts of the life of a pairing.
const (
	ActServiceStatus = "service-status" // the service has Act.Status for this patient alone; "" gives back the space's own
	ActReapproval    = "reapproval"     // consents must be approved again, for Act.Reason, before Act.Until
	ActApprove       = "approve"        // the patient approves again in Mon espace santé
	ActHolderSpace   = "holder-space"   // the patient's space is in the state Act.Status from now on
)

// ProfileKinds lists what a profile attached to a holder's account may be
// (AyantDroit and the delegations of the mobile application).
func ProfileKinds() []string { return []string{"child", "cared-for"} }

// ServiceCard is what the catalogue and the consent page say of the service.
type ServiceCard struct {
	Name  string `json:"name,omitempty"`  // shown to the patient; the client id when empty
	Link  string `json:"link,omitempty"`  // address at which the service is entered
	Terms string `json:"terms,omitempty"` // address of its terms of use
}

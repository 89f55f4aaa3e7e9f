package apk

import "strings"

// Kind is how Android treats a permission that an application asks for.
type Kind string

// The kinds of permission.
const (
	Normal    Kind = "normal"    // given without a word, or not of Android
	Dangerous Kind = "dangerous" // the person is asked, while the application runs
	Special   Kind = "special"   // the person gives it in the settings, and its reach is wide
	System    Kind = "system"    // kept for what comes with the phone, or for what its maker signed
	Tracking  Kind = "tracking"  // gives the advertising identifier
	Health    Kind = "health"    // of Health Connect: the person is asked for each kind of data
)

const (
	android = "android.permission."
	health  = "android.permission.health."
)

// kindOf says how Android treats a permission (reference of Manifest.permission).
func kindOf(name string) Kind {
	if strings.HasPrefix(name, health) {
		return Health
	}
	switch name {
	case "com.google.android.gms.permission.AD_ID", "com.google.android.gms.permission.ACTIVITY_RECOGNITION":
		if strings.HasSuffix(name, "AD_ID") {
			return Tracking
		}
		return Dangerous
	case "com.android.voicemail.permission.ADD_VOICEMAIL":
		return Dangerous
	}
	short, ok := strings.CutPrefix(name, android)
	if !ok {
		return Normal
	}
	if k, ok := kinds()[short]; ok {
		return k
	}
	return Normal
}

// imply adds what Android gives with what is asked for. These are the rules that
// Android's own aapt tells (uses-implied-permission): a test compares.
func (m *reading) imply() {
	target := m.res.SDK.Target
	add := func(name, by string, limit int) {
		for _, p := range m.res.Permissions {
			if p.Name == name {
				return
			}
		}
		m.res.Permissions = append(m.res.Permissions, Permission{Name: name, MaxSDK: limit, Kind: kindOf(name), Implied: by})
	}
	if target < 4 && m.res.SDK.Codename == "" {
		add(android+"WRITE_EXTERNAL_STORAGE", "targetSdkVersion", 0)
		add(android+"READ_PHONE_STATE", "targetSdkVersion", 0)
	}
	for _, rule := range []struct {
		by, gives string
		below     int // the level targeted from which it is so no more; 0: always
	}{
		{"WRITE_EXTERNAL_STORAGE", "READ_EXTERNAL_STORAGE", 0},
		{"READ_CONTACTS", "READ_CALL_LOG", 16},
		{"WRITE_CONTACTS", "WRITE_CALL_LOG", 16},
	} {
		for _, p := range m.res.Permissions {
			if p.Name == android+rule.by && (rule.below == 0 || target < rule.below) {
				add(android+rule.gives, p.Name, p.MaxSDK)
			}
		}
	}
}

// Reach says who may hold a permission that guards a component.
type Reach string

// Who may hold a permission.
const (
	Anyone   Reach = "anyone"   // whatever application asks for it
	Consent  Reach = "consent"  // an application to which the person gave it, perhaps for another reason
	Few      Reach = "few"      // what the same publisher or the phone's maker signed
	Doubtful Reach = "doubtful" // neither Android nor this application declares it: who declares it first decides
)

// Reach says who may hold a permission.
func (r Result) Reach(permission string) Reach {
	for _, o := range r.Own {
		if o.Name == permission {
			return [...]Reach{Anyone, Consent, Few, Few}[min(max(o.Level, 0), 3)]
		}
	}
	if strings.HasPrefix(permission, "com.google.android.") {
		return Few // of Play services, where they are
	}
	short, ok := strings.CutPrefix(permission, android)
	switch {
	case !ok:
		return Doubtful
	case kindOf(permission) == Dangerous || kindOf(permission) == Health:
		return Consent
	case strings.HasPrefix(short, "FOREGROUND_SERVICE"):
		return Anyone
	}
	switch short {
	case "ACCESS_NETWORK_STATE", "ACCESS_NOTIFICATION_POLICY", "ACCESS_WIFI_STATE", "BLUETOOTH", "BLUETOOTH_ADMIN",
		"BROADCAST_STICKY", "CHANGE_NETWORK_STATE", "CHANGE_WIFI_MULTICAST_STATE", "CHANGE_WIFI_STATE", "DISABLE_KEYGUARD",
		"EXPAND_STATUS_BAR", "GET_PACKAGE_SIZE", "HIGH_SAMPLING_RATE_SENSORS", "INTERNET", "KILL_BACKGROUND_PROCESSES",
		"MODIFY_AUDIO_SETTINGS", "NFC", "QUERY_ALL_PACKAGES", "READ_SYNC_SETTINGS", "READ_SYNC_STATS", "RECEIVE_BOOT_COMPLETED",
		"REORDER_TASKS", "REQUEST_IGNORE_BATTERY_OPTIMIZATIONS", "REQUEST_INSTALL_PACKAGES", "SET_ALARM", "SET_WALLPAPER",
		"TRANSMIT_IR", "USE_BIOMETRIC", "USE_FINGERPRINT", "USE_FULL_SCREEN_INTENT", "VIBRATE", "WAKE_LOCK", "WRITE_SYNC_SETTINGS":
		return Anyone
	}
	return Few
}

// kinds are Android's own permissions that are not plain ones.
func kinds() map[string]Kind {
	out := map[string]Kind{}
	for kind, names := range map[Kind][]string{
		Dangerous: {
			"ACCEPT_HANDOVER", "ACCESS_BACKGROUND_LOCATION", "ACCESS_COARSE_LOCATION", "ACCESS_FINE_LOCATION",
			"ACCESS_MEDIA_LOCATION", "ACTIVITY_RECOGNITION", "ANSWER_PHONE_CALLS", "BLUETOOTH_ADVERTISE",
			"BLUETOOTH_CONNECT", "BLUETOOTH_SCAN", "BODY_SENSORS", "BODY_SENSORS_BACKGROUND", "CALL_PHONE", "CAMERA",
			"GET_ACCOUNTS", "NEARBY_WIFI_DEVICES", "POST_NOTIFICATIONS", "PROCESS_OUTGOING_CALLS", "RANGING",
			"READ_CALENDAR", "READ_CALL_LOG", "READ_CONTACTS", "READ_EXTERNAL_STORAGE", "READ_MEDIA_AUDIO",
			"READ_MEDIA_IMAGES", "READ_MEDIA_VIDEO", "READ_MEDIA_VISUAL_USER_SELECTED", "READ_PHONE_NUMBERS",
			"READ_PHONE_STATE", "READ_SMS", "RECEIVE_MMS", "RECEIVE_SMS", "RECEIVE_WAP_PUSH", "RECORD_AUDIO",
			"SEND_SMS", "USE_SIP", "UWB_RANGING", "WRITE_CALENDAR", "WRITE_CALL_LOG", "WRITE_CONTACTS",
			"WRITE_EXTERNAL_STORAGE",
		},
		Special: {
			"BIND_ACCESSIBILITY_SERVICE", "BIND_DEVICE_ADMIN", "BIND_NOTIFICATION_LISTENER_SERVICE", "MANAGE_EXTERNAL_STORAGE",
			"MANAGE_MEDIA", "PACKAGE_USAGE_STATS", "QUERY_ALL_PACKAGES", "REQUEST_INSTALL_PACKAGES", "SYSTEM_ALERT_WINDOW",
			"WRITE_SETTINGS",
		},
		System: {
			"CAPTURE_AUDIO_OUTPUT", "CHANGE_CONFIGURATION", "CLEAR_APP_CACHE", "CLEAR_APP_USER_DATA", "DELETE_PACKAGES", "DEVICE_POWER", "DUMP",
			"FORCE_STOP_PACKAGES", "INJECT_EVENTS", "INSTALL_LOCATION_PROVIDER", "INSTALL_PACKAGES",
			"INTERACT_ACROSS_USERS", "INTERACT_ACROSS_USERS_FULL", "LOCAL_MAC_ADDRESS", "MASTER_CLEAR", "MODIFY_PHONE_STATE",
			"MOUNT_UNMOUNT_FILESYSTEMS", "READ_FRAME_BUFFER", "READ_LOGS", "READ_PRIVILEGED_PHONE_STATE", "REBOOT",
			"RECEIVE_EMERGENCY_BROADCAST", "SET_TIME", "SHUTDOWN", "STATUS_BAR", "UPDATE_DEVICE_STATS", "WRITE_APN_SETTINGS", "WRITE_GSERVICES", "WRITE_SECURE_SETTINGS",
		},
	} {
		for _, n := range names {
			out[n] = kind
		}
	}
	return out
}

package sarif

// The objects of SARIF 2.1.0 that étalon writes, by the sections of the standard
// (OASIS, SARIF 2.1.0 errata 01).
type (
	document struct { // §3.13
		Schema  string   `json:"$schema"`
		Version string   `json:"version"`
		Runs    []oneRun `json:"runs"`
	}
	oneRun struct { // §3.14
		Tool         tool           `json:"tool"`
		Language     string         `json:"language"`
		Automation   automation     `json:"automationDetails"`
		Invocations  []invocation   `json:"invocations"`
		Results      []result       `json:"results"`
		Artifacts    []artifact     `json:"artifacts,omitempty"`
		Taxonomies   []component    `json:"taxonomies"`
		Translations []component    `json:"translations"`
		ColumnKind   string         `json:"columnKind"`
		Properties   map[string]any `json:"properties"`
	}
	tool struct { // §3.18
		Driver component `json:"driver"`
	}
	component struct { // §3.19
		Name            string       `json:"name"`
		GUID            string       `json:"guid"`
		Version         string       `json:"version,omitempty"`
		InformationURI  string       `json:"informationUri,omitempty"`
		Language        string       `json:"language"`
		Short           *message     `json:"shortDescription,omitempty"`
		Full            *message     `json:"fullDescription,omitempty"`
		Contents        []string     `json:"contents"`
		IsComprehensive bool         `json:"isComprehensive"`
		Rules           []descriptor `json:"rules,omitempty"`
		Taxa            []descriptor `json:"taxa,omitempty"`
		Taxonomies      []reference  `json:"supportedTaxonomies,omitempty"`
		Associated      *reference   `json:"associatedComponent,omitempty"`
	}
	descriptor struct { // §3.49
		ID            string         `json:"id"`
		Short         *message       `json:"shortDescription,omitempty"`
		Full          *message       `json:"fullDescription,omitempty"`
		Help          *message       `json:"help,omitempty"`
		Default       *configuration `json:"defaultConfiguration,omitempty"`
		Relationships []relationship `json:"relationships,omitempty"`
		Properties    map[string]any `json:"properties,omitempty"`
	}
	configuration struct { // §3.50
		Level string `json:"level"`
	}
	relationship struct { // §3.53
		Target target   `json:"target"`
		Kinds  []string `json:"kinds"`
	}
	// target refers to a descriptor of another component, §3.52.
	target struct {
		ID        string    `json:"id,omitempty"`
		Index     int       `json:"index"`
		Component reference `json:"toolComponent"`
	}
	// reference refers to a component (§3.54) or to a descriptor (§3.52).
	reference struct {
		ID   string `json:"id,omitempty"`
		Name string `json:"name,omitempty"`
		GUID string `json:"guid,omitempty"`
	}
	message struct { // §3.11, §3.12
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	automation struct { // §3.17
		ID          string  `json:"id"`
		Description message `json:"description"`
	}
	invocation struct { // §3.20
		CommandLine     string         `json:"commandLine,omitempty"`
		ExitCode        int            `json:"exitCode"`
		ExitDescription string         `json:"exitCodeDescription"`
		Successful      bool           `json:"executionSuccessful"`
		Start           string         `json:"startTimeUtc,omitempty"`
		End             string         `json:"endTimeUtc,omitempty"`
		Notifications   []notification `json:"toolExecutionNotifications"`
	}
	notification struct { // §3.58
		Level      string     `json:"level"`
		Message    message    `json:"message"`
		Descriptor reference  `json:"descriptor"`
		Rule       *reference `json:"associatedRule,omitempty"`
	}
	result struct { // §3.27
		RuleID          string            `json:"ruleId"`
		RuleIndex       int               `json:"ruleIndex"`
		Kind            string            `json:"kind"`
		Level           string            `json:"level"`
		Message         message           `json:"message"`
		Locations       []location        `json:"locations"`
		Partial         map[string]string `json:"partialFingerprints"`
		OccurrenceCount int               `json:"occurrenceCount,omitempty"`
		Taxa            []target          `json:"taxa,omitempty"`
		Request         *webRequest       `json:"webRequest,omitempty"`
		Response        *webResponse      `json:"webResponse,omitempty"`
		Suppressions    []suppression     `json:"suppressions,omitempty"`
		Properties      map[string]any    `json:"properties"`
	}
	suppression struct { // §3.35
		Kind          string         `json:"kind"`
		Status        string         `json:"status"`
		Justification string         `json:"justification"`
		Properties    map[string]any `json:"properties,omitempty"`
	}
	location struct { // §3.28
		Physical physical  `json:"physicalLocation"`
		Logical  []logical `json:"logicalLocations"`
	}
	physical struct { // §3.29
		Artifact artifactLocation `json:"artifactLocation"`
		Region   region           `json:"region"`
	}
	artifactLocation struct { // §3.4
		URI string `json:"uri"`
	}
	region struct { // §3.30
		StartLine int `json:"startLine"`
	}
	logical struct { // §3.33
		Name string `json:"name"`
		Full string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
	artifact struct { // §3.24
		Location artifactLocation  `json:"location"`
		Length   int64             `json:"length"`
		Roles    []string          `json:"roles"`
		Hashes   map[string]string `json:"hashes,omitempty"`
	}
	webRequest struct { // §3.46
		Protocol string            `json:"protocol"`
		Target   string            `json:"target"`
		Method   string            `json:"method"`
		Headers  map[string]string `json:"headers"`
		Body     *content          `json:"body,omitempty"`
	}
	webResponse struct { // §3.47
		Protocol   string            `json:"protocol"`
		StatusCode int               `json:"statusCode"`
		Headers    map[string]string `json:"headers"`
		Body       *content          `json:"body,omitempty"`
	}
	content struct { // §3.3
		Text string `json:"text"`
	}
)

package realinput_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// asCandidate makes the test binary play the candidate: an exec pilot needs a
// command, and this one is at hand wherever the tests run.
const asCandidate = "feed-published"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == asCandidate {
		if err := play(os.Args[2], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// published names, for each kind of measure, the example that is published.
// Kinds without one are those that this candidate cannot send.
func published() map[string]string {
	return map[string]string{
		"weight":         "Observation-ExampleMesFrObservationBodyWeight001.json",
		"height":         "Observation-ExampleMesFrObservationBodyHeight001.json",
		"blood-pressure": "Observation-ExampleMesFrObservationBP001.json",
		"hba1c":          "Observation-ExampleMesObservationGlucose001.json",
		"head":           "Observation-ExampleMesObservationHeadCircumference001.json",
		"heart-rate":     "Observation-ExampleMesFrObservationHeartrate001.json",
	}
}

const publishedDevice = "Device-phd-74E8FFFEFF051C00.json"

func publishedDocuments() []string {
	return []string{"DocumentReference-PDSmSimplifiedExample.json", "DocumentReference-exemple-pdsm-documentreference.json"}
}

// lent is what a candidate that does not claim pairing is handed with each action.
type lent struct {
	Endpoints struct {
		FHIR          string `json:"fhir"`
		IDTokenHeader string `json:"idTokenHeader"`
	} `json:"endpoints"`
	Tokens struct {
		AccessToken string `json:"accessToken"`
		IDToken     string `json:"idToken"`
	} `json:"tokens"`
	CA string `json:"ca"`
}

type call struct {
	Action  string `json:"action"`
	Payload struct {
		MES     lent `json:"mes"`
		Measure struct {
			Kind   string          `json:"kind"`
			Device json.RawMessage `json:"device"`
		} `json:"measure"`
	} `json:"payload"`
}

type answer struct {
	Status  string `json:"status"`
	Message string `json:"message,omitempty"`
}

// play answers one action with what stands in a folder of published examples.
func play(folder string, in io.Reader, out io.Writer) error {
	var c call
	if err := json.NewDecoder(in).Decode(&c); err != nil {
		return err
	}
	a, err := act(folder, c)
	if err != nil {
		a = answer{Status: "failed", Message: err.Error()}
	}
	return json.NewEncoder(out).Encode(a)
}

func act(folder string, c call) (answer, error) {
	switch c.Action {
	case "send-measure":
		name, ok := published()[c.Payload.Measure.Kind]
		if !ok {
			return answer{Status: "unsupported", Message: "no example of this measure is published"}, nil
		}
		bundle, err := transaction(filepath.Join(folder, "mesures-examples"), name, len(c.Payload.Measure.Device) > 0)
		if err != nil {
			return answer{}, err
		}
		return post(c.Payload.MES, "", bundle)
	case "send-document":
		last := answer{Status: "failed", Message: "there is no document"}
		for _, name := range publishedDocuments() {
			raw, err := os.ReadFile(filepath.Join(folder, "pdsm", "example", name))
			if err != nil {
				return answer{}, err
			}
			if last, err = post(c.Payload.MES, "/DocumentReference", raw); err != nil {
				return answer{}, err
			}
		}
		return last, nil
	}
	return answer{Status: "unsupported"}, nil
}

// transaction wraps an example, byte for byte, in the least that the API asks
// for: what is published are resources, not messages.
func transaction(folder, name string, withDevice bool) ([]byte, error) {
	type request struct {
		Method      string `json:"method"`
		URL         string `json:"url"`
		IfNoneExist string `json:"ifNoneExist,omitempty"`
	}
	type entry struct {
		FullURL  string          `json:"fullUrl"`
		Resource json.RawMessage `json:"resource"`
		Request  request         `json:"request"`
	}
	raw, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return nil, err
	}
	entries := []entry{{"urn:uuid:3b0c8a52-7b0f-4f43-8a9b-5d7d2b1d5f10", raw, request{Method: "POST", URL: "Observation"}}}
	if withDevice {
		if raw, err = os.ReadFile(filepath.Join(folder, publishedDevice)); err != nil {
			return nil, err
		}
		var d struct {
			Identifier []struct{ System, Value string }
		}
		if err := json.Unmarshal(raw, &d); err != nil || len(d.Identifier) == 0 {
			return nil, errors.Join(errors.New("the published device has no identifier"), err)
		}
		entries = append(entries, entry{"urn:uuid:3b0c8a52-7b0f-4f43-8a9b-5d7d2b1d5f11", raw, request{
			Method: "POST", URL: "Device", IfNoneExist: "identifier=" + d.Identifier[0].System + "|" + d.Identifier[0].Value,
		}})
	}
	return json.Marshal(map[string]any{"resourceType": "Bundle", "type": "transaction", "entry": entries})
}

func post(m lent, path string, body []byte) (answer, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(m.CA)) {
		return answer{}, errors.New("no certificate authority was handed over")
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	req, err := http.NewRequest(http.MethodPost, m.Endpoints.FHIR+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/fhir+json")
	req.Header.Set("Authorization", "Bearer "+m.Tokens.AccessToken)
	req.Header.Set(m.Endpoints.IDTokenHeader, m.Tokens.IDToken)
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	if res.StatusCode/100 == 2 {
		return answer{Status: "done"}, nil
	}
	return answer{Status: "failed", Message: fmt.Sprintf("Mon espace santé answers %d", res.StatusCode)}, nil
}

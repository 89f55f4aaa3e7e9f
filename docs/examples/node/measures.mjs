// Measures as Mon espace santé takes them: one FHIR transaction holding one
// Observation, and the Device that made the measure when there is one.

import { randomUUID } from "node:crypto";
import { Refused } from "./mes.mjs";

const profiles = "https://fhir.monespacesante.fr/ref/mesure/StructureDefinition/mes-observation-";
const extensions = "https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/mesures-";
const loinc = "http://loinc.org";
const taasip = "https://mos.esante.gouv.fr/NOS/TRE_R308-TAASIP/FHIR/TRE-R308-TAASIP";
const emdn = "urn:oid:1.2.250.1.213.2.68";
const ucum = "http://unitsofmeasure.org";
const mdc = "urn:iso:std:iso:11073:10101";

// kind -> profile, code, unit as shown, unit in UCUM
const kinds = {
  weight: ["bodyweight", "29463-7", "kg", "kg"],
  height: ["bodyheight", "8302-2", "cm", "cm"],
  temperature: ["bodytemperature", "8310-5", "Cel", "Cel"],
  waist: ["waistcircumference", "8280-0", "cm", "cm"],
  head: ["headcircumference", "8287-5", "cm", "cm"],
  "heart-rate": ["heartrate", "8867-4", "/min", "/min"],
  pain: ["painseverity", "72514-3", "Level", "1"],
  steps: ["stepsbyday", "41950-7", "steps/day", "1/(24.h)"],
  "blood-pressure": ["bp", "85354-9", "mm[Hg]", "mm[Hg]"],
  glucose: ["glucose", "2345-7", "mg/dL", "mg/dL"],
  hba1c: ["glucose", "4548-4", "%", "%"],
  "interstitial-glucose": ["glucose", "MED-969", "mg/dL", "mg/dL"],
  gmi: ["glucose", "MED-972", "%", "%"],
};
const readOnly = { bmi: "39156-5" }; // computed by Mon espace santé

const moments = { fasting: "53049-3", "after-meal": "16915-1", "before-meal": "88365-2", "after-exercise": "LA11865-5", other: "LA46-8" };
const days = { 7: "GEN-275", 14: "GEN-276", 30: "GEN-277", 90: "GEN-278" };
const pressures = { systolic: "8480-6", diastolic: "8462-4" };
const devices = { scale: "528399", thermometer: "528392", "blood-pressure": "528391", glucose: "528401", activity: "528455" };

// How a device measures, for the profiles that have a code for it (value sets
// J145, J150, J152, J155, J158 and J147). Without one the field stays out: it is
// optional, and a code from elsewhere is refused.
const methods = {
  weight: { scale: "V030210" },
  "blood-pressure": { "blood-pressure": "Z1203020501" },
  temperature: { thermometer: "V03010102" },
  glucose: { glucose: "Z1204011501" },
  steps: { activity: "Y210905" },
  "heart-rate": { activity: "Y210905" },
};

const coded = (system, code) => ({ coding: [{ system, code }] });
const systemOf = (code) => (code.startsWith("MED-") ? taasip : loinc);

/** The code by which measures of a kind are searched. */
export function codeOf(kind) {
  const code = kinds[kind]?.[1] ?? readOnly[kind];
  if (!code) throw new Refused(`Ce service ne connaît pas la mesure ${kind}.`);
  return code;
}

/** The transaction that feeds one measure of the contract. */
export function bundleOf(measure, { idpe, assignAuth }, oid) {
  const known = kinds[measure.kind];
  if (!known) throw new Refused(`Ce service n'envoie pas la mesure ${measure.kind}.`);
  const [profile, code, unit, unitCode] = known;
  const quantity = (value) => ({ value, unit, system: ucum, code: unitCode });
  const observation = {
    resourceType: "Observation",
    meta: { profile: [profiles + profile], source: `urn:oid:${oid}` },
    status: "final",
    category: [coded("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")],
    code: coded(systemOf(code), code),
    subject: { identifier: { system: assignAuth, value: idpe } },
    effectiveDateTime: measure.at, // with its offset, as given
  };
  if (measure.components) {
    observation.component = Object.entries(pressures).map(([name, c]) => ({ code: coded(loinc, c), valueQuantity: quantity(measure.components[name]) }));
  } else {
    observation.valueQuantity = quantity(measure.value);
  }
  // The moment is for glucose alone, the number of days for what is computed
  // over a period: Mon espace santé refuses them elsewhere.
  const extension = [];
  if (measure.kind === "glucose") {
    extension.push({ url: `${extensions}moment-of-measurement`, valueCodeableConcept: coded(loinc, moments[measure.moment] ?? moments.other) });
  }
  if (measure.kind === "interstitial-glucose" || measure.kind === "gmi") {
    extension.push({ url: `${extensions}number-of-days`, valueCodeableConcept: coded(taasip, days[measure.days] ?? "GEN-092.08.05") });
  }
  if (extension.length > 0) observation.extension = extension;

  const entry = [{ fullUrl: `urn:uuid:${randomUUID()}`, resource: observation, request: { method: "POST", url: "Observation" } }];
  if (measure.device) {
    const device = deviceOf(measure.device, oid);
    const method = methods[measure.kind]?.[measure.device.kind];
    if (method) observation.method = coded(emdn, method);
    observation.device = { reference: `Device/${device.id}` };
    const [{ system, value }] = device.identifier;
    entry.push({ fullUrl: `urn:uuid:${device.id}`, resource: device, request: { method: "POST", url: "Device", ifNoneExist: `identifier=${system}|${value}` } });
  }
  return { resourceType: "Bundle", type: "transaction", entry };
}

function deviceOf({ kind, id, manufacturer, model }, oid) {
  return {
    resourceType: "Device",
    id: randomUUID(),
    meta: { profile: ["http://hl7.org/fhir/uv/phd/StructureDefinition/PhdDevice"] },
    // Devices are numbered under the OID of this service's solution.
    identifier: [{ system: `urn:oid:${oid}.1`, value: id }],
    type: coded(mdc, "65573"),
    specialization: [{ systemType: coded(mdc, devices[kind] ?? "528457") }],
    manufacturer,
    modelNumber: model,
  };
}

/** A measure of the contract, from an Observation received. */
export function measureOf(observation) {
  const codes = (observation.code?.coding ?? []).map((c) => c.code);
  const kind = [...Object.keys(kinds), ...Object.keys(readOnly)].find((k) => codes.includes(codeOf(k)));
  const measure = { kind, at: observation.effectiveDateTime };
  if (observation.valueQuantity) {
    measure.value = observation.valueQuantity.value;
    measure.unit = observation.valueQuantity.code ?? observation.valueQuantity.unit;
  }
  if (observation.component) {
    const value = (code) => observation.component.find((c) => c.code.coding.some((x) => x.code === code))?.valueQuantity;
    measure.components = { systolic: value(pressures.systolic)?.value, diastolic: value(pressures.diastolic)?.value };
    measure.unit = value(pressures.systolic)?.code;
  }
  return measure;
}

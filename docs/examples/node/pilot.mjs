// The actions of the pilot contract (docs/pilot.openapi.yaml). Each receives
// the call and returns the answer; what it throws is answered as "refused" or
// "failed" by the server.

import { bundleOf, codeOf, measureOf } from "./measures.mjs";
import { Busy, Refused } from "./mes.mjs";

export function actions({ mes, accountOf, oneTimeLink }) {
  const paired = (call) => {
    const account = accountOf(call.patient);
    if (!account.pairing) throw new Refused("Ce compte n'est pas relié à Mon espace santé.");
    return account;
  };

  return {
    async configure({ payload }) {
      mes.configure(payload.mes);
      return { status: "done", data: { redirectUris: [mes.redirectUri] } };
    },

    async pair({ patient }) {
      if (!mes.configured) return { status: "failed", message: "configure comes first" };
      return { status: "done", open: oneTimeLink(accountOf(patient)) };
    },

    async unpair(call) {
      const account = paired(call);
      const { pairing } = account;
      // Forgotten first: even if the revocation fails, nothing more is sent.
      account.pairing = null;
      account.lastError = "";
      await mes.revoke(pairing);
      return { status: "done" };
    },

    async status({ patient }) {
      const account = accountOf(patient);
      return {
        status: "done",
        data: { paired: account.pairing !== null, offersPairing: account.pairing === null, lastError: account.lastError },
      };
    },

    async "send-measure"(call) {
      const account = paired(call);
      const { idpe } = account.pairing;
      const bundle = bundleOf(call.payload.measure, account.pairing, mes.oid);
      const send = () => mes.call(account, "MESURES_ECRITURE", (p) => ({ method: "POST", url: mes.fhir(""), body: bundle, pairing: p }));
      try {
        await send();
        return { status: "done" };
      } catch (error) {
        if (!(error instanceof Busy)) throw error;
        // Mon espace santé is busy for longer than anybody waits: the measure goes
        // when it says, neither sooner nor never.
        // When the pairing has ended by then, or is with another record, it stays here.
        const again = async () => account.pairing?.idpe === idpe && send();
        setTimeout(() => again().catch((e) => console.error("later:", e.message)), error.wait);
        return { status: "failed", message: `busy: kept, and sent again in ${Math.ceil(error.wait / 1000)} s` };
      }
    },

    async "read-measures"(call) {
      const account = paired(call);
      const { kind, from, to, last } = call.payload;
      const { idpe, assignAuth } = account.pairing;
      const query = new URLSearchParams({ code: codeOf(kind), "subject.identifier": `${assignAuth}|${idpe}` });
      if (last) {
        query.append("_count", "1");
        query.append("_sort", "-date");
      } else {
        query.append("date", `ge${from}`);
        query.append("date", `le${to}`);
        query.append("_count", "50");
      }
      const measures = [];
      let url = `${mes.fhir("/Observation")}?${query}`;
      for (let pages = 0; url && pages < 100; pages++) {
        const { json } = await mes.call(account, "MESURES_LECTURE", (p) => ({ method: "GET", url, pairing: p }));
        for (const { resource } of json.entry ?? []) {
          // Devices and remarks travel along; a measure entered in error is no
          // longer one.
          if (resource?.resourceType === "Observation" && resource.status !== "entered-in-error") measures.push(measureOf(resource));
        }
        url = last ? null : mes.nextPage(json, url);
      }
      return { status: "done", data: { measures } };
    },
  };
}

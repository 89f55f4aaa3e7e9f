// The client of Mon espace santé: authorization code with PKCE, tokens and
// their renewal, business calls.

import { createHash, randomBytes } from "node:crypto";
import { verifyIdToken } from "./idtoken.mjs";
import { Transport } from "./transport.mjs";

/** Something was declined; the message is fit to be shown to the patient. */
export class Refused extends Error {}

/** The authorization server said no, by name. */
class TokenRefused extends Error {}

/** Mon espace santé asks to come back after so many milliseconds, more than anybody waits for an answer. */
export class Busy extends Error {
  constructor(message, wait) {
    super(message);
    this.wait = wait;
  }
}

const patience = 5000; // milliseconds that an action may spend on waiting
const tries = 5; // of one call, while the other side is out of service
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** How long to wait: what Retry-After says, in seconds or as a date, else longer each time. */
function pause(response, tried) {
  const said = response.headers["retry-after"];
  if (said === undefined) return 200 * 2 ** tried;
  const ms = /^\d+$/.test(said) ? Number(said) * 1000 : Date.parse(said) - Date.now();
  return Number.isNaN(ms) ? 1000 : Math.min(Math.max(ms, 0), 3_600_000) + 50;
}

const random = () => randomBytes(32).toString("base64url"); // 256 bits

export class MonEspaceSante {
  constructor({ redirectUri }) {
    this.redirectUri = redirectUri;
    this.configured = false;
  }

  /** Takes the addresses, the client and the authority to trust. */
  configure({ endpoints, client, clientAuth, oid, ca }) {
    Object.assign(this, { endpoints, client, clientAuth, oid, configured: true });
    this.transport = new Transport({ ca });
    this.keys = null;
  }

  fhir(path) {
    return this.endpoints.fhir + path;
  }

  /** The address that begins a pairing, and what must wait for its return. */
  authorization(handle) {
    const pending = { state: random(), nonce: random(), verifier: random() };
    const query = new URLSearchParams({
      response_type: "code",
      client_id: this.client.id,
      redirect_uri: this.redirectUri,
      scope: "openid",
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: createHash("sha256").update(pending.verifier).digest("base64url"),
      code_challenge_method: "S256",
    });
    if (this.endpoints.accountParameter) {
      // What the patient is shown of the account that is about to be paired. The
      // example knows its accounts by their handle only.
      const login = `carnet-${handle}`;
      const account = { firstName: "Titulaire", lastName: `du compte ${login}`, email: `${login}@example.test`, login };
      query.set(this.endpoints.accountParameter, Buffer.from(JSON.stringify(account)).toString("base64url"));
    }
    return { location: `${this.endpoints.authorization}?${query}`, pending };
  }

  /** Ends a pairing with what came back (its state has been checked). */
  async pair(params, pending) {
    const iss = params.get("iss");
    if (iss !== null && iss !== this.endpoints.issuer) throw new Error("the return comes from another issuer");
    if (params.has("error")) throw new Refused("Vous n'avez pas donné votre accord dans Mon espace santé.");
    const tokens = await this.token({
      grant_type: "authorization_code",
      code: params.get("code") ?? "",
      redirect_uri: this.redirectUri,
      code_verifier: pending.verifier,
    });
    return this.pairing(tokens, pending.nonce);
  }

  /** Turns a token answer into a pairing, once its id_token has been verified. */
  async pairing(tokens, nonce, before = {}) {
    const pairing = {
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token ?? before.refreshToken, // rotation: the last one counts
      idToken: tokens.id_token ?? before.idToken,
      scope: (tokens.scope ?? "").split(" ").filter(Boolean),
      sub: before.sub,
      idpe: before.idpe,
      assignAuth: before.assignAuth,
    };
    if (pairing.scope.length === 0) pairing.scope = before.scope ?? [];
    if (tokens.id_token || !before.idToken) {
      const claims = await verifyIdToken(tokens.id_token, {
        issuer: this.endpoints.issuer,
        audience: this.client.id,
        nonce,
        keys: (fresh) => this.jwks(fresh),
      });
      if (before.sub && claims.sub !== before.sub) throw new Error("the renewed id_token is about someone else");
      if (!claims.idPe || !claims.assignAuth) throw new Error("the id_token names no patient");
      Object.assign(pairing, { sub: claims.sub, idpe: claims.idPe, assignAuth: claims.assignAuth });
    }
    return pairing;
  }

  async jwks(fresh) {
    if (!this.keys || fresh) {
      const { status, json } = await this.transport.send({ url: this.endpoints.jwks });
      if (status !== 200) throw new Error(`the key set answered ${status}`);
      this.keys = json.keys ?? [];
    }
    return this.keys;
  }

  /** One request to the token or revocation address, client authenticated. */
  async post(url, fields) {
    const form = new URLSearchParams(fields);
    const headers = { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" };
    if (this.clientAuth === "client_secret_post") {
      form.set("client_id", this.client.id);
      form.set("client_secret", this.client.secret);
    } else {
      const pair = [this.client.id, this.client.secret].map((s) => new URLSearchParams({ s }).toString().slice(2)).join(":");
      headers.Authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
    }
    return this.transport.send({ method: "POST", url, headers, body: form.toString() });
  }

  async token(fields) {
    const { status, json } = await this.post(this.endpoints.token, fields);
    if (status === 200 && json?.access_token && !json.error && /^bearer$/i.test(json.token_type ?? "")) return json;
    const message = `the token address answered ${status} ${json?.error ?? ""}`;
    // A refusal has a name. An error 500, a page or a redirection refuses nothing.
    throw (status === 400 || status === 401) && json?.error ? new TokenRefused(message) : new Error(message);
  }

  /** Tells Mon espace santé that the tokens are of no more use. */
  async revoke({ accessToken, refreshToken }) {
    for (const [token, hint] of [[refreshToken, "refresh_token"], [accessToken, "access_token"]]) {
      if (!token) continue;
      const { status } = await this.post(this.endpoints.revocation, { token, token_type_hint: hint });
      if (status !== 200) throw new Error(`the revocation address answered ${status}`);
    }
  }

  /**
   * One business call. make(pairing) describes the request. Tokens that are
   * refused (401: access_token, 400: id_token) are renewed once, and the call
   * is then repeated once; no other refusal is repeated. The calls of one
   * account follow each other: two renewals at once would spend the same
   * refresh token twice.
   */
  call(account, finalite, make) {
    const turn = (account.turn ?? Promise.resolve()).then(() => this.inTurn(account, finalite, make));
    account.turn = turn.catch(() => {});
    return turn;
  }

  async inTurn(account, finalite, make) {
    let response = await this.patiently(account, make);
    if (response.status === 401 || response.status === 400) {
      const refused = account.pairing.idToken;
      await this.renew(account);
      // The same id_token would be refused again.
      if (response.status === 400 && account.pairing.idToken === refused) return this.ended(account);
      response = await this.patiently(account, make);
    }
    if (response.status < 300) {
      // A page, or half an answer, is no answer.
      if (response.json?.resourceType !== "Bundle") return this.out(account, "the answer is no Bundle");
      account.lastError = "";
      return response;
    }
    if (response.status === 401) return this.ended(account);
    if (response.status === 403) {
      const scope = `mes:${finalite.toLowerCase()}`;
      // Agreed to and refused now: a renewal tells whether the pairing is over,
      // and its scope what is still agreed to. The call is not repeated.
      if (account.pairing.scope.includes(scope)) await this.renew(account);
      const code = response.json?.issue?.[0]?.code;
      if (!account.pairing.scope.includes(scope)) {
        account.lastError = "Vous n'autorisez pas, ou plus, cet échange dans Mon espace santé.";
      } else if (code === "business-rule") {
        account.lastError = "Mon espace santé a suspendu les échanges avec notre service.";
      } else if (code === "expired") {
        account.lastError = "Mon espace santé demande votre accord de nouveau. Reliez encore une fois votre compte.";
      } else {
        return this.ended(account);
      }
    } else if (response.status === 409) {
      account.lastError = "Mon espace santé ne reconnaît plus notre service pour votre compte. Nous cherchons pourquoi.";
    } else {
      account.lastError = `Mon espace santé a refusé l'échange (${response.status}).`;
    }
    throw new Error(account.lastError);
  }

  /**
   * A call, repeated only while Mon espace santé says that it has not taken it
   * (429, 503). A connection that breaks, or an error from between (502, 504), may
   * come after the measure was stored: that is not repeated, the patient is told.
   */
  async patiently(account, make) {
    let spent = 0;
    for (let tried = 0; ; tried++) {
      // It may have ended while this waited.
      if (!account.pairing) throw new Refused("Ce compte n'est pas relié à Mon espace santé.");
      let response;
      try {
        response = await this.business(make(account.pairing));
      } catch (error) {
        this.out(account, error.message);
      }
      if (response.status !== 429 && response.status !== 503) return response;
      const wait = pause(response, tried);
      spent += wait;
      if (tried + 1 === tries || spent > patience) {
        account.lastError = "Mon espace santé est occupé : l'échange n'a pas encore eu lieu.";
        throw new Busy(account.lastError, wait);
      }
      await sleep(wait);
    }
  }

  /** Something went wrong on the way: the patient learns of it, the pairing stays. */
  out(account, why) {
    console.error("outage:", why);
    account.lastError = "Mon espace santé ne répond pas comme il le devrait. L'échange n'a peut-être pas eu lieu.";
    throw new Error(account.lastError);
  }

  async renew(account) {
    let tokens;
    try {
      tokens = await this.token({ grant_type: "refresh_token", refresh_token: account.pairing.refreshToken });
    } catch (error) {
      // Nothing but a refusal ends a pairing.
      if (!(error instanceof TokenRefused)) this.out(account, error.message);
      console.error("renewal:", error.message);
      this.ended(account);
    }
    try {
      account.pairing = await this.pairing(tokens, undefined, account.pairing);
    } catch (error) {
      console.error("renewal:", error.message);
      this.ended(account);
    }
  }

  ended(account) {
    account.pairing = null;
    account.lastError = "Le lien avec Mon espace santé a pris fin. Vous pouvez l'établir de nouveau.";
    throw new Refused(account.lastError);
  }

  business({ method, url, body, pairing }) {
    const headers = {
      Authorization: `Bearer ${pairing.accessToken}`,
      [this.endpoints.idTokenHeader]: pairing.idToken,
      Accept: "application/fhir+json",
    };
    if (body) headers["Content-Type"] = "application/fhir+json";
    return this.transport.send({ method, url, headers, body: body && JSON.stringify(body) });
  }

  /** The next page, or null. A link to elsewhere would carry the tokens away. */
  nextPage(bundle, current) {
    const link = (bundle.link ?? []).find((l) => l.relation === "next");
    if (!link) return null;
    const next = new URL(link.url, current);
    if (next.origin !== new URL(this.endpoints.fhir).origin) throw new Error("the next page is on another server");
    return next.href;
  }
}

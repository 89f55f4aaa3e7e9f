// The service: its pages for the patient's browser, and the test endpoint that
// étalon drives. It keeps everything in memory: it is an example to read.
//
//   PORT                 where it listens (default 8787)
//   ETALON_PILOT_TOKEN   token of the test endpoint; without it there is none

import { randomBytes, timingSafeEqual, createHash } from "node:crypto";
import { createServer } from "node:http";
import { MonEspaceSante, Refused } from "./mes.mjs";
import { actions } from "./pilot.mjs";

const port = Number(process.env.PORT ?? 8787);
const pilotToken = process.env.ETALON_PILOT_TOKEN ?? "";
const here = `http://127.0.0.1:${port}`;

const mes = new MonEspaceSante({ redirectUri: `${here}/mes/callback` });
const accounts = new Map(); // patient handle -> account
const links = new Map(); // one-time link -> account
const sessions = new Map(); // browser session -> { account, pending }

/** The account of a patient, created at its first use. */
function accountOf(handle) {
  if (!accounts.has(handle)) accounts.set(handle, { handle, pairing: null, lastError: "" });
  return accounts.get(handle);
}

/** A link that one browser may visit once. */
function oneTimeLink(account) {
  const once = randomBytes(24).toString("base64url");
  links.set(once, account);
  return `${here}/pair?once=${once}`;
}

const pilot = actions({ mes, accountOf, oneTimeLink });

// Compared as digests, so that neither length nor content shows in the timing.
function equal(a, b) {
  const digest = (s) => createHash("sha256").update(String(s)).digest();
  return timingSafeEqual(digest(a), digest(b));
}

const headers = {
  "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
};

function answer(res, status, body, more = {}) {
  res.writeHead(status, { ...headers, "Content-Type": "text/html; charset=utf-8", ...more });
  res.end(body);
}

function page(res, status, text) {
  answer(res, status, `<!doctype html><html lang="fr"><meta charset="utf-8"><title>Carnet de mesures</title><h1>Carnet de mesures</h1><p>${text}</p></html>`);
}

function redirect(res, location, more = {}) {
  answer(res, 303, "", { Location: location, ...more });
}

function sessionOf(req) {
  const cookie = /(?:^|;\s*)session=([\w-]+)/.exec(req.headers.cookie ?? "");
  return cookie ? sessions.get(cookie[1]) : undefined;
}

// The patient's browser arrives with a one-time link: it gets a session of its
// own, in which the secrets of this one pairing wait for its return.
function beginPairing(res, url) {
  const once = url.searchParams.get("once") ?? "";
  const account = links.get(once);
  links.delete(once);
  if (!account) return page(res, 404, "Ce lien a déjà servi ou n'existe pas.");
  const { location, pending } = mes.authorization(account.handle);
  const id = randomBytes(24).toString("base64url");
  sessions.set(id, { account, pending });
  // Lax: the browser comes back from another site. A service on https adds
  // Secure and names the cookie __Host-session.
  redirect(res, location, { "Set-Cookie": `session=${id}; Path=/; HttpOnly; SameSite=Lax` });
}

// Back from Mon espace santé. Nothing is asked of it unless this very browser
// began a pairing, and the state is the one it was given.
async function endPairing(req, res, url) {
  const session = sessionOf(req);
  const pending = session?.pending;
  if (!pending || !equal(url.searchParams.get("state") ?? "", pending.state)) {
    return page(res, 400, "Ce retour ne correspond à aucune demande de votre navigateur.");
  }
  session.pending = null; // one return only, whatever comes of it
  const { account } = session;
  try {
    account.pairing = await mes.pair(url.searchParams, pending);
    account.lastError = "";
    page(res, 200, "Votre compte est relié à Mon espace santé.");
  } catch (error) {
    account.pairing = null;
    account.lastError = error instanceof Refused ? error.message : "La liaison avec Mon espace santé a échoué.";
    if (!(error instanceof Refused)) console.error("pairing:", error.message);
    page(res, 200, account.lastError);
  }
}

async function body(req, limit = 8 << 20) {
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size > limit) throw new Error("the request is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

// The test endpoint. An action that throws is an answer too: "failed".
async function drive(req, res, action) {
  const given = /^Bearer (.+)$/.exec(req.headers.authorization ?? "")?.[1] ?? "";
  if (!pilotToken || !equal(given, pilotToken)) return answer(res, 401, "", { "WWW-Authenticate": "Bearer" });
  let result;
  try {
    const call = JSON.parse(await body(req));
    result = pilot[action] ? await pilot[action](call) : { status: "unsupported" };
  } catch (error) {
    result = { status: error instanceof Refused ? "refused" : "failed", message: error.message };
  }
  answer(res, 200, JSON.stringify(result), { "Content-Type": "application/json" });
}

function securityTxt(res) {
  const expires = new Date(Date.now() + 180 * 86_400_000).toISOString();
  answer(res, 200, `Contact: mailto:securite@example.org\nExpires: ${expires}\n`, { "Content-Type": "text/plain; charset=utf-8" });
}

const server = createServer(async (req, res) => {
  try {
    const url = new URL(req.url, here);
    const action = /^\/etalon\/actions\/([a-z-]+)$/.exec(url.pathname)?.[1];
    if (req.method === "POST" && action) return await drive(req, res, action);
    if (req.method !== "GET") return page(res, 405, "Méthode inconnue.");
    switch (url.pathname) {
      case "/":
        return page(res, 200, "Notez vos mesures, partagez-les avec Mon espace santé.");
      case "/pair":
        return beginPairing(res, url);
      case "/mes/callback":
        return await endPairing(req, res, url);
      case "/.well-known/security.txt":
        return securityTxt(res);
      default:
        return page(res, 404, "Page inconnue.");
    }
  } catch (error) {
    console.error(`${req.method} ${req.url.split("?")[0]}:`, error.message);
    if (!res.headersSent) page(res, 500, "Une erreur est survenue.");
  }
});

server.listen(port, "127.0.0.1", () => console.log(`listening on ${here}`));
process.on("SIGTERM", () => server.close(() => process.exit(0)).closeAllConnections());

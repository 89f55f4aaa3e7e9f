// Verification of an id_token: ES256 and nothing else, a key of the issuer,
// then every claim that ties the token to this pairing.

import { createPublicKey, verify } from "node:crypto";

const skew = 180; // seconds by which two clocks may differ: minutes are common, hours are not

const part = (text) => JSON.parse(Buffer.from(text, "base64url").toString("utf8"));

/** Returns the claims, or throws. keys(fresh) gives the issuer's key set. */
export async function verifyIdToken(token, { issuer, audience, nonce, keys }) {
  const parts = String(token ?? "").split(".");
  if (parts.length !== 3) throw new Error("the id_token is not a signed token");
  const header = part(parts[0]);
  // The algorithm is ours to choose, never the token's.
  if (header.alg !== "ES256") throw new Error("the id_token is not signed with ES256");

  const wanted = (k) => k.kid === header.kid && k.kty === "EC" && k.crv === "P-256";
  const jwk = (await keys(false)).find(wanted) ?? (await keys(true)).find(wanted);
  if (!jwk) throw new Error("the id_token is signed with an unknown key");
  const signed = verify(
    "sha256",
    Buffer.from(`${parts[0]}.${parts[1]}`),
    { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" },
    Buffer.from(parts[2], "base64url"),
  );
  if (!signed) throw new Error("the signature of the id_token is wrong");

  const claims = part(parts[1]);
  const now = Date.now() / 1000;
  const audiences = [claims.aud].flat();
  if (claims.iss !== issuer) throw new Error("the id_token comes from another issuer");
  if (!audiences.includes(audience)) throw new Error("the id_token is for another client");
  if (audiences.length > 1 && claims.azp !== audience) throw new Error("the id_token is shared with another client");
  if (!(claims.exp > now - skew)) throw new Error("the id_token has expired");
  if (!(claims.iat < now + skew)) throw new Error("the id_token was issued in the future");
  // A renewed token has no nonce to compare; the first always has.
  if (nonce !== undefined && claims.nonce !== nonce) throw new Error("the id_token answers another request");
  return claims;
}

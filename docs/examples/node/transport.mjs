// HTTPS requests that trust the system's authorities and the one given, follow
// no redirect, end in time and read a bounded answer.

import { Agent, request } from "node:https";
import { rootCertificates } from "node:tls";

const limit = 16 << 20; // bytes of an answer
const patience = 5000; // milliseconds for a whole exchange

export class Transport {
  constructor({ ca }) {
    this.agent = new Agent({ keepAlive: true, ca: ca ? [...rootCertificates, ca] : undefined });
  }

  /** Returns { status, headers, text, json }; json is undefined for other answers. */
  send({ method = "GET", url, headers = {}, body }) {
    return new Promise((resolve, reject) => {
      const req = request(url, { method, agent: this.agent, signal: AbortSignal.timeout(patience), headers: body ? { ...headers, "Content-Length": Buffer.byteLength(body) } : headers });
      req.on("error", reject);
      req.on("response", (res) => {
        const chunks = [];
        let size = 0;
        res.on("error", reject);
        res.on("data", (chunk) => {
          size += chunk.length;
          if (size > limit) req.destroy(new Error("the answer is too long"));
          else chunks.push(chunk);
        });
        res.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          let json;
          try {
            json = JSON.parse(text);
          } catch {
            // Not JSON: whoever needs it will say so.
          }
          resolve({ status: res.statusCode, headers: res.headers, text, json });
        });
      });
      req.end(body);
    });
  }
}

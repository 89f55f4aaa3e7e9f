// Has Mozilla's HTTP Observatory look at a host, on the ports given, and prints
// what each of its tests says.
import { retrieve } from "@mdn/mdn-http-observatory/src/retriever/retriever.js";
import { ALL_TESTS } from "@mdn/mdn-http-observatory/src/constants.js";

const [host, httpPort, httpsPort] = process.argv.slice(2);
const seen = await retrieve(host, { httpPort: Number(httpPort), httpsPort: Number(httpsPort) });
const out = {};
for (const test of ALL_TESTS) {
  const { pass, result, constructor } = test(seen);
  out[constructor.name] = { pass, result };
}
console.log(JSON.stringify(out));
process.exit(0);

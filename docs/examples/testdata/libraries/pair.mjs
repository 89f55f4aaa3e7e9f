// A service made of libraries alone: openid-client pairs, refreshes and revokes,
// fhir-kit-client feeds and searches. What it is told comes as JSON on the first
// line of stdin; it prints the address at which the patient authorizes, reads
// from the second line the address by which he came back, and prints what it saw.
import * as oidc from 'openid-client'
import { Client as FHIR } from 'fhir-kit-client'
import { createInterface } from 'node:readline'
import { createPrivateKey, webcrypto } from 'node:crypto'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => (await lines.next()).value
const tell = (what) => process.stdout.write(JSON.stringify(what) + '\n')

const told = JSON.parse(await read())

const authentication = async () => {
  switch (told.auth) {
    case 'client_secret_basic': return oidc.ClientSecretBasic(told.secret)
    case 'client_secret_post': return oidc.ClientSecretPost(told.secret)
    case 'private_key_jwt': {
      const der = createPrivateKey(told.key).export({ type: 'pkcs8', format: 'der' })
      const key = await webcrypto.subtle.importKey('pkcs8', der, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
      return oidc.PrivateKeyJwt({ key, kid: told.kid })
    }
  }
  throw new Error('unknown authentication ' + told.auth)
}

const server = await oidc.discovery(new URL(told.issuer), told.id, {}, await authentication())
const verifier = oidc.randomPKCECodeVerifier()
const state = oidc.randomState()
const nonce = oidc.randomNonce()
tell({
  authorize: oidc.buildAuthorizationUrl(server, {
    redirect_uri: told.redirect, scope: 'openid', state, nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  }).href,
})

let tokens = await oidc.authorizationCodeGrant(server, new URL(await read()), { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce })
const claims = tokens.claims()
const refreshed = await oidc.refreshTokenGrant(server, tokens.refresh_token)

const subject = { system: claims.assignAuth, value: claims.idPe }
const client = () => new FHIR({
  baseUrl: told.fhir, bearerToken: refreshed.access_token,
  customHeaders: { [told.idTokenHeader]: refreshed.id_token },
})
const fed = await client().transaction({
  body: {
    resourceType: 'Bundle', type: 'transaction',
    entry: [{
      fullUrl: 'urn:uuid:' + webcrypto.randomUUID(),
      resource: { ...told.observation, subject: { identifier: subject } },
      request: { method: 'POST', url: 'Observation' },
    }],
  },
})
const found = await client().search({
  resourceType: 'Observation',
  searchParams: { code: told.code, 'subject.identifier': subject.system + '|' + subject.value, date: told.dates },
})
await oidc.tokenRevocation(server, refreshed.refresh_token)
let after = 200
try {
  await client().search({ resourceType: 'Observation', searchParams: { code: told.code, 'subject.identifier': subject.system + '|' + subject.value, date: told.dates } })
} catch (e) {
  after = e.response?.status ?? e.statusCode ?? String(e)
}
tell({
  subject: claims.sub, audience: claims.aud, scope: tokens.scope,
  fed: fed.entry.map((e) => e.response.status), total: found.total,
  values: (found.entry ?? []).map((e) => e.resource.valueQuantity?.value), afterRevocation: after,
})
process.exit(0)

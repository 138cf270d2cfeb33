import { createHash } from 'node:crypto'
import { nkeys } from '@nats-io/transport-node'

type KeyPair = ReturnType<typeof nkeys.createUser>

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A JWT as NATS has them: claims about a key, signed by another one. */
const jwt = (by: KeyPair, about: KeyPair, name: string, nats: object): string => {
  const claims = { iat: Math.floor(Date.now() / 1000), iss: by.getPublicKey(), sub: about.getPublicKey(), name, nats }
  const jti = createHash('sha256').update(JSON.stringify(claims)).digest('hex')
  const text = `${encode({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encode({ ...claims, jti })}`
  return `${text}.${Buffer.from(by.sign(new TextEncoder().encode(text))).toString('base64url')}`
}

/** An operator with one account for users, and what they show: `configuration` is the server's, `credentials` a file (.creds). */
export const natsAccounts = (): { readonly configuration: Record<string, unknown>; readonly credentials: string } => {
  const [operator, system, account, user] = [
    nkeys.createOperator(),
    nkeys.createAccount(),
    nkeys.createAccount(),
    nkeys.createUser(),
  ]
  const unlimited = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 }
  const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 }
  const limits = { ...unlimited, ...storage }
  const resolved = {
    [system.getPublicKey()]: jwt(operator, system, 'SYS', { type: 'account', version: 2, limits: unlimited }),
    [account.getPublicKey()]: jwt(operator, account, 'APP', { type: 'account', version: 2, limits }),
  }
  const configuration = {
    operator: jwt(operator, operator, 'test', { type: 'operator', version: 2 }),
    system_account: system.getPublicKey(),
    resolver: 'MEMORY',
    resolver_preload: resolved,
  }
  const userClaims = { type: 'user', version: 2, subs: -1, data: -1, payload: -1 }
  const seed = new TextDecoder().decode(user.getSeed())
  const credentials = [
    '-----BEGIN NATS USER JWT-----',
    jwt(account, user, 'fusewire', userClaims),
    '------END NATS USER JWT------',
    '',
    '-----BEGIN USER NKEY SEED-----',
    seed,
    '------END USER NKEY SEED------',
    '',
  ].join('\n')
  return { configuration, credentials }
}

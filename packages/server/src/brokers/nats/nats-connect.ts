import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { type ConnectionOptions, connect, credsAuthenticator, type TlsOptions } from '@nats-io/transport-node'
import { addressName, type NatsAddress } from './nats-address.ts'
import { unavailable } from './nats-error.ts'
import { probeNats } from './nats-probe.ts'
import { type CallMeter, NatsSession } from './nats-session.ts'

export interface NatsAccess {
  /** Credentials (.creds), read at each connection. */
  readonly credentialsFile?: string
  /** Certificates (PEM) of the authorities that servers are checked against, in place of the system's; read at each connection. */
  readonly caFile?: string
  /** For connecting, and for each answer, in milliseconds. */
  readonly timeoutMs: number
  /** What the server calls this connection. */
  readonly name: string
  readonly meter?: CallMeter
}

/** Connects to one server, once. Rejects with `broker_unavailable`, whose message says why and has no secret. */
export const connectNats = async (address: NatsAddress, access: NatsAccess): Promise<NatsSession> => {
  const name = addressName(address)
  try {
    const info = await probeNats(address, access.timeoutMs)
    if (address.tls && !info.tls_required && !info.tls_available) throw new Error('it has no TLS; write nats:// or turn it on')
    const connection = await connect(optionsFor(address, access))
    return new NatsSession(connection, { name, timeoutMs: access.timeoutMs, ...(access.meter && { meter: access.meter }) })
  } catch (error) {
    throw unavailable(`NATS at ${name} cannot be used: ${reasonOf(error)}`, error)
  }
}

const optionsFor = (address: NatsAddress, access: NatsAccess): ConnectionOptions => {
  const { credentialsFile, timeoutMs, name } = access
  const { user, password, token } = address
  return {
    servers: [addressName(address)],
    name,
    timeout: timeoutMs,
    // Who is cut off must know, and not find its messages sent later.
    reconnect: false,
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password }),
    ...(token !== undefined && { token }),
    ...(credentialsFile !== undefined && { authenticator: credsAuthenticator(readFileSync(credentialsFile)) }),
    ...(address.tls && { tls: tlsFor(address, access) }),
  }
}

/** A certificate for an address, and not for a name, is only looked at when TLS knows the address as its host. */
const tlsFor = ({ host }: NatsAddress, { caFile }: NatsAccess): TlsOptions => ({
  ...(caFile !== undefined && { ca: readFileSync(caFile, 'utf8') }),
  ...(isIP(host) !== 0 && { host }),
})

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && error.code === 'ECONNREFUSED') return 'it refuses connections; start NATS there, or correct the address'
  if (/authorization violation|authentication/iu.test(error.message)) return 'it refuses the user, password, token or credentials'
  return error.message
}

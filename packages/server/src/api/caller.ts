import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Log } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import { reportOrigin } from '../report-origin.ts'
import { type ApiKeyCheck, givenKey } from './api-key-check.ts'
import { isLocalRequest } from './local-request.ts'

export interface Entrance {
  /** Each key opens everything. Without keys, nothing does, but see {@link Entrance.openToLoopback}. */
  readonly keys: ApiKeyCheck
  /** Development mode: while there are no keys, programs on this machine need none. */
  readonly openToLoopback: boolean
  /** Whether a page of this origin may talk to this host. */
  readonly isOriginAllowed: (origin: string | undefined, host: string | undefined) => boolean
  /** Where a request comes from, behind trusted proxies too. */
  readonly clientAddress: (request: IncomingMessage) => string
  /** Counts a client that reads a document. Throws `rate_limited`. */
  readonly admitReader: (address: string) => void
  /** Hears of whoever is refused. */
  readonly log: Log
}

/** Who asks: the application, or a client by its token, or without one. */
export type Caller = { readonly kind: 'application' } | { readonly kind: 'client'; readonly token: string | undefined }

/** Throws unless it is the application. `path` is the route's, for the log. */
export const assertApplication = (request: IncomingMessage, entrance: Entrance, path: string | undefined): void => {
  const { keys, openToLoopback } = entrance
  const given = givenKey(request.headers)
  if (openToLoopback && keys.none && isLocalRequest(request)) return
  if (given !== undefined && keys.includes(given)) return
  throw keyRefusal(given === undefined ? 'api_key_required' : 'api_key_invalid', request, entrance, path)
}

/** Whoever has no key is a client, and a page among them has to be of an allowed origin. */
export const callerOf = (request: IncomingMessage, entrance: Entrance, path: string | undefined): Caller => {
  const { keys, openToLoopback, isOriginAllowed } = entrance
  const { headers } = request
  const given = givenKey(headers)
  if (given !== undefined && keys.includes(given)) return { kind: 'application' }
  if (!isOriginAllowed(headers.origin, hostOf(headers))) {
    reportOrigin(entrance, { origin: headers.origin, transport: undefined, remoteAddress: entrance.clientAddress(request) })
    throw new FusewireError('origin_not_allowed')
  }
  if (headers['x-api-key'] !== undefined) throw keyRefusal('api_key_invalid', request, entrance, path)
  if (given === undefined && openToLoopback && keys.none && isLocalRequest(request)) return { kind: 'application' }
  return { kind: 'client', token: given }
}

const keyRefusal = (
  code: 'api_key_required' | 'api_key_invalid',
  request: IncomingMessage,
  { log, clientAddress }: Entrance,
  path: string | undefined,
): FusewireError => {
  log('api_key_refused', { code, method: request.method, path, remoteAddress: clientAddress(request) })
  return new FusewireError(code)
}

/** `:authority` is what `Host` is over HTTP/2. */
const hostOf = (headers: IncomingHttpHeaders): string | undefined => {
  const host = headers.host ?? headers[':authority']
  return typeof host === 'string' ? host : undefined
}

import { ECHO_PATH, FusewireError, PATHS, SUBPROTOCOL } from '@fusewire/protocol'
import { negotiateDeflate } from './negotiate-deflate.ts'
import { parseSubprotocols } from './ws-internals.ts'

/** The short path, for those who try things by hand. */
const SHORT_PATH = '/ws'

type Value = string | string[] | undefined

/** What a client asks for: headers of `node:http`, or of `node:http2` with its pseudo-headers. */
export interface HandshakeHeaders {
  readonly ':authority'?: Value
  readonly host?: Value
  readonly origin?: Value
  readonly 'sec-websocket-version'?: Value
  readonly 'sec-websocket-protocol'?: Value
  readonly 'sec-websocket-extensions'?: Value
}

export interface HandshakeRules {
  readonly compression: boolean
  isOriginAllowed(origin: string | undefined, host: string | undefined): boolean
}

/** What both sides have agreed on, as it goes into the answer's headers. */
export interface Agreement {
  /** `session`: the client talks to the engine; `echo`: every message comes back. */
  readonly endpoint: 'session' | 'echo'
  readonly codec: 'json' | 'msgpack'
  readonly subprotocol: string | undefined
  readonly extensions: string | undefined
}

/**
 * Decides on a WebSocket handshake over either HTTP version (RFC 6455 section 4.2, RFC 8441 section 5). Does not look at what only
 * one of them has: method, `Upgrade` and key.
 * @throws {@link FusewireError}
 */
export const agree = (url: string, headers: HandshakeHeaders, rules: HandshakeRules): Agreement => {
  const endpoint = endpointAt(url)
  if (!endpoint) throw new FusewireError('not_found')
  const host = text(headers[':authority']) ?? text(headers.host)
  if (!rules.isOriginAllowed(text(headers.origin), host)) throw new FusewireError('origin_not_allowed')
  if (text(headers['sec-websocket-version']) !== '13')
    throw new FusewireError('malformed_request', 'Sec-WebSocket-Version must be 13')
  return {
    endpoint,
    ...(endpoint === 'echo' ? anySubprotocol(headers) : chooseSubprotocol(headers)),
    extensions: rules.compression
      ? read('Sec-WebSocket-Extensions', headers['sec-websocket-extensions'], negotiateDeflate)
      : undefined,
  }
}

const endpointAt = (url: string): Agreement['endpoint'] | undefined => {
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  if (path === PATHS.webSocket || path === SHORT_PATH) return 'session'
  return path === ECHO_PATH ? 'echo' : undefined
}

const text = (value: Value): string | undefined => (typeof value === 'string' ? value : value?.join(', '))

const offered = (header: string | undefined): string[] => (header === undefined ? [] : [...parseSubprotocols(header)])

const readSubprotocols = (headers: HandshakeHeaders): string[] =>
  read('Sec-WebSocket-Protocol', headers['sec-websocket-protocol'], offered)

/** The first one of the client's that is known; JSON for a client that names none, such as a page's bare `new WebSocket(url)`. */
const chooseSubprotocol = (headers: HandshakeHeaders): Pick<Agreement, 'codec' | 'subprotocol'> => {
  // What nearly all of our own clients ask for.
  if (headers['sec-websocket-protocol'] === SUBPROTOCOL.json) return { codec: 'json', subprotocol: SUBPROTOCOL.json }
  const subprotocols = readSubprotocols(headers)
  for (const subprotocol of subprotocols) {
    if (subprotocol === SUBPROTOCOL.json) return { codec: 'json', subprotocol }
    if (subprotocol === SUBPROTOCOL.msgpack) return { codec: 'msgpack', subprotocol }
  }
  if (subprotocols.length > 0) throw new FusewireError('unsupported_subprotocol')
  return { codec: 'json', subprotocol: undefined }
}

/** The echo speaks whatever the client does. */
const anySubprotocol = (headers: HandshakeHeaders): Pick<Agreement, 'codec' | 'subprotocol'> => ({
  codec: 'json',
  subprotocol: readSubprotocols(headers)[0],
})

const read = <T>(name: string, value: Value, parse: (header: string | undefined) => T): T => {
  try {
    return parse(text(value))
  } catch (cause) {
    throw new FusewireError('malformed_request', `${name} cannot be read`, { cause })
  }
}

import { type Duplex, Writable } from 'node:stream'
import * as ws from 'ws'
import { readByNobody } from '../../listener/stream-reader.ts'

/**
 * What this program uses of `ws` beyond its types: exported functions without types, and what `WebSocketServer.completeUpgrade`
 * does with private ones, behind a handshake of our own. `ws-internals.test.ts` fails when `ws` changes here.
 */
interface WsInternals {
  readonly extension: {
    /** Throws SyntaxError. */
    parse(header: string): Record<string, ExtensionParameters[]>
  }
  readonly subprotocol: {
    /** Throws SyntaxError. */
    parse(header: string): Set<string>
  }
  readonly PerMessageDeflate: new (options: {
    readonly isServer: boolean
    readonly maxPayload: number
  }) => { accept(offers: ExtensionParameters[]): unknown }
}

/** The values of each parameter of an extension; `true` for one without a value. */
export type ExtensionParameters = Record<string, (string | true)[]>

interface PrivateWebSocket {
  _protocol: string
  _extensions: Record<string, unknown>
  readonly _receiver: Writable
  setSocket(socket: Duplex, head: Buffer, options: object): void
}

const { PerMessageDeflate, extension, subprotocol } = ws as unknown as WsInternals

export const parseExtensions = extension.parse
export const parseSubprotocols = subprotocol.parse

export const DEFLATE = 'permessage-deflate'

/** A socket, or a stream of HTTP/2, whose handshake is done. */
export interface Upgraded {
  readonly stream: Duplex
  /** What has come behind the handshake. */
  readonly head: Buffer
  readonly subprotocol: string | undefined
  readonly extensions: string | undefined
}

/**
 * Makes an open WebSocket of it, with the server's options: the merged ones, without which its deadlines would be undefined, which
 * `setTimeout` takes for one millisecond.
 */
export const adopt = <T extends ws.WebSocket>(
  server: ws.WebSocketServer,
  { stream, head, subprotocol, extensions }: Upgraded,
): T => {
  readByNobody(stream)
  const { options } = server
  const Socket = options.WebSocket as unknown as new (address: null, protocols: undefined, options: object) => T
  const socket = new Socket(null, undefined, options)
  const internals = socket as unknown as PrivateWebSocket
  if (subprotocol !== undefined) internals._protocol = subprotocol
  const offers = extensions === undefined ? undefined : parseExtensions(extensions)[DEFLATE]
  if (offers) {
    const deflate = new PerMessageDeflate({ isServer: true, maxPayload: options.maxPayload ?? 0 })
    deflate.accept(offers)
    internals._extensions = { [DEFLATE]: deflate }
  }
  internals.setSocket(stream, head, options)
  internals._receiver.end = endOnce
  return socket
}

/**
 * `ws` ends its receiver at the end of the stream, and again at its close. For the second time Node makes an error, with its stack, and
 * gives it to nobody: 4% of all that a connection costs which comes, subscribes and goes.
 */
function endOnce(this: Writable): Writable {
  return this.writableEnded ? this : Reflect.apply(Writable.prototype.end, this, [])
}

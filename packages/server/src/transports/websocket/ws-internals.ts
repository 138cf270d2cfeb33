import type { Duplex } from 'node:stream'
import * as ws from 'ws'

/**
 * What this program uses of `ws` beyond its types: exported functions without types, and what `WebSocketServer.completeUpgrade`
 * does with private ones, which is needed once more for HTTP/2 streams. `ws-internals.test.ts` fails when `ws` changes here.
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
  setSocket(socket: Duplex, head: Buffer, options: object): void
}

const { PerMessageDeflate, extension, subprotocol } = ws as unknown as WsInternals

export const parseExtensions = extension.parse
export const parseSubprotocols = subprotocol.parse

export const DEFLATE = 'permessage-deflate'

const NO_HEAD = Buffer.alloc(0)

/**
 * Makes an open WebSocket of an HTTP/2 stream, with the server's options: the merged ones, without which its deadlines would be
 * undefined, which `setTimeout` takes for one millisecond.
 */
export const adoptStream = <T extends ws.WebSocket>(
  server: ws.WebSocketServer,
  stream: Duplex,
  subprotocol: string | undefined,
  extensions: string | undefined,
): T => {
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
  internals.setSocket(stream, NO_HEAD, options)
  return socket
}

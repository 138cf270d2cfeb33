import { once } from 'node:events'
import { connect } from 'node:http2'
import { type ServerMessage, SUBPROTOCOL } from '@fusewire/protocol'
import { decodeMulti, encode } from '@msgpack/msgpack'
import { connectStream, upgrade, type WebSocketRequest } from './open-websocket.ts'
import type { RawWebSocket } from './raw-websocket.ts'
import type { End, Endpoints, Way, WireClient } from './way.ts'

/** A WebSocket that has not sent anything yet. */
export const openWebSocket = async (
  { http, https }: Endpoints,
  over: 'HTTP/1.1' | 'HTTP/1.1 in the clear' | 'HTTP/2',
  request: WebSocketRequest = {},
): Promise<RawWebSocket> => {
  if (over !== 'HTTP/2') return upgrade(over === 'HTTP/1.1' ? https : http, request)
  const session = connect(https)
  session.on('error', () => {})
  await once(session, 'remoteSettings')
  try {
    const socket = await connectStream(session, request)
    socket.stream.once('close', () => session.destroy())
    return socket
  } catch (error) {
    session.destroy()
    throw error
  }
}

const decode = (message: string | Buffer): ServerMessage[] =>
  typeof message === 'string'
    ? message.split('\n').map((line) => JSON.parse(line) as ServerMessage)
    : ([...decodeMulti(message)] as ServerMessage[])

class WebSocketClient implements WireClient {
  readonly socket: RawWebSocket
  readonly #encoding: Way['encoding']
  readonly #received: ServerMessage[] = []

  constructor(socket: RawWebSocket, encoding: Way['encoding']) {
    this.socket = socket
    this.#encoding = encoding
  }

  get received(): ServerMessage[] {
    for (const message of this.socket.messages.splice(0)) this.#received.push(...decode(message))
    return this.#received
  }

  get end(): End | undefined {
    const { closed, ended } = this.socket
    if (closed) return { closeCode: closed.code }
    return ended ? {} : undefined
  }

  send(...messages: object[]): void {
    const isJson = this.#encoding === 'json'
    this.socket.send(
      isJson
        ? messages.map((message) => JSON.stringify(message)).join('\n')
        : Buffer.concat(messages.map((message) => encode(message))),
    )
  }

  async sendPayload(payload: string | Uint8Array): Promise<undefined> {
    // As a client would that had been handed these bytes: in the frames of its encoding.
    if (this.#encoding === 'json') this.socket.sendText(Buffer.from(payload as string))
    else this.socket.send(Buffer.from(payload as string))
  }

  destroy(): void {
    this.socket.destroy()
  }
}

export const webSocketWay = (over: Parameters<typeof openWebSocket>[1], encoding: Way['encoding']): Way => ({
  name: `WebSocket over ${over}, ${encoding}`,
  encoding,
  framing: 'websocket',
  open: async (server) =>
    new WebSocketClient(await openWebSocket(server, over, { subprotocol: SUBPROTOCOL[encoding] }), encoding),
})

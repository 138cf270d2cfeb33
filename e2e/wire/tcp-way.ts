import type { Socket } from 'node:net'
import { ALPN, type ServerMessage } from '@fusewire/protocol'
import { MessageLines } from './message-lines.ts'
import { openSocket } from './open-websocket.ts'
import type { End, Way, WireClient } from './way.ts'

class TcpClient implements WireClient {
  readonly socket: Socket
  readonly received: ServerMessage[] = []
  end: End | undefined

  constructor(socket: Socket) {
    this.socket = socket
    const ended = (): void => {
      this.end = {}
    }
    const lines = new MessageLines(this.received)
    socket.on('data', (chunk: Buffer) => lines.push(chunk))
    socket.on('end', ended).on('close', ended)
  }

  send(...messages: object[]): void {
    this.socket.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''))
  }

  async sendPayload(payload: string | Uint8Array): Promise<undefined> {
    this.socket.write(Buffer.concat([Buffer.from(payload as string), Buffer.from('\n')]))
  }

  destroy(): void {
    this.socket.destroy()
  }
}

export const tcpWay = (over: 'TLS' | 'cleartext'): Way => ({
  name: `raw TCP over ${over}`,
  encoding: 'json',
  framing: 'lines',
  open: async ({ http, https }) => {
    const client = new TcpClient(await openSocket(over === 'TLS' ? https : http, ALPN))
    // In the clear the first byte says what is spoken; a bad line must not be the first.
    if (over === 'cleartext') client.send({ type: 'echo' })
    return client
  },
})

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'

/**
 * What a relay does with bytes: `pass` gives them on, `trickle` gives those of the client on one at a time, `hold` keeps them, as a
 * network does that has lost its way and tells nobody; `refuse` takes no new connections.
 */
export type RelayMode = 'pass' | 'trickle' | 'hold' | 'refuse'

/** A TCP relay between clients and a port of the server: the network, which fails when it is told to. */
export class Relay {
  mode: RelayMode = 'pass'
  readonly #server: Server
  readonly #pairs = new Set<readonly [client: Socket, server: Socket]>()

  private constructor(server: Server, port: number) {
    this.#server = server
    server.on('connection', (client) => this.#connect(client, port))
  }

  static async start(port: number): Promise<Relay> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }).listen(0, '127.0.0.1')
    const relay = new Relay(server, port)
    await once(server, 'listening')
    return relay
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Connections that are there now. */
  get connections(): number {
    return this.#pairs.size
  }

  /** Breaks every connection: the clients' by a reset, the server's by an end or a reset. */
  cut(): void {
    for (const [client, server] of this.#pairs) {
      client.resetAndDestroy()
      server.destroy()
    }
  }

  close(): void {
    this.#server.close()
    this.cut()
  }

  #connect(client: Socket, port: number): void {
    if (this.mode === 'refuse') {
      client.resetAndDestroy()
      return
    }
    const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const pair = [client, server] as const
    this.#pairs.add(pair)
    this.#forward(client, server, (bytes) => this.#send(bytes, server))
    this.#forward(server, client, (bytes) => this.mode !== 'hold' && client.write(bytes))
    for (const socket of pair) {
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#pairs.delete(pair)
        for (const other of pair) other.destroy()
      })
    }
  }

  #forward(from: Socket, to: Socket, send: (bytes: Buffer) => void): void {
    from.on('data', (bytes: Buffer) => {
      send(bytes)
      // What is full here makes the other side wait, as it would without a relay.
      if (to.writableNeedDrain) {
        from.pause()
        to.once('drain', () => from.resume())
      }
    })
    from.on('end', () => to.end())
  }

  #trickling: Promise<void> = Promise.resolve()

  #send(bytes: Buffer, to: Socket): void {
    if (this.mode === 'pass') to.write(bytes)
    if (this.mode === 'trickle') this.#trickling = this.#trickling.then(() => trickle(bytes, to))
  }
}

const trickle = async (bytes: Buffer, to: Socket): Promise<void> => {
  for (const byte of bytes) {
    if (to.destroyed) return
    to.write(Uint8Array.of(byte))
    await turn()
  }
}

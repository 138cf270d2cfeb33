import { FusewireError } from '@fusewire/protocol'
import { ndjsonFormat } from '../formats.ts'
import type { BodyReader } from './body-reader.ts'
import type { HttpExchange } from './http-exchange.ts'
import { PollConnection, type PollServices } from './poll-connection.ts'
import { SplitConnection, type SplitConnectionLimits, type SplitConnections } from './split-connections.ts'

export interface PollEndpointServices extends PollServices {
  readonly bodies: BodyReader
  readonly splits: SplitConnections
  readonly splitLimits: SplitConnectionLimits
}

/** `POST /poll`: opens a connection, or with `?connection=` waits for the messages of one. */
export class PollEndpoint {
  readonly #services: PollEndpointServices
  readonly #connections = new Map<string, PollConnection>()

  constructor(services: PollEndpointServices) {
    this.#services = services
  }

  async serve(exchange: HttpExchange): Promise<void> {
    const secret = exchange.query.get('connection')
    if (secret !== null && !this.#connections.has(secret)) throw new FusewireError('unknown_connection')
    const body = await this.#services.bodies.read(exchange, this.#services.now())
    if (!body) return
    const { traffic } = this.#services.context
    traffic.poll.bytesIn += body.byteLength
    if (secret === null) {
      this.#open(exchange).receiveLines(body.lines)
      return
    }
    if (body.lines.length > 0)
      throw new FusewireError('invalid_field', 'a poll of an open connection has no body: messages go to /send')
    // It may have ended while the body was read.
    const connection = this.#connections.get(secret)
    if (!connection) throw new FusewireError('unknown_connection')
    connection.poll(exchange)
  }

  /** Ends polls and connections whose time is over. */
  tick(): void {
    for (const connection of this.#connections.values()) connection.tick()
  }

  /** Ends all connections. */
  close(): void {
    for (const connection of this.#connections.values()) connection.close('server_draining')
  }

  #open(exchange: HttpExchange): SplitConnection {
    const { context, splits, splitLimits } = this.#services
    const traffic = context.traffic.poll
    const secret = splits.newSecret()
    const connection: PollConnection = new PollConnection(exchange, this.#services, {
      ended: () => {
        traffic.connections--
        splits.remove(secret)
      },
      forgotten: () => this.#connections.delete(secret),
    })
    traffic.opened++
    traffic.connections++
    connection.send(ndjsonFormat.encode({ type: 'open', connection: secret }))
    const peer = context.open(connection)
    connection.attach(peer)
    const split = new SplitConnection('poll', peer, splitLimits)
    splits.add(secret, split)
    this.#connections.set(secret, connection)
    return split
  }
}

import { RenewingMap } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import { ndjsonFormat } from '../formats.ts'
import type { BodyReader } from './body-reader.ts'
import type { HttpExchange } from './http-exchange.ts'
import { NDJSON_HEADERS } from './ndjson.ts'
import type { OtherNodes } from './other-nodes.ts'
import { PollConnection, type PollServices } from './poll-connection.ts'
import type { PollExchange } from './poll-exchange.ts'
import { SplitConnection, type SplitConnectionLimits, type SplitConnections } from './split-connections.ts'

export interface PollEndpointServices extends PollServices {
  readonly bodies: BodyReader
  readonly splits: SplitConnections
  readonly splitLimits: SplitConnectionLimits
  /** Absent where there is no other node. */
  readonly others: OtherNodes | undefined
}

/** `POST /poll`: opens a connection, or with `?connection=` waits for the messages of one. */
export class PollEndpoint {
  readonly #services: PollEndpointServices
  readonly #connections = new RenewingMap<string, PollConnection>()

  constructor(services: PollEndpointServices) {
    this.#services = services
  }

  async serve(exchange: HttpExchange): Promise<void> {
    const { bodies, context, now, others, splits } = this.#services
    const secret = exchange.query.get('connection')
    const owner = others && secret !== null ? splits.ownerOf(secret) : undefined
    if (owner !== undefined) others?.assertHere(owner)
    else if (secret !== null) this.#find(secret)
    const body = await bodies.read(exchange, now())
    if (!body) return
    if (owner === undefined) context.traffic.poll.bytesIn += body.byteLength
    if (secret === null) {
      this.#open(exchange).receiveLines(body.lines)
      return
    }
    if (body.lines.length > 0)
      throw new FusewireError('invalid_field', 'a poll of an open connection has no body: messages go to /send')
    if (others && owner !== undefined) await forwardPoll(exchange, { others, owner, secret })
    else this.take(secret, exchange)
  }

  /** A poll for the messages of a connection of this node, whichever node it has come to. Throws `unknown_connection`. */
  take(secret: string, poll: PollExchange): void {
    this.#find(secret).poll(poll)
  }

  /** Ends polls and connections whose time is over. */
  tick(): void {
    for (const connection of this.#connections.values()) connection.tick()
  }

  /** Ends all connections. */
  close(): void {
    for (const connection of this.#connections.values()) connection.close('server_draining')
  }

  #find(secret: string): PollConnection {
    const connection = this.#connections.get(secret)
    if (!connection) throw new FusewireError('unknown_connection')
    return connection
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

interface ForwardedTo {
  readonly others: OtherNodes
  readonly owner: string
  readonly secret: string
}

/** Waits for the messages of another node's connection. */
const forwardPoll = async (exchange: HttpExchange, { others, owner, secret }: ForwardedTo): Promise<void> => {
  const gone = new AbortController()
  let ended = (_complete: boolean): void => gone.abort()
  exchange.onClose((complete) => ended(complete))
  try {
    const answer = await others.poll(owner, secret, gone.signal)
    ended = (complete) => answer.ended(complete)
    // It may have gone in the turn of the answer.
    if (gone.signal.aborted) answer.ended(false)
    else exchange.answer(200, NDJSON_HEADERS, answer.body)
  } catch (error) {
    // Nobody is left to be told.
    if (!gone.signal.aborted) throw error
  }
}

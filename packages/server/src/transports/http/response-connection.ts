import type { OutgoingHttpHeaders } from 'node:http'
import {
  type Connection,
  type DenseSet,
  type Frame,
  type FrameFormat,
  NO_PLACE,
  type Peer,
  type Placed,
  type Slot,
  type TransportName,
} from '@fusewire/engine'
import type { DisconnectCode } from '@fusewire/protocol'
import { Outbox } from '../outbox.ts'
import type { TransportContext } from '../transport-context.ts'
import type { Deadlines, Ending } from './deadlines.ts'
import type { HttpExchange } from './http-exchange.ts'
import type { KeepAlives, KeptAlive } from './keep-alives.ts'
import type { OneWayGate } from './one-way-gate.ts'
import { refuse } from './refusal.ts'

/** What the bytes of a response are. */
export interface ResponseShape {
  readonly transport: TransportName
  readonly format: FrameFormat
  readonly headers: OutgoingHttpHeaders
  /** Bytes that mean nothing to the client. */
  readonly keepAlive: Uint8Array
  /** Written before anything else. */
  readonly preamble?: Uint8Array
  /** Decides whether the response begins; without it, it begins at once. */
  readonly gate?: OneWayGate
}

/** What the responses of all connections share. */
export interface ResponseServices {
  readonly context: TransportContext
  readonly keepAlives: KeepAlives
  /** Responses that have ended, until the client has read them. */
  readonly endings: Deadlines<Ending>
  /** Connections that have not ended. */
  readonly live: DenseSet<ResponseConnection>
  readonly now: () => number
}

/**
 *     undecided ──open──▶ streaming ──close──▶ ending ──▶ closed
 *         └──────────refuse, retry──────────────▲          ▲
 *     the client vanishes, or reads too slowly ────────────┘
 */
type State =
  /** Bytes wait for the gate's decision. */
  | { readonly kind: 'undecided'; readonly bytes: Uint8Array[]; readonly gate: OneWayGate }
  | { readonly kind: 'streaming' }
  | { readonly kind: 'ending' }
  | { readonly kind: 'closed' }

/** A connection whose downstream is one HTTP response that goes on and on: SSE and HTTP streaming. */
export class ResponseConnection implements Connection, KeptAlive, Placed {
  /** Among those that have not ended. */
  place = NO_PLACE
  readonly transport: TransportName
  readonly format: FrameFormat
  readonly remoteAddress: string
  readonly #exchange: HttpExchange
  readonly #shape: ResponseShape
  readonly #services: ResponseServices
  readonly #outbox: Outbox
  readonly #stopKeepAlive: () => void
  #state: State
  #peer: Pick<Peer, 'alive' | 'closed'> | undefined
  #leave: (() => void) | undefined
  #isProbed = false

  constructor(exchange: HttpExchange, shape: ResponseShape, services: ResponseServices) {
    this.transport = shape.transport
    this.format = shape.format
    this.remoteAddress = exchange.remoteAddress
    this.#exchange = exchange
    this.#shape = shape
    this.#services = services
    const { transport, remoteAddress } = this
    const sink = {
      transport,
      remoteAddress,
      write: (bytes: Uint8Array) => this.#write(bytes),
      overflow: () => exchange.destroy(),
    }
    this.#outbox = new Outbox(services.context, sink, services.context.streams.queueOf(exchange.session))
    this.#stopKeepAlive = services.keepAlives.add(this)
    services.live.add(this)
    exchange.onDrain(() => this.#outbox.drained())
    exchange.onClose(() => this.#closed())
    this.#state = shape.gate ? { kind: 'undecided', bytes: [], gate: shape.gate } : { kind: 'streaming' }
    if (!shape.gate) this.#begin()
  }

  /** Ties the connection to its peer. `leave` is called when no more may come from the client. */
  attach(peer: Pick<Peer, 'alive' | 'closed'>, leave?: () => void): void {
    this.#peer = peer
    this.#leave = leave
  }

  send(frame: Frame, slot?: Slot): void {
    this.#outbox.push(frame, slot)
  }

  close(code: DisconnectCode, reason: string): void {
    const state = this.#state
    if (state.kind === 'ending' || state.kind === 'closed') return
    if (code === 'server_draining') this.#exchange.leave()
    if (state.kind === 'undecided') state.gate.end(code, reason)
    this.#outbox.end()
    // What was pending may have led to the decision, and that to the end.
    if (this.#state.kind === 'undecided') this.#decide(this.#state)
    if (this.#state.kind === 'streaming') this.#end()
  }

  probe(): void {
    this.#isProbed = true
    this.#outbox.push(this.#shape.keepAlive)
  }

  keepAlive(): void {
    if (this.#state.kind === 'streaming') this.#outbox.push(this.#shape.keepAlive)
  }

  #write(bytes: Uint8Array): boolean {
    const state = this.#state
    switch (state.kind) {
      case 'undecided':
        state.bytes.push(bytes)
        return this.#decide(state)
      case 'streaming':
        return this.#stream(bytes)
      default:
        return true
    }
  }

  #stream(bytes: Uint8Array): boolean {
    this.#services.context.traffic[this.transport].bytesOut += bytes.byteLength
    if (!this.#isProbed) return this.#exchange.write(bytes)
    this.#isProbed = false
    return this.#exchange.write(bytes, (error) => {
      if (!error) this.#peer?.alive()
    })
  }

  #decide({ gate, bytes }: State & { kind: 'undecided' }): boolean {
    const { decision } = gate
    switch (decision.kind) {
      case 'undecided':
        return true
      case 'refuse':
        this.#outbox.abandon()
        this.#services.context.traffic[this.transport].refused++
        refuse(this.#exchange, decision.error)
        this.#ended()
        return true
      case 'open':
        this.#begin()
        return this.#stream(Buffer.concat(bytes))
      case 'retry':
        this.#begin()
        this.#stream(Buffer.concat(bytes))
        this.#outbox.abandon()
        this.#end()
        return true
    }
  }

  #begin(): void {
    this.#state = { kind: 'streaming' }
    const traffic = this.#services.context.traffic[this.transport]
    traffic.opened++
    traffic.connections++
    this.#exchange.begin(this.#shape.headers)
    if (this.#shape.preamble) this.#stream(this.#shape.preamble)
  }

  #end(): void {
    this.#services.context.traffic[this.transport].connections--
    this.#exchange.end()
    this.#ended()
  }

  /** The response is complete; what remains is up to the client, which has so long to read it. */
  #ended(): void {
    this.#state = { kind: 'ending' }
    this.#services.endings.start(this.#exchange, this.#services.now())
    this.#release()
  }

  #closed(): void {
    const { kind } = this.#state
    if (kind === 'closed') return
    this.#state = { kind: 'closed' }
    if (kind === 'streaming') this.#services.context.traffic[this.transport].connections--
    this.#services.endings.stop(this.#exchange)
    this.#outbox.abandon()
    this.#release()
    this.#peer?.closed()
  }

  /** Idempotent. */
  #release(): void {
    this.#services.live.delete(this)
    this.#stopKeepAlive()
    this.#leave?.()
  }
}

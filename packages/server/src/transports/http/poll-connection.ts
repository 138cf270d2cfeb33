import type { Connection, Frame, Peer, Slot } from '@fusewire/engine'
import type { DisconnectCode } from '@fusewire/protocol'
import { ndjsonFormat } from '../formats.ts'
import { Outbox } from '../outbox.ts'
import type { TransportContext } from '../transport-context.ts'
import type { Deadlines, Ending } from './deadlines.ts'
import { NDJSON_HEADERS } from './ndjson.ts'
import type { PollExchange } from './poll-exchange.ts'
import { isOpen, nextPollState, type PollEvent, type PollState, type PollTimes } from './poll-state.ts'

export interface PollServices {
  readonly context: TransportContext
  readonly times: PollTimes
  /** Responses that have ended, until the client has read them. */
  readonly endings: Deadlines<Ending>
  readonly now: () => number
}

export interface PollListener {
  /** No more may come from the client. Called once. */
  ended(): void
  /** Nothing is left for the client either. Called once, at the same time or later. */
  forgotten(): void
}

/** A connection whose downstream is one response after another: long polling. */
export class PollConnection implements Connection {
  readonly transport = 'poll'
  readonly format = ndjsonFormat
  readonly remoteAddress: string
  readonly #services: PollServices
  readonly #outbox: Outbox
  readonly #listener: PollListener
  #state: PollState<PollExchange>
  /** The response that carries messages and has not reached the client, as far as is known. */
  #carrier: PollExchange | undefined
  /** A poll that has come before it was known whether the carrier has arrived. */
  #early: PollExchange | undefined
  #peer: Peer | undefined
  /** The client is to come back on another line. */
  #isMoving = false

  constructor(first: PollExchange, services: PollServices, listener: PollListener) {
    this.remoteAddress = first.remoteAddress
    this.#services = services
    this.#listener = listener
    const { transport, remoteAddress } = this
    this.#outbox = new Outbox(services.context, {
      transport,
      remoteAddress,
      write: (bytes) => this.#write(bytes),
      overflow: () => this.#apply({ kind: 'lost' }),
    })
    this.#state = { kind: 'waiting', poll: first, deadline: services.now() + services.times.pollTimeoutMs }
    this.#watch(first)
  }

  attach(peer: Peer): void {
    this.#peer = peer
  }

  /** The client asks for messages, and shows thereby that it is there. */
  poll(exchange: PollExchange): void {
    this.#watch(exchange)
    // What comes next may be told only to one who has got that. Word of it comes from another node, as this poll does, and may be later.
    if (this.#carrier?.isForwarded) this.#holdBack(exchange)
    else this.#take(exchange)
  }

  #holdBack(exchange: PollExchange): void {
    this.#early?.answer(200, NDJSON_HEADERS)
    this.#early = exchange
  }

  #take(exchange: PollExchange): void {
    this.#apply({ kind: 'poll', poll: exchange })
    if (this.#state.kind === 'waiting') this.#outbox.drained()
    this.#peer?.alive()
  }

  send(frame: Frame, slot?: Slot): void {
    this.#outbox.push(frame, slot)
  }

  close(code: DisconnectCode): void {
    this.#isMoving = code === 'server_draining'
    this.#outbox.end()
    this.#apply({ kind: 'end' })
  }

  probe(): void {
    this.#apply({ kind: 'probe' })
  }

  tick(): void {
    this.#apply({ kind: 'tick' })
  }

  /** Always false: after one answer the next bytes wait for the next poll. */
  #write(bytes: Uint8Array): boolean {
    this.#apply({ kind: 'bytes', bytes })
    return false
  }

  #watch(exchange: PollExchange): void {
    exchange.onClose((complete) => {
      if (this.#early === exchange) {
        this.#early = undefined
        return
      }
      if (this.#carrier !== exchange) {
        this.#apply({ kind: 'gone', poll: exchange })
        return
      }
      this.#carrier = undefined
      this.#services.endings.stop(exchange)
      if (!complete) this.#apply({ kind: 'lost' })
      const early = this.#early
      this.#early = undefined
      if (early) this.#take(early)
    })
  }

  #apply(event: PollEvent<PollExchange>): void {
    const before = this.#state
    const { state, answer } = nextPollState(before, event, this.#services.now(), this.#services.times)
    this.#state = state
    if (answer) this.#answer(answer.poll, answer.bytes)
    if (isOpen(before) && !isOpen(state)) this.#ended()
    if (before.kind !== 'closed' && state.kind === 'closed') this.#listener.forgotten()
    // Nobody waits for this answer any more; a client that does not read it may not keep it here for ever.
    if (before !== state && !isOpen(state) && this.#carrier) this.#services.endings.start(this.#carrier, this.#services.now())
  }

  #answer(poll: PollExchange, parts: readonly Uint8Array[]): void {
    const body = parts.length === 1 ? parts[0] : Buffer.concat(parts)
    if (parts.length > 0) this.#carrier = poll
    this.#services.context.traffic.poll.bytesOut += body?.byteLength ?? 0
    if (this.#isMoving) poll.leave()
    poll.answer(200, NDJSON_HEADERS, body)
  }

  #ended(): void {
    this.#outbox.abandon()
    this.#listener.ended()
    // This may be inside of a call of the engine's, which must not hear back before it is over.
    queueMicrotask(() => this.#peer?.closed())
  }
}

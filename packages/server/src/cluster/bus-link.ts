import type { NodeBus } from '@fusewire/engine'
import { FusewireError } from '@fusewire/protocol'
import { type BusMessage, decodeBusMessage, encodeBusMessage } from './bus-message.ts'
import type { ClusterStats } from './cluster-stats.ts'
import { PART_BYTES, Parts, splitPayload } from './parts.ts'

/** A message as a part of the code has it, which does not know how its own node is called. */
export type Outgoing = BusMessage extends infer Message ? (Message extends BusMessage ? Omit<Message, 'from'> : never) : never

export interface BusLinkPorts {
  readonly node: string
  readonly bus: NodeBus
  readonly stats: ClusterStats
  /** Milliseconds of a clock that does not leap. */
  readonly now: () => number
  /** Bytes of one message; those beyond are refused on both sides. */
  readonly maxMessageBytes: number
  /** What has come from another node, checked. */
  readonly received: (message: BusMessage) => void
}

/** Messages that are not complete, in multiples of the largest one. */
const MAX_WAITING_MESSAGES = 8
const PART_TIMEOUT_MS = 10_000

/** The bus as messages instead of bytes: what comes is checked before anybody sees it, what is too large goes in parts. */
export class BusLink {
  readonly #ports: BusLinkPorts
  readonly #parts: Parts
  #messages = 0

  constructor(ports: BusLinkPorts) {
    this.#ports = ports
    const { maxMessageBytes } = ports
    this.#parts = new Parts({
      maxMessageBytes,
      maxWaitingBytes: MAX_WAITING_MESSAGES * maxMessageBytes,
      timeoutMs: PART_TIMEOUT_MS,
    })
  }

  async start(): Promise<void> {
    const { bus, node } = this.#ports
    await bus.start(node, { message: (payload) => this.#heard(payload) })
  }

  /**
   * Sends to one node, or to all others. The calls of `bus.send` are made in this turn, so that messages keep their order.
   * Rejects with a {@link FusewireError} when it cannot be sent.
   */
  async send(outgoing: Outgoing, to?: string): Promise<void> {
    const { node, maxMessageBytes } = this.#ports
    const payload = encodeBusMessage({ ...outgoing, from: node } as BusMessage)
    if (payload.byteLength <= PART_BYTES) return this.#hand(payload, to)
    if (payload.byteLength > maxMessageBytes)
      throw new FusewireError('message_too_large', `a message between nodes is longer than ${maxMessageBytes} bytes`)
    const parts = splitPayload(payload)
    const message = ++this.#messages
    await Promise.all(
      parts.map((bytes, index) =>
        this.#hand(encodeBusMessage({ type: 'part', from: node, message, index, count: parts.length, bytes }), to),
      ),
    )
  }

  tick(now: number): void {
    this.#parts.sweep(now)
  }

  async close(): Promise<void> {
    await this.#ports.bus.close()
  }

  async #hand(payload: Uint8Array, to: string | undefined): Promise<void> {
    const { bus, stats } = this.#ports
    try {
      await bus.send(payload, to)
      stats.sent++
    } catch (error) {
      stats.unsent++
      throw error
    }
  }

  #heard(payload: Uint8Array): void {
    const { node, stats, now, received } = this.#ports
    stats.received++
    const message = decodeBusMessage(payload)
    if (typeof message === 'string') {
      stats.refused[message]++
      return
    }
    if (message.from === node) return
    if (message.type !== 'part') {
      received(message)
      return
    }
    const whole = this.#parts.add(message, now())
    if (typeof whole === 'string') stats.refused[whole]++
    else if (whole) this.#whole(whole, message.from)
  }

  #whole(payload: Uint8Array, from: string): void {
    const message = decodeBusMessage(payload)
    if (typeof message === 'string' || message.type === 'part' || message.from !== from)
      this.#ports.stats.refused[message === 'version' ? 'version' : 'malformed']++
    else this.#ports.received(message)
  }
}

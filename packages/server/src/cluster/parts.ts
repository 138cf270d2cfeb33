import type { PartMessage } from './bus-message.ts'
import type { BusRefusalReason } from './cluster-stats.ts'

/** Bytes of one message on the bus. NATS takes 1 MiB with what it adds itself; smaller ones let others pass in between. */
export const PART_BYTES = 256 * 1024

export interface PartLimits {
  /** Bytes of one message, put together. */
  readonly maxMessageBytes: number
  /** Bytes of all messages that are not complete. */
  readonly maxWaitingBytes: number
  /** How long a message may take from its first part to its last, in milliseconds. */
  readonly timeoutMs: number
}

interface Incomplete {
  readonly count: number
  readonly parts: Uint8Array[]
  readonly beganAt: number
  bytes: number
}

/** The parts of a payload, each small enough for the bus. */
export const splitPayload = (payload: Uint8Array): Uint8Array[] => {
  const parts: Uint8Array[] = []
  for (let at = 0; at < payload.byteLength; at += PART_BYTES) parts.push(payload.subarray(at, at + PART_BYTES))
  return parts
}

/** Puts messages together again. Parts of one come in their order or not at all: with one that is missing the rest means nothing. */
export class Parts {
  readonly #incomplete = new Map<string, Incomplete>()
  readonly #limits: PartLimits
  #waitingBytes = 0

  constructor(limits: PartLimits) {
    this.#limits = limits
  }

  /** The payload, with its last part; undefined before, or why the message is dropped. */
  add({ from, message, index, count, bytes }: PartMessage, now: number): Uint8Array | undefined | BusRefusalReason {
    const key = `${message} ${from}`
    if (index === 0) this.#drop(key)
    const begun = this.#incomplete.get(key) ?? (index === 0 ? { count, parts: [], beganAt: now, bytes: 0 } : undefined)
    if (!begun || begun.count !== count || begun.parts.length !== index) {
      this.#drop(key)
      return 'out_of_order'
    }
    const { maxMessageBytes, maxWaitingBytes } = this.#limits
    if (begun.bytes + bytes.byteLength > maxMessageBytes || this.#waitingBytes + bytes.byteLength > maxWaitingBytes) {
      this.#drop(key)
      return 'too_large'
    }
    this.#incomplete.set(key, begun)
    begun.parts.push(bytes)
    begun.bytes += bytes.byteLength
    this.#waitingBytes += bytes.byteLength
    if (begun.parts.length < count) return undefined
    this.#drop(key)
    return Buffer.concat(begun.parts)
  }

  /** Forgets messages whose rest has not come in time. Those that began first are due first. */
  sweep(now: number): void {
    for (const [key, { beganAt }] of this.#incomplete) {
      if (now - beganAt < this.#limits.timeoutMs) return
      this.#drop(key)
    }
  }

  #drop(key: string): void {
    this.#waitingBytes -= this.#incomplete.get(key)?.bytes ?? 0
    this.#incomplete.delete(key)
  }
}

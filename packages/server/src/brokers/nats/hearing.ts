import type { BrokerListener } from '@fusewire/engine'
import { type Located, publicationsOf } from './channel-record.ts'

/** So many records are known again when they come with another sequence: more than are on their way at the same time. */
const RECENT = 16

/** Hands a channel's records to the listener: each once, in their order, and says so where one may be missing. */
export class Hearing {
  readonly #channel: string
  readonly #listener: BrokerListener
  readonly #stop: () => void
  /** Sequence of the newest record that the listener has been given, 0 for none; undefined while that may be any. */
  #delivered: number | undefined
  #epoch: string | undefined
  /** Identifiers of the newest records that the listener has been given, in a ring. */
  readonly #recent: string[] = []
  #given = 0

  /** `stop` is called at the end. */
  constructor(channel: string, listener: BrokerListener, stop: () => void) {
    this.#channel = channel
    this.#listener = listener
    this.#stop = stop
  }

  get delivered(): number | undefined {
    return this.#delivered
  }

  stop(): void {
    this.#stop()
  }

  /** Whatever the listener does not know yet comes behind this record, or behind none. */
  beginAfter(newest: Located | undefined): void {
    const sequence = newest?.sequence ?? 0
    if (this.#delivered !== undefined && this.#delivered >= sequence) return
    this.#delivered = sequence
    this.#epoch = newest?.record.epoch
  }

  /** Records may have been missed: the next one may be any. */
  interrupt(): void {
    this.#delivered = undefined
    this.#listener.interrupted(this.#channel)
  }

  /** The channel has no record any more. */
  restart(): void {
    this.#delivered = 0
    this.#epoch = undefined
    this.#listener.interrupted(this.#channel)
  }

  take({ sequence, record }: Located): void {
    const delivered = this.#delivered
    const epoch = this.#epoch
    if (delivered !== undefined && sequence <= delivered) return
    this.#delivered = sequence
    // A server that loses the lead may have given it a sequence that is another one's now.
    if (this.#recent.includes(record.id)) return
    this.#recent[this.#given++ % RECENT] = record.id
    this.#epoch = record.epoch
    const isNext = delivered === undefined ? record.publications.length > 0 : record.previous === delivered
    if (!isNext || (epoch !== undefined && epoch !== record.epoch)) this.#listener.interrupted(this.#channel)
    for (const publication of publicationsOf(record)) this.#listener.publication(this.#channel, publication, record.epoch)
  }
}

import type { Position, Publication, Subscribed } from '@fusewire/protocol'
import { expect } from 'vitest'
import { expectHonest, plain } from './expect-honest.ts'
import { type Journal, patched } from './journal.ts'

/** What a client knows of one channel, and the check of what it is told against the {@link Journal}. */
export class ModelChannel {
  readonly #name: string
  readonly #journal: Journal
  /** `unsure`: the line was cut before the answer. */
  state: 'off' | 'live' | 'unsure' = 'off'
  filter: string | undefined
  /** Where it has got to; kept over cuts. */
  position: Position | undefined
  /** In a state channel. */
  #document: unknown

  constructor(name: string, journal: Journal) {
    this.#name = name
    this.#journal = journal
  }

  /** The subscription is gone, and its filter with it. */
  turnOff(): void {
    this.state = 'off'
    this.filter = undefined
  }

  /** `since`: what the server goes on from; `nowhere` where it cannot be known. */
  subscribed(message: Subscribed, since: Position | 'nowhere' | undefined): void {
    const { position, recovered, publications = [] } = message
    expectHonest(this.#journal, message, since, this.filter)
    this.state = 'live'
    this.position = position
    if (!this.#journal.rule.state) return
    if (recovered) for (const { data, patch } of publications) this.#document = patch ? patched(this.#document, data) : data
    else this.#document = message.document
    expect(this.#document).toEqual(this.#journal.document(this.#name, position))
  }

  publication({ offset, data, patch }: Publication): void {
    const position = this.position ?? { epoch: '', offset: 0 }
    expect(this.state).toBe('live')
    expect(this.#journal.between(this.#name, position, offset, this.filter).map(plain)).toEqual([{ offset, data }])
    this.position = { epoch: position.epoch, offset }
    if (!this.#journal.rule.state) return
    this.#document = patch ? patched(this.#document, data) : data
    expect(this.#document).toEqual(this.#journal.document(this.#name, this.position))
  }

  /** Everything that passes the filter has been read, as far as the channel is live. */
  expectComplete(): void {
    if (this.state !== 'live' || !this.position) return
    const { epoch } = this.position
    expect(this.#journal.isOver(this.#name, epoch)).toBe(false)
    expect(this.#journal.between(this.#name, this.position, this.#journal.newest(this.#name, epoch), this.filter)).toEqual([])
  }
}

import type { Publication, SubscribedEvent } from '@fusewire/client'

/** What a subscriber has been told, in the order in which it was told. */
export type Told =
  | { readonly kind: 'subscribed'; readonly event: SubscribedEvent }
  | { readonly kind: 'publication'; readonly publication: Pick<Publication, 'offset' | 'data'> }

/** Everything that was published to a channel, by the answers that the publishers got: offset to data. */
export class PublishedModel {
  readonly #byOffset = new Map<number, unknown>()
  /** What may have been published: the answer was lost for good. */
  readonly #unsure = new Set<string>()

  /** @throws when another publication has this place. */
  add(offset: number, data: unknown): void {
    if (this.#byOffset.has(offset)) throw new Error(`offset ${offset} was given twice: ${this.#byOffset.get(offset)} and ${data}`)
    this.#byOffset.set(offset, data)
  }

  addUnsure(data: unknown): void {
    this.#unsure.add(JSON.stringify(data))
  }

  get last(): number {
    return this.#byOffset.size
  }

  get(offset: number): unknown {
    return this.#byOffset.get(offset)
  }

  /** Learns from what a subscriber has seen which of the unsure ones were published. @throws for what nobody has published. */
  learn(told: readonly Told[]): void {
    for (const item of told) {
      if (item.kind === 'subscribed' || this.#byOffset.has(item.publication.offset)) continue
      const { offset, data } = item.publication
      if (!this.#unsure.delete(JSON.stringify(data)))
        throw new Error(`nobody has published ${JSON.stringify(data)} at ${offset}, or not twice`)
      this.add(offset, data)
    }
  }

  /** @throws when an offset was passed over: something was published that nobody has asked for, or twice. */
  assertComplete(): void {
    for (let offset = 1; offset <= this.last; offset++)
      if (!this.#byOffset.has(offset)) throw new Error(`offset ${offset} of ${this.last} was given to nobody`)
  }
}

export interface Verdict {
  /** Recoveries that were complete, and those of which the subscriber was told that they are not. */
  readonly recovered: number
  readonly lost: number
}

/**
 * The promise of resume, as a subscriber can hold the server to it: from its first `subscribed` on every publication comes once, in
 * order, to the last; but after an honest `recovered: false`, which may only be said when the history did not reach back far enough,
 * they go on from the position that came with it.
 * @throws with the first thing that breaks it.
 */
export const judge = (told: readonly Told[], published: PublishedModel, historySize: number): Verdict => {
  let next: number | undefined
  let recovered = 0
  let lost = 0
  for (const [index, item] of told.entries()) {
    const fail = (what: string): never => {
      const context = told.slice(Math.max(0, index - 5), index + 3).map((each) => JSON.stringify(each))
      throw new Error(`${what} (item ${index}, ${next} was due):\n${context.join('\n')}`)
    }
    if (item.kind === 'subscribed') {
      const { position, recovered: isComplete, wasRecovering } = item.event
      if (next === undefined) next = position.offset + 1
      else if (!wasRecovering) fail('a subscription began anew')
      else if (isComplete) recovered++
      else {
        const missed = position.offset - (next - 1)
        if (missed <= historySize) fail(`recovered is false, and only ${missed} publications were missed`)
        next = position.offset + 1
        lost++
      }
      continue
    }
    const { offset, data } = item.publication
    if (next === undefined) return fail('a publication came before the subscription')
    if (offset < next) fail('a publication came twice, or out of order')
    if (offset > next) fail('a publication is missing')
    if (JSON.stringify(data) !== JSON.stringify(published.get(offset)))
      fail(`${JSON.stringify(published.get(offset))} was published here`)
    next++
  }
  if (next !== published.last + 1)
    throw new Error(`the last publication seen is ${next === undefined ? 'none' : next - 1} of ${published.last}`)
  return { recovered, lost }
}

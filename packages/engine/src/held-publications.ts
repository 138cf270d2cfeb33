import type { Position, Publication } from '@fusewire/protocol'
import { NO_PLACE, type Placed } from './dense-set.ts'

/** Publications that are held while a history is being read, at most. */
const MAX_HELD_PUBLICATIONS = 10_000

/**
 * What is published in a channel while its history is being read, so that it can follow what was read without gap or duplicate. What
 * the broker may have kept from its node in the meantime can only be read again.
 */
export class HeldPublications implements Placed {
  place = NO_PLACE
  #publications: Publication[] = []
  #epoch: string | undefined
  #isInterrupted = false
  #isWhole = true

  get size(): number {
    return this.#publications.length
  }

  /** Whether more was published than could be held: something is missing. */
  get isOverrun(): boolean {
    return this.#publications.length > MAX_HELD_PUBLICATIONS
  }

  /** Whether it is everything that was published since it was made. */
  get isWhole(): boolean {
    return this.#isWhole && !this.isOverrun
  }

  hold(publication: Publication, epoch: string): void {
    this.#epoch = epoch
    if (!this.isOverrun) this.#publications.push(publication)
  }

  /** Something may be missing: what is being read now may not reach to what will be held. */
  interrupt(): void {
    this.#forget()
    this.#isInterrupted = true
  }

  /** To be called before the history is read again: what is held so far is in it. */
  restart(): void {
    this.#forget()
    this.#isInterrupted = false
  }

  /** What follows a history that was read up to this position; undefined when it has to be read again. */
  after(position: Position): readonly Publication[] | undefined {
    if (this.#isInterrupted || this.isOverrun) return undefined
    // Of two epochs nobody knows which one is newer, except that what is read now is not older than what was held before.
    if (this.#publications.length > 0 && this.#epoch !== position.epoch) return undefined
    const following = this.#publications.filter(({ offset }) => offset > position.offset)
    return following.every(({ offset }, index) => offset === position.offset + 1 + index) ? following : undefined
  }

  #forget(): void {
    this.#publications = []
    this.#isWhole = false
  }
}

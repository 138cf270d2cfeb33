/** Something that knows its own place in a {@link DenseSet}. */
export interface Placed {
  /** The set's alone: {@link NO_PLACE} while it is in none. */
  place: number
}

export const NO_PLACE = -1

/**
 * A set of things that come and go, each of which is in one such set at a time: an array without gaps, to which the last one moves where
 * another leaves. Entering and leaving are O(1), and nothing that has left is kept from being collected, as it would be by a `Set`: see
 * {@link RenewingMap}.
 */
export class DenseSet<T extends Placed> {
  readonly #members: T[] = []

  get size(): number {
    return this.#members.length
  }

  /** In no order. To be copied where they may come or leave meanwhile. */
  get members(): readonly T[] {
    return this.#members
  }

  has(member: T): boolean {
    return this.#members[member.place] === member
  }

  /** Takes one that is in no such set. */
  add(member: T): void {
    member.place = this.#members.push(member) - 1
  }

  /** False when it was not here. */
  delete(member: T): boolean {
    if (!this.has(member)) return false
    const last = this.#members.pop()
    if (last && last !== member) {
      this.#members[member.place] = last
      last.place = member.place
    }
    member.place = NO_PLACE
    return true
  }
}

import type { Place } from './told.ts'

/** What has been published to one channel, by those who published it and those who have seen it. */
export class Journal {
  /** Published, or perhaps published: the answer is not there yet, or was lost for good. */
  readonly #begun = new Set<string>()
  /** By epoch: what is published again after its answer was lost with a server is there twice, in two histories. */
  readonly #placeOf = new Map<string, string>()
  readonly #atPlace = new Map<string, string>()
  /** Publications with an answer. */
  acknowledged = 0
  /** The highest offset that an answer has named. */
  last = 0

  /** Somebody is about to publish this, which nobody has published before. */
  begin(data: unknown): void {
    this.#begun.add(JSON.stringify(data))
  }

  /** The server has answered that it is published. @throws when that cannot be. */
  acknowledge(place: Place, data: unknown): void {
    this.#learn(place, data)
    this.acknowledged++
    this.last = Math.max(this.last, place.offset)
  }

  /** A subscriber has seen it, or the history has it. @throws when nobody has published it, or it is there twice. */
  see(place: Place, data: unknown): void {
    this.#learn(place, data)
  }

  /** Offsets up to this one of which nobody knows what was published: those that were given to nothing, or to what nobody asked for. */
  unknown(epoch: string, last: number): number[] {
    return Array.from({ length: last }, (_, n) => n + 1).filter((offset) => !this.#atPlace.has(keyOf({ epoch, offset })))
  }

  /** Publications after one offset, up to another, as JSON. */
  between(epoch: string, after: number, upTo: number): (string | undefined)[] {
    const length = Math.max(0, upTo - after)
    return Array.from({ length }, (_, n) => this.#atPlace.get(keyOf({ epoch, offset: after + 1 + n })))
  }

  #learn(place: Place, data: unknown): void {
    const text = JSON.stringify(data)
    const key = keyOf(place)
    const inEpoch = `${place.epoch} ${text}`
    const [before, elsewhere] = [this.#atPlace.get(key), this.#placeOf.get(inEpoch)]
    if (before !== undefined && before !== text) throw new Error(`${key} is ${before}, and also ${text}`)
    if (elsewhere !== undefined && elsewhere !== key) throw new Error(`${text} was published twice, at ${elsewhere} and ${key}`)
    if (!this.#begun.has(text)) throw new Error(`nobody has published ${text}, which is at ${key}`)
    this.#atPlace.set(key, text)
    this.#placeOf.set(inEpoch, key)
  }
}

const keyOf = ({ epoch, offset }: Place): string => `${epoch} ${offset}`

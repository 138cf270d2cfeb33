import type { PublicationDraft, Published, PublishOptions } from '@fusewire/engine'
import type { Position } from '@fusewire/protocol'
import type { ChannelKeys } from './channel-keys.ts'
import type { EncodedDraft } from './draft-code.ts'
import { type Appended, appendArguments, readAppended } from './publish-call.ts'
import type { RedisReply } from './redis-link.ts'

/** Publications and bytes in one call, at most: while Redis is at it, everybody else waits. */
const MAX_TOGETHER = 64
const MAX_BYTES = 65_536

/** Sends what {@link appendArguments} has made. */
export type SendAppend = (keys: ChannelKeys, args: readonly string[]) => Promise<RedisReply>

/** Redis has a publication now; gives what its publisher is answered. */
export type OnAppended = (channel: string, draft: PublicationDraft, position: Position, time: number) => Awaitable<Published>

type Awaitable<T> = T | Promise<T>

interface Waiter {
  readonly draft: PublicationDraft
  readonly resolve: (published: Awaitable<Published>) => void
  readonly reject: (error: unknown) => void
}

interface Gathering {
  readonly keys: ChannelKeys
  readonly options: PublishOptions
  readonly encoded: EncodedDraft[]
  readonly waiters: Waiter[]
  bytes: number
}

/**
 * Sends what is published in one channel in one turn, and asks for nothing to be looked at first, as one call: what a call costs Redis
 * and its client is most of what a publication does.
 */
export class PublicationGatherer {
  readonly #send: SendAppend
  readonly #onAppended: OnAppended
  /**
   * By channel; undefined until the turn has one. Each turn has a Map of its own: one in which entries came and went for good would have
   * V8 keep alive, until the next major collection, whatever has been in it.
   */
  #gatherings: Map<string, Gathering> | undefined

  constructor(send: SendAppend, onAppended: OnAppended) {
    this.#send = send
    this.#onAppended = onAppended
  }

  add(
    channel: string,
    keys: ChannelKeys,
    draft: PublicationDraft,
    encoded: EncodedDraft,
    options: PublishOptions,
  ): Promise<Published> {
    const gathering = this.#gatheringOf(channel, keys, options)
    gathering.encoded.push(encoded)
    gathering.bytes += encoded.bytes
    return new Promise((resolve, reject) => {
      const together = gathering.waiters.push({ draft, resolve, reject })
      if (together >= MAX_TOGETHER || gathering.bytes >= MAX_BYTES) this.flush(channel)
    })
  }

  /** Whatever is asked about the channel from now on comes after what has been published in it. */
  flush(channel: string): void {
    const gathering = this.#gatherings?.get(channel)
    if (!gathering) return
    this.#gatherings?.delete(channel)
    this.#sendGathered(channel, gathering)
  }

  #gatheringOf(channel: string, keys: ChannelKeys, options: PublishOptions): Gathering {
    const known = this.#gatherings?.get(channel)
    if (known && isAlike(known.options, options)) return known
    this.flush(channel)
    const gathering = { keys, options, encoded: [], waiters: [], bytes: 0 }
    this.#gatheringsOfTurn().set(channel, gathering)
    return gathering
  }

  #gatheringsOfTurn(): Map<string, Gathering> {
    if (!this.#gatherings) {
      this.#gatherings = new Map()
      // Once all that has come in is read, whoever it came from.
      setImmediate(this.#flushAll)
    }
    return this.#gatherings
  }

  readonly #flushAll = (): void => {
    const gatherings = this.#gatherings ?? []
    this.#gatherings = undefined
    for (const [channel, gathering] of gatherings) this.#sendGathered(channel, gathering)
  }

  #sendGathered(channel: string, { keys, options, encoded, waiters }: Gathering): void {
    this.#send(keys, appendArguments(keys.topic, encoded, options)).then(
      (reply) => this.#answer(channel, waiters, readAppended(reply)),
      (error: unknown) => {
        for (const { reject } of waiters) reject(error)
      },
    )
  }

  /** Each for itself: what one publication comes to does not keep the others from their answers. */
  #answer(channel: string, waiters: readonly Waiter[], { epoch, first, time }: Appended): void {
    for (const [index, { draft, resolve, reject }] of waiters.entries())
      try {
        resolve(this.#onAppended(channel, draft, { epoch, offset: first + index }, time))
      } catch (error) {
        reject(error)
      }
  }
}

const isAlike = (one: PublishOptions, other: PublishOptions): boolean =>
  one.historySize === other.historySize && one.historyTtlMs === other.historyTtlMs && one.historyBytes === other.historyBytes

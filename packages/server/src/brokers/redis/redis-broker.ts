import {
  type Announcement,
  type Broker,
  type BrokerListener,
  type ChannelState,
  ConflictError,
  type HistoryPage,
  type HistoryQuery,
  type PublicationDraft,
  type Published,
  type PublishOptions,
} from '@fusewire/engine'
import { FusewireError, jsonSize, mergePatch, type Publication } from '@fusewire/protocol'
import { ChannelInterest } from './channel-interest.ts'
import { type ChannelKeys, channelKeys, idempotencyName } from './channel-keys.ts'
import { announcementText, readChannelMessage } from './channel-message.ts'
import { DocumentLane } from './document-lane.ts'
import { decodeDraft, decodeValue, type EncodedDraft, encodeDraft, encodeValue } from './draft-code.ts'
import {
  BEHIND,
  CONFLICT,
  DUPLICATE,
  documentArguments,
  type MeasuredDocument,
  type PublishAnswer,
  publishArguments,
  readPublishAnswer,
  TO_BE_MEASURED,
  TOO_LARGE,
} from './publish-call.ts'
import type { RedisConnection } from './redis-connection.ts'
import { unavailable } from './redis-error.ts'
import { readStoredDocument, type StoredDocument } from './stored-document.ts'

export interface RedisBrokerOptions {
  /** Identifier of this process. */
  readonly node: string
  /** First part of every name. */
  readonly prefix: string
  /** How long an idempotency key is remembered, in milliseconds. */
  readonly idempotencyTtlMs: number
  /** How long a publication may take, in milliseconds. */
  readonly timeoutMs: number
}

const TICK_MS = 250
/** How often Redis is told that a channel is still of interest, which it forgets after an hour, and is asked for its epoch. */
const TOUCH_MS = 60_000
/** Touches at most in a tick: thousands of channels that are due at once do not hold up what clients ask. */
const TOUCHES = 2_000
/** Patches behind a base, and their bytes where they are more than the base, that make readers merge too much. */
const MAX_PATCHES = 100
const MAX_PATCH_BYTES = 16_384

/**
 * Keeps publications and documents in Redis, one atomic call each, and hears of those of other nodes over sharded channels. Everything
 * that is kept of a channel, and under which names, is told in `docs/redis.md`.
 */
export class RedisBroker implements Broker {
  readonly #connection: RedisConnection
  readonly #options: RedisBrokerOptions
  readonly #interests = new Map<string, Interested>()
  readonly #lanes = new Map<string, DocumentLane>()
  readonly #compacting = new Set<string>()
  #listener: BrokerListener | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(connection: RedisConnection, options: RedisBrokerOptions) {
    this.#connection = connection
    this.#options = options
  }

  /** @throws FusewireError `broker_unavailable` when Redis cannot be reached. */
  async start(listener: BrokerListener): Promise<void> {
    this.#listener = listener
    await this.#connection.open()
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  publish(channel: string, draft: PublicationDraft, options: PublishOptions): Promise<Published> {
    const keys = this.#keysOf(channel)
    const encoded = encodeDraft(draft)
    const publishing = options.state
      ? this.#publishDocument(channel, keys, draft, encoded, options, options.state)
      : this.#send(keys, encoded, options, [])
    return publishing.then((answer) => this.#published(channel, draft, answer))
  }

  subscribe(channel: string): Promise<void> {
    const known = this.#interests.get(channel)
    if (known) return known.ready
    const listener = this.#listener
    if (!listener) return Promise.reject(unavailable('the broker has not been started'))
    const interest = new ChannelInterest(channel, channelKeys(this.#options.prefix, channel), listener)
    const ready = this.#listen(interest).catch((error: unknown) => {
      if (this.#interests.get(channel)?.interest === interest) this.unsubscribe(channel)
      throw error
    })
    this.#interests.set(channel, {
      interest,
      ready,
      touchAt: performance.now() + TOUCH_MS * (0.5 + Math.random() / 2),
      isLost: false,
    })
    return ready
  }

  unsubscribe(channel: string): void {
    const known = this.#interests.get(channel)
    if (!known) return
    this.#interests.delete(channel)
    known.interest.close()
    this.#connection.unsubscribe(known.interest.keys.topic)
  }

  async announce(message: Announcement): Promise<void> {
    const { topic } = this.#keysOf(message.channel)
    await this.#connection.call('announce', [topic], [announcementText(encodeValue(message))])
  }

  async history(channel: string, { since, limit, reverse }: HistoryQuery): Promise<HistoryPage> {
    const { kept, topic } = this.#keysOf(channel)
    const position = since ? [since.epoch, String(since.offset)] : ['', '']
    const reply = await this.#connection.call('history', kept, [topic, ...position, String(limit ?? -1), reverse ? '1' : '0'])
    const [epoch, offset, complete, entries] = reply as readonly [string, number, number, readonly string[]]
    this.#interests.get(channel)?.interest.learned(epoch, offset)
    const publications: Publication[] = []
    for (let at = 0; at < entries.length; at += 2)
      publications.push(readEntry(Number.parseInt(entries[at] ?? '', 10), entries[at + 1] ?? ''))
    return { position: { epoch, offset }, publications, complete: complete === 1 }
  }

  async state(channel: string): Promise<ChannelState> {
    const { position, document } = await this.#read(channel)
    return document ? { position, document: document.value, time: document.time } : { position }
  }

  async clearHistory(channel: string): Promise<void> {
    const { kept, topic } = this.#keysOf(channel)
    await this.#lanes.get(channel)?.settled()
    await this.#connection.call('clear', kept, [topic])
  }

  async removeDocument(channel: string): Promise<boolean> {
    const { kept, topic } = this.#keysOf(channel)
    await this.#lanes.get(channel)?.settled()
    const reply = await this.#connection.call('remove_document', kept, [topic])
    const [epoch, offset, removed] = reply as readonly [string, number, number]
    this.#interests.get(channel)?.interest.learned(epoch, offset)
    return removed === 1
  }

  /** Idempotent. The connection is released, and closed when nobody else uses it. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#timer)
    for (const channel of [...this.#interests.keys()]) this.unsubscribe(channel)
    this.#connection.release()
  }

  #keysOf(channel: string): ChannelKeys {
    return this.#interests.get(channel)?.interest.keys ?? channelKeys(this.#options.prefix, channel)
  }

  async #listen(interest: ChannelInterest): Promise<void> {
    const { keys } = interest
    await this.#connection.subscribe(keys.topic, {
      message: (payload) => this.#heard(interest, payload),
      lapsed: () => this.#find(interest),
    })
    const [epoch, offset, documentTtlMs] = await this.#touch(interest)
    interest.found(epoch, offset, documentTtlMs)
  }

  #heard(interest: ChannelInterest, payload: Buffer): void {
    const message = readChannelMessage(payload)
    if (message?.kind === 'announcement') this.#listener?.announcement(decodeValue(message.text) as Announcement)
    else if (message) interest.hear(message)
  }

  async #touch({ keys }: ChannelInterest): Promise<readonly [string, number, number]> {
    const reply = await this.#connection.call('touch', keys.kept, [keys.topic])
    return reply as readonly [string, number, number]
  }

  /** Something may have been missed; whether it was, the channel's position says. */
  #find(interest: ChannelInterest): void {
    const { channel } = interest
    this.#touch(interest).then(
      ([epoch, offset, documentTtlMs]) => {
        if (this.#interests.get(channel)?.interest !== interest) return
        if (!interest.found(epoch, offset, documentTtlMs)) this.#listener?.interrupted(channel)
      },
      () => {
        const known = this.#interests.get(channel)
        if (known?.interest === interest) known.isLost = true
      },
    )
  }

  #tick(): void {
    if (this.#connection.problem()) return
    const now = performance.now()
    let left = TOUCHES
    for (const known of this.#interests.values()) {
      const { interest } = known
      const isOver = interest.documentEndsAt > 0 && interest.documentEndsAt <= now
      if (!isOver && !known.isLost && known.touchAt > now) continue
      if (left-- === 0) return
      known.touchAt = now + TOUCH_MS
      if (known.isLost) {
        known.isLost = false
        this.#find(interest)
      } else {
        interest.documentEndsAt = 0
        this.#look(interest)
      }
    }
  }

  #look(interest: ChannelInterest): void {
    this.#touch(interest).then(
      ([epoch, offset, documentTtlMs]) => {
        interest.learned(epoch, offset)
        if (documentTtlMs >= 0) interest.documentEndsAt = performance.now() + documentTtlMs
      },
      // It is asked again in a minute; a connection that was lost is told of apart.
      () => undefined,
    )
  }

  async #read(channel: string): Promise<StoredDocument> {
    const { kept, topic } = this.#keysOf(channel)
    const stored = readStoredDocument(await this.#connection.call('state', kept, [topic]))
    this.#interests.get(channel)?.interest.learned(stored.position.epoch, stored.position.offset)
    return stored
  }

  async #send(
    keys: ChannelKeys,
    encoded: EncodedDraft,
    options: PublishOptions,
    document: readonly string[],
  ): Promise<PublishAnswer> {
    const { idempotencyKey } = options
    const names = idempotencyKey === undefined ? keys.kept : [...keys.kept, idempotencyName(keys, idempotencyKey)]
    const args = publishArguments(keys.topic, encoded, options, this.#options.idempotencyTtlMs)
    return readPublishAnswer(await this.#connection.call('publish', names, [...args, ...document]))
  }

  #publishDocument(
    channel: string,
    keys: ChannelKeys,
    draft: PublicationDraft,
    encoded: EncodedDraft,
    options: PublishOptions,
    state: NonNullable<PublishOptions['state']>,
  ): Promise<PublishAnswer> {
    const { node } = this.#options
    const isTooLarge = !draft.patch && encoded.bytes > state.maxDocumentBytes
    const wholeBytes = isTooLarge ? jsonSize(draft.data) : encoded.bytes
    const send = (lane: string, measured?: MeasuredDocument): Promise<PublishAnswer> =>
      this.#send(keys, encoded, options, documentArguments(state, draft, { node, lane, wholeBytes }, measured))
    const measure = async (newLane: () => string): Promise<PublishAnswer> => {
      const deadline = performance.now() + this.#options.timeoutMs
      while (performance.now() < deadline) {
        const { position, document } = await this.#read(channel)
        const data = draft.patch ? mergePatch(document?.value, draft.data) : draft.data
        const { body } = encodeDraft({ data })
        const answer = await send(newLane(), { at: position, bytes: jsonSize(data), body })
        if (answer.status !== TO_BE_MEASURED && answer.status !== BEHIND) return answer
      }
      throw unavailable('others change the document all the time')
    }
    return this.#laneOf(channel).add({ send, measure })
  }

  #laneOf(channel: string): DocumentLane {
    const known = this.#lanes.get(channel)
    if (known) return known
    const lane = new DocumentLane(() => this.#lanes.delete(channel))
    this.#lanes.set(channel, lane)
    return lane
  }

  #published(channel: string, draft: PublicationDraft, answer: PublishAnswer): Published | Promise<Published> {
    const { status, position, time, documentEnd } = answer
    if (status === DUPLICATE) return { position, duplicate: true }
    const interest = this.#interests.get(channel)?.interest
    if (status === TOO_LARGE) throw new FusewireError('document_too_large')
    if (status === CONFLICT) {
      interest?.learned(position.epoch, position.offset)
      if (documentEnd === 0) throw new ConflictError({ position })
      return this.state(channel).then((state) => {
        throw new ConflictError(state)
      })
    }
    if (answer.patches > MAX_PATCHES || answer.patchBytes > Math.max(MAX_PATCH_BYTES, answer.baseBytes)) this.#compact(channel)
    const published = { position, duplicate: false }
    return interest?.answered(position.epoch, position.offset, time, documentEnd, draft)?.then(() => published) ?? published
  }

  /** Merges the patches of a document into its base. Where that fails, or another node was faster, the next patch tries again. */
  #compact(channel: string): void {
    if (this.#compacting.has(channel)) return
    this.#compacting.add(channel)
    this.#compacted(channel)
      .catch(() => undefined)
      .finally(() => this.#compacting.delete(channel))
  }

  async #compacted(channel: string): Promise<void> {
    const { position, document } = await this.#read(channel)
    if (!document) return
    const { kept, topic } = this.#keysOf(channel)
    const { value, baseOffset, patches, patchBytes } = document
    const { body } = encodeDraft({ data: value })
    const [size, replaced] = [jsonSize(value), [baseOffset, patches, patchBytes].map(String)]
    await this.#connection.call('compact', kept, [
      topic,
      position.epoch,
      ...replaced,
      body,
      String(size),
      String(position.offset),
    ])
  }
}

interface Interested {
  readonly interest: ChannelInterest
  readonly ready: Promise<void>
  /** When Redis is to be asked again, by `performance.now()`. */
  touchAt: number
  /** It may have missed something, and Redis has not said yet whether. */
  isLost: boolean
}

/** An entry of the history: time, bytes before it, and the draft. */
const readEntry = (offset: number, entry: string): Publication => {
  const first = entry.indexOf(' ')
  const second = entry.indexOf(' ', first + 1)
  return { offset, ...decodeDraft(entry.slice(second + 1)), time: Number(entry.slice(0, first)) }
}

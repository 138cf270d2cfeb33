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
import { ChannelInterests } from './channel-interests.ts'
import { type ChannelKeys, channelKeys, idempotencyName } from './channel-keys.ts'
import { announcementText } from './channel-message.ts'
import { DocumentLane } from './document-lane.ts'
import { decodeDraft, type EncodedDraft, encodeDraft } from './draft-code.ts'
import { PublicationGatherer } from './publication-gatherer.ts'
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
import type { RedisReply } from './redis-link.ts'
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
  readonly #lanes = new Map<string, DocumentLane>()
  readonly #compacting = new Set<string>()
  readonly #gatherer: PublicationGatherer
  /** Undefined before the start. */
  #interests: ChannelInterests | undefined
  #isClosed = false

  constructor(connection: RedisConnection, options: RedisBrokerOptions) {
    this.#connection = connection
    this.#options = options
    this.#gatherer = new PublicationGatherer(
      ({ kept }, args) => connection.call('publish', kept, args),
      (channel, draft, position, time) => this.#handed({ position, duplicate: false }, channel, draft, time, 0),
    )
  }

  /** @throws FusewireError `broker_unavailable` when Redis cannot be reached. */
  async start(listener: BrokerListener): Promise<void> {
    await this.#connection.open()
    this.#interests = new ChannelInterests(this.#connection, this.#options.prefix, listener)
  }

  publish(channel: string, draft: PublicationDraft, options: PublishOptions): Promise<Published> {
    const keys = this.#keysOf(channel)
    const encoded = encodeDraft(draft)
    const { state, idempotencyKey, ifPosition } = options
    if (!state && !ifPosition && idempotencyKey === undefined) return this.#gatherer.add(channel, keys, draft, encoded, options)
    this.#gatherer.flush(channel)
    const publishing = state
      ? this.#publishDocument(channel, keys, draft, encoded, options, state)
      : this.#send(keys, encoded, options, [])
    return publishing.then((answer) => this.#published(channel, draft, answer))
  }

  subscribe(channel: string): Promise<void> {
    return this.#interests?.add(channel) ?? Promise.reject(unavailable('the broker has not been started'))
  }

  unsubscribe(channel: string): void {
    this.#interests?.delete(channel)
  }

  async announce(message: Announcement): Promise<void> {
    const { topic } = this.#keysOf(message.channel)
    this.#gatherer.flush(message.channel)
    await this.#connection.call('announce', [topic], [announcementText(message)])
  }

  async history(channel: string, { since, limit, reverse }: HistoryQuery): Promise<HistoryPage> {
    const position = since ? [since.epoch, String(since.offset)] : ['', '']
    const reply = await this.#call('history', channel, [...position, String(limit ?? -1), reverse ? '1' : '0'])
    const [epoch, offset, complete, entries] = reply as readonly [string, number, number, readonly string[]]
    this.#interests?.get(channel)?.learned(epoch, offset)
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
    await this.#lanes.get(channel)?.settled()
    await this.#call('clear', channel)
  }

  async removeDocument(channel: string): Promise<boolean> {
    await this.#lanes.get(channel)?.settled()
    const reply = await this.#call('remove_document', channel)
    const [epoch, offset, removed] = reply as readonly [string, number, number]
    this.#interests?.get(channel)?.learned(epoch, offset)
    return removed === 1
  }

  /** Idempotent. The connection is released, and closed when nobody else uses it. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#interests?.close()
    this.#connection.release()
  }

  #keysOf(channel: string): ChannelKeys {
    return this.#interests?.get(channel)?.keys ?? channelKeys(this.#options.prefix, channel)
  }

  /** Behind what has been published in the channel. */
  #call(name: string, channel: string, args: readonly string[] = []): Promise<RedisReply> {
    const { kept, topic } = this.#keysOf(channel)
    this.#gatherer.flush(channel)
    return this.#connection.call(name, kept, [topic, ...args])
  }

  async #read(channel: string): Promise<StoredDocument> {
    const stored = readStoredDocument(await this.#call('state', channel))
    this.#interests?.get(channel)?.learned(stored.position.epoch, stored.position.offset)
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
    return readPublishAnswer(await this.#connection.call('publish_checked', names, [...args, ...document]))
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
    const interest = this.#interests?.get(channel)
    if (status === TOO_LARGE) throw new FusewireError('document_too_large')
    if (status === CONFLICT) {
      interest?.learned(position.epoch, position.offset)
      if (documentEnd === 0) throw new ConflictError({ position })
      return this.state(channel).then((state) => {
        throw new ConflictError(state)
      })
    }
    if (answer.patches > MAX_PATCHES || answer.patchBytes > Math.max(MAX_PATCH_BYTES, answer.baseBytes)) this.#compact(channel)
    return this.#handed({ position, duplicate: false }, channel, draft, time, documentEnd)
  }

  /** Answers once this node's listener has it, too. */
  #handed(
    published: Published,
    channel: string,
    draft: PublicationDraft,
    time: number,
    documentEnd: number,
  ): Published | Promise<Published> {
    const { epoch, offset } = published.position
    const handing = this.#interests?.get(channel)?.answered(epoch, offset, time, documentEnd, draft)
    return handing?.then(() => published) ?? published
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
    const { value, baseOffset, patches, patchBytes } = document
    const { body } = encodeDraft({ data: value })
    const [size, replaced] = [jsonSize(value), [baseOffset, patches, patchBytes].map(String)]
    await this.#call('compact', channel, [position.epoch, ...replaced, body, String(size), String(position.offset)])
  }
}

/** An entry of the history: time, bytes before it, and the draft. */
const readEntry = (offset: number, entry: string): Publication => {
  const first = entry.indexOf(' ')
  const second = entry.indexOf(' ', first + 1)
  return { offset, ...decodeDraft(entry.slice(second + 1)), time: Number(entry.slice(0, first)) }
}

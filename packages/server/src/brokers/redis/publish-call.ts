import type { PublicationDraft, PublishOptions } from '@fusewire/engine'
import type { Position } from '@fusewire/protocol'
import type { EncodedDraft } from './draft-code.ts'
import type { RedisReply } from './redis-link.ts'

/** What the library's `publish` is given: several drafts of one channel. */
export const appendArguments = (
  topic: string,
  drafts: readonly EncodedDraft[],
  { historySize, historyTtlMs, historyBytes }: PublishOptions,
): string[] => {
  const args = [topic, String(historySize), String(historyTtlMs), String(historyBytes)]
  for (const { bytes } of drafts) args.push(String(bytes))
  for (const { body } of drafts) args.push(body)
  return args
}

/** Where they are; `time` is when they were published, by the clock of Redis. */
export interface Appended {
  readonly epoch: string
  /** Offset of the first. */
  readonly first: number
  readonly time: number
}

export const readAppended = (reply: RedisReply): Appended => {
  const [epoch, first, time] = reply as readonly [string, number, number]
  return { epoch, first, time }
}

/** What the library's `publish_checked` answers with first. */
export const PUBLISHED = 0
export const DUPLICATE = 1
export const CONFLICT = 2
export const TOO_LARGE = 3
export const TO_BE_MEASURED = 4
export const BEHIND = 5

/** A document that was made here, and its size: it takes the place of what Redis has, if the channel is still where it was made from. */
export interface MeasuredDocument {
  readonly at: Position
  readonly bytes: number
  readonly body: string
}

export interface PublishAnswer {
  readonly status: number
  readonly position: Position
  /** When it was published, and when the document ends (0: there is none), by the clock of Redis. */
  readonly time: number
  readonly documentEnd: number
  /** Number and bytes of the patches, and bytes of their base. */
  readonly patches: number
  readonly patchBytes: number
  readonly baseBytes: number
}

/** What the library's `publish_checked` is given. */
export const publishArguments = (
  topic: string,
  { body, bytes }: EncodedDraft,
  { historySize, historyTtlMs, historyBytes, ifPosition }: PublishOptions,
  idempotencyTtlMs: number,
): string[] => [
  topic,
  body,
  String(bytes),
  String(historySize),
  String(historyTtlMs),
  String(historyBytes),
  String(idempotencyTtlMs),
  ifPosition?.epoch ?? '',
  ifPosition ? String(ifPosition.offset) : '',
]

/** What is to be said besides of a publication that makes a document. `wholeBytes` is the size of one that is whole. */
export const documentArguments = (
  state: NonNullable<PublishOptions['state']>,
  draft: PublicationDraft,
  { node, lane, wholeBytes }: { readonly node: string; readonly lane: string; readonly wholeBytes: number },
  measured?: MeasuredDocument,
): string[] => {
  const limits = [String(state.ttlMs), String(state.maxDocumentBytes)]
  if (!measured) return [...limits, draft.patch ? 'p' : 'w', String(wholeBytes), node, lane]
  const { at, bytes, body } = measured
  return [...limits, 'm', String(bytes), node, lane, at.epoch, String(at.offset), body]
}

export const readPublishAnswer = (reply: RedisReply): PublishAnswer => {
  const [status, epoch, offset, time, documentEnd, patches, patchBytes, baseBytes] = reply as readonly [
    number,
    string,
    ...number[],
  ]
  return {
    status,
    position: { epoch, offset: offset ?? 0 },
    time: time ?? 0,
    documentEnd: documentEnd ?? 0,
    patches: patches ?? 0,
    patchBytes: patchBytes ?? 0,
    baseBytes: baseBytes ?? 0,
  }
}

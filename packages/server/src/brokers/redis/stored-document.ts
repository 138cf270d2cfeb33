import { mergePatch, type Position } from '@fusewire/protocol'
import { decodeDraft } from './draft-code.ts'
import type { RedisReply } from './redis-link.ts'

/** A channel's position, and its document as Redis has it: a base, and the patches behind that. */
export interface StoredDocument {
  readonly position: Position
  /** Absent when there is none. */
  readonly document?: {
    readonly value: unknown
    /** When it was changed last, in milliseconds since 1970. */
    readonly time: number
    /** The offset that its base stands for. */
    readonly baseOffset: number
    readonly patches: number
    readonly patchBytes: number
  }
}

/** Patches are merged here: what Lua makes of JSON has lost numbers, empty arrays and the order of names. */
export const readStoredDocument = (reply: RedisReply): StoredDocument => {
  const [epoch, offset, time, baseOffset, patches, patchBytes, items] = reply as readonly [
    string,
    number,
    number,
    number,
    number,
    number,
    readonly string[],
  ]
  const position = { epoch, offset }
  if (time < 0) return { position }
  const own = new WeakSet<object>()
  let value: unknown
  for (const item of items) {
    const draft = decodeDraft(item)
    value = draft.patch ? mergePatch(value, draft.data, own) : draft.data
  }
  return { position, document: { value, time, baseOffset, patches, patchBytes } }
}

import type { PublicationDraft } from '@fusewire/engine'
import { jsonSize, LIMITS } from '@fusewire/protocol'
import { fromJsonValue, toJsonValue } from '../snapshot-values.ts'

export interface EncodedDraft {
  /** JSON; behind a `$` where something in it needed to be written in another way. */
  readonly body: string
  /** Bytes of the draft's JSON, as `jsonSize` counts them. */
  readonly bytes: number
}

/** What a value is written as, in text that gives it back without loss. */
export const encodeValue = (value: unknown): string =>
  isPlain(value, LIMITS.depth + 1) ? JSON.stringify(value) : `$${JSON.stringify(toJsonValue(value))}`

export const decodeValue = (text: string): unknown =>
  text.charCodeAt(0) === DOLLAR ? fromJsonValue(JSON.parse(text.slice(1))) : JSON.parse(text)

export const encodeDraft = (draft: PublicationDraft): EncodedDraft => {
  const body = encodeValue(draft)
  return { body, bytes: body.charCodeAt(0) === DOLLAR ? jsonSize(draft) : Buffer.byteLength(body) }
}

export const decodeDraft = (body: string): PublicationDraft => decodeValue(body) as PublicationDraft

const DOLLAR = 0x24

/**
 * Whether JSON carries it as it is; looking costs a tenth of what making a copy does. Throws a `MessageError` where it is nested too deep,
 * as cycles are.
 */
const isPlain = (value: unknown, depth: number): boolean => {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object' || value === null) return true
  if (depth <= 0) return jsonSize(value) >= 0
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth - 1))
  if (value instanceof Uint8Array || 'toJSON' in value) return false
  for (const name of Object.keys(value))
    if (name.charCodeAt(0) === DOLLAR || !isPlain((value as Record<string, unknown>)[name], depth - 1)) return false
  return true
}

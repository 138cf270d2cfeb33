import { MessageError } from './decode.ts'
import { LIMITS } from './limits.ts'

const NULL_BYTES = 4

/** Escapes of two characters, as JSON.stringify writes them. */
const SHORT_ESCAPES = '"\\\b\t\n\f\r'

/** Text that JSON writes as it is, a byte for each character. Most is: to see that takes a third of the time that counting does. */
const PLAIN = /^[ !#-[\]-~]*$/

const stringSize = (text: string): number => {
  if (PLAIN.test(text)) return 2 + text.length
  let bytes = 2 + text.length
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80) {
      if (unit < 0x20 || unit === 0x22 || unit === 0x5c) bytes += SHORT_ESCAPES.includes(text.charAt(at)) ? 1 : 5
    } else if (unit < 0x800) bytes += 1
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 2
    else if (unit < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) {
      // A pair is four bytes of UTF-8; a surrogate alone is an escape of six characters.
      bytes += 2
      at++
    } else bytes += 5
  }
  return bytes
}

/** What JSON leaves out of objects, and writes as null in arrays. */
const isNothing = (value: unknown): boolean => value === undefined || typeof value === 'function' || typeof value === 'symbol'

const itemsSize = (items: readonly unknown[], depth: number): number => {
  let bytes = 1 + Math.max(1, items.length)
  for (const item of items) bytes += isNothing(item) ? NULL_BYTES : sizeOf(item, depth)
  return bytes
}

const membersSize = (object: object, depth: number): number => {
  let bytes = 1
  for (const name of Object.keys(object)) {
    const value = (object as Record<string, unknown>)[name]
    if (!isNothing(value)) bytes += stringSize(name) + 2 + sizeOf(value, depth)
  }
  return Math.max(2, bytes)
}

const sizeOf = (value: unknown, depth: number): number => {
  switch (typeof value) {
    case 'string':
      return stringSize(value)
    case 'number':
      return Number.isFinite(value) ? String(value).length : NULL_BYTES
    case 'boolean':
      return value ? 4 : 5
    case 'object':
      if (value === null) return NULL_BYTES
      if (value instanceof Uint8Array) return 2 + 4 * Math.ceil(value.length / 3)
      if (depth <= 0) throw new MessageError('message_too_deep', `nested deeper than ${LIMITS.depth}`)
      if (Array.isArray(value)) return itemsSize(value, depth - 1)
      if ('toJSON' in value && typeof value.toJSON === 'function') return sizeOf(value.toJSON(), depth - 1)
      return membersSize(value, depth - 1)
    default:
      return 0
  }
}

/**
 * How many bytes a value takes as JSON: UTF-8 without spaces, byte arrays as base64, as {@link jsonCodec} writes it, whose text is
 * not built for it. Throws {@link MessageError} for nesting beyond `LIMITS.depth`, cycles included.
 */
export const jsonSize = (value: unknown): number => sizeOf(value, LIMITS.depth)

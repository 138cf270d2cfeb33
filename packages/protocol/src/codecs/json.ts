import { toBase64 } from '../base64.ts'
import { MessageError } from '../decode.ts'
import { LIMITS } from '../limits.ts'
import type { Codec } from './codec.ts'

/** Looks for byte arrays, which few messages have; this costs a small part of what JSON.stringify does, a replacer many times that. */
const hasBytes = (value: unknown, depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return false
  if (value instanceof Uint8Array) return true
  if (depth <= 0) throw new MessageError('message_too_deep', `nested deeper than ${LIMITS.depth}`)
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (hasBytes(value[i], depth - 1)) return true
  } else {
    for (const key in value) if (hasBytes((value as Record<string, unknown>)[key], depth - 1)) return true
  }
  return false
}

/** Reads the holder's own value, because a Node Buffer has turned itself into an object before the replacer sees it. */
function bytesAsBase64(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const held = this[key]
  return held instanceof Uint8Array ? toBase64(held) : value
}

const parse = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    throw new MessageError('malformed_message', 'not valid JSON')
  }
}

/**
 * Writes any value as JSON; byte arrays become base64 text.
 * @throws {@link MessageError} for what cannot be carried: a bigint, or nesting beyond `LIMITS.depth`, cycles included
 */
export const encodeJson = (value: unknown): string => {
  const replacer = hasBytes(value, LIMITS.depth) ? bytesAsBase64 : undefined
  try {
    return JSON.stringify(value, replacer)
  } catch (error) {
    throw new MessageError(
      'invalid_field',
      `not to be written as JSON: ${error instanceof Error ? error.message : 'toJSON failed'}`,
    )
  }
}

/**
 * One JSON value a line; lines end with LF or CRLF; empty lines are skipped. Byte arrays are written as base64 text; when read, they
 * stay text.
 */
export const jsonCodec: Codec = {
  name: 'json',
  frame: 'text',
  encode: encodeJson,
  join: (payloads) => payloads.join('\n'),
  decode: (payload) => {
    if (typeof payload !== 'string') throw new MessageError('malformed_message', 'JSON comes as text')
    // Nearly all are one line, which is parsed without the two arrays that splitting makes: 175 bytes a message.
    if (!payload.includes('\n')) return payload.trim() === '' ? [] : [parse(payload)]
    return payload
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => parse(line))
  },
}

import { isUtf8 } from 'node:buffer'
import { FusewireError, jsonCodec } from '@fusewire/protocol'

/** Reads a request body. An empty one is undefined, so that the schema decides whether something is missing. */
export const parseBody = (body: Buffer): unknown => {
  if (body.length === 0) return undefined
  if (!isUtf8(body)) throw new FusewireError('malformed_message', 'the body is not valid UTF-8')
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new FusewireError('malformed_message', 'the body is not valid JSON')
  }
}

/** Writes an answer as the wire's JSON does it, so that data reads alike in both: byte arrays are base64, for one. */
export const writeAnswer = (answer: unknown): string => {
  try {
    // The codec is typed for messages; it writes any value.
    return String(jsonCodec.encode(answer as Parameters<typeof jsonCodec.encode>[0]))
  } catch (cause) {
    throw new FusewireError('internal_error', undefined, { cause })
  }
}
